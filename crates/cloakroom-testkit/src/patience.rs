//! Waiting for several servers to agree with each other, which they tell nobody when they do.

use std::io;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// Asks again until the check succeeds.
///
/// # Errors
/// `TimedOut` where it has not within `limit`; the message holds why it failed last.
pub(crate) async fn until<T, Checked>(
    limit: Duration,
    mut check: impl FnMut() -> Checked,
) -> io::Result<T>
where
    Checked: Future<Output = io::Result<T>>,
{
    let start = Instant::now();
    loop {
        match check().await {
            Err(error) if start.elapsed() > limit => {
                let text = format!("not within {limit:?}: {error}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
            succeeded => return succeeded,
        }
    }
}

/// What is not as it should be yet.
pub(crate) fn not_yet(what: impl Into<String>) -> io::Error {
    io::Error::other(what.into())
}
