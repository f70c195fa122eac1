//! [`within`]: the one limit of an operation that asks the storage more than once.

use std::time::{Duration, Instant};

use crate::error::{Operation, StorageError};

/// Ends what takes longer than the limit. Without one no timer is needed.
pub(crate) async fn within<T, E: From<StorageError>>(
    limit: Option<Duration>,
    operation: Operation,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let Some(limit) = limit else { return work.await };
    let start = Instant::now();
    let done = tokio::time::timeout(limit, work).await;
    done.unwrap_or_else(|_| {
        let name = format!("{operation} timeout");
        Err(StorageError::timeout(operation, &name, limit, start.elapsed()).into())
    })
}
