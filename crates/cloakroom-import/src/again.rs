//! [`again`]: a question that is put several times to a server that cannot say at first.

use std::time::Duration;

use cloakroom::{StorageError, StorageErrorKind};

/// How often a question is put to a server that cannot say, and how long the pause is before.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// Asks several times where a server cannot say. What is asked may be repeated: a commit is known by
/// its nonce.
pub(crate) async fn again<T, F: Future<Output = Result<T, StorageError>>>(
    ask: impl Fn() -> F,
) -> Result<T, StorageError> {
    let mut tries = 1;
    loop {
        match ask().await {
            Err(error) if tries < TRIES && is_passing(error.kind()) => {
                tokio::time::sleep(PAUSE * tries).await;
                tries += 1;
            }
            answer => return answer,
        }
    }
}

fn is_passing(kind: &StorageErrorKind) -> bool {
    use StorageErrorKind::{Rejected, Timeout, Unavailable};
    matches!(kind, Unavailable | Timeout { .. } | Rejected)
}
