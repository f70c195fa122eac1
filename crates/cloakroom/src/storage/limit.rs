//! [`end_by`]: how whatever waits for a server ends, and [`within`], the one limit of an operation that
//! asks the storage more than once.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Operation, StorageError};

/// A deadline that is noticed later than this passed while the thread stood still.
const LATE: Duration = Duration::from_millis(20);

/// How long an answer may take to be read that has come meanwhile.
const LAST_CHANCE: Duration = Duration::from_millis(10);

/// Waits for an answer until a deadline; `None` where there is none by then. For storages that ask a
/// server.
///
/// Where a handler has held up its thread (a computation, a blocking call), the deadline may be over
/// before an answer that came in time could be read. So a deadline that is noticed more than 20 ms late
/// grants 10 ms to read what is there; otherwise such a handler would look like a sick server.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use std::time::Duration;
/// use tokio::time::Instant;
///
/// let deadline = Instant::now() + Duration::from_millis(5);
/// assert_eq!(cloakroom::end_by(deadline, async { 1 }).await, Some(1));
/// assert_eq!(cloakroom::end_by(deadline, std::future::pending::<()>()).await, None);
/// # });
/// ```
pub async fn end_by<F: Future>(deadline: Instant, answer: F) -> Option<F::Output> {
    let mut answer = pin!(answer);
    if let Ok(answer) = tokio::time::timeout_at(deadline, answer.as_mut()).await {
        return Some(answer);
    }
    if deadline.elapsed() < LATE {
        return None;
    }
    // Boxed, because it is rare.
    Box::pin(tokio::time::timeout(LAST_CHANCE, answer)).await.ok()
}

/// Ends what takes longer than the limit. Without one no timer is needed.
pub(crate) async fn within<T, E: From<StorageError>>(
    limit: Option<Duration>,
    operation: Operation,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let Some(limit) = limit else { return work.await };
    let start = Instant::now();
    end_by(start + limit, work).await.unwrap_or_else(|| {
        let name = format!("{operation} timeout");
        Err(StorageError::timeout(operation, &name, limit, start.elapsed()).into())
    })
}
