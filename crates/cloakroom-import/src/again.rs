//! [`again`] and [`insist`]: a question that is put several times to a server that cannot say at
//! first. What is asked may be repeated: a commit and a note are known by their nonce.

use std::time::Duration;

use cloakroom::{StorageError, StorageErrorKind};
use tokio::time::Instant;

/// How often a question is put to a server that cannot say, and how long the pause is before.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// For how long one is insisted on.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks several times where a server cannot say.
pub(crate) async fn again<T, F: Future<Output = Result<T, StorageError>>>(
    ask: impl Fn() -> F,
) -> Result<T, StorageError> {
    ask_while(|tries| tries < TRIES, ask).await
}

/// Asks for a minute where a server cannot say: to give up would lose something.
pub(crate) async fn insist<T, F: Future<Output = Result<T, StorageError>>>(
    ask: impl Fn() -> F,
) -> Result<T, StorageError> {
    let begun = Instant::now();
    ask_while(|_| begun.elapsed() < PATIENCE, ask).await
}

async fn ask_while<T, F: Future<Output = Result<T, StorageError>>>(
    is_patient: impl Fn(u32) -> bool,
    ask: impl Fn() -> F,
) -> Result<T, StorageError> {
    let mut tries = 1;
    loop {
        match ask().await {
            Err(error) if is_patient(tries) && is_passing(error.kind()) => {
                tokio::time::sleep((PAUSE * tries).min(LONGEST_PAUSE)).await;
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
