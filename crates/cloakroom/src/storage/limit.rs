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
/// server. Like every timer of Tokio it panics outside of a runtime with time.
///
/// Where a handler has held up its thread (a computation, a blocking call), the deadline may be over
/// before an answer that came in time could be read. So a deadline that passes while this waits, and is
/// noticed more than 20 ms late, grants 10 ms to read what is there; otherwise such a handler would
/// look like a sick server. A deadline that was over before grants nothing.
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
    let was_over = Instant::now() >= deadline;
    if let Ok(answer) = tokio::time::timeout_at(deadline, answer.as_mut()).await {
        return Some(answer);
    }
    if was_over || deadline.elapsed() < LATE {
        return None;
    }
    // Boxed, because it is rare.
    Box::pin(tokio::time::timeout(LAST_CHANCE, answer)).await.ok()
}

/// Ends what takes longer than the limit. Without one, or with one that no clock can add, no timer is
/// needed.
///
/// What is within ends by itself mostly, by [`end_by`]; so this grants what that may have granted.
pub(crate) async fn within<T, E: From<StorageError>>(
    limit: Option<Duration>,
    operation: Operation,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let start = Instant::now();
    let Some((limit, deadline)) = limit.and_then(|limit| Some((limit, start.checked_add(limit)?)))
    else {
        return work.await;
    };
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout_at(deadline, work.as_mut()).await {
        return done;
    }
    let last = Box::pin(tokio::time::timeout(2 * LAST_CHANCE, work));
    last.await.unwrap_or_else(|_| {
        let name = format!("{operation} timeout");
        Err(StorageError::timeout(operation, &name, limit, start.elapsed()).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ready as soon as it is looked at after a moment. The first look holds up its thread.
    async fn answer_behind_a_standstill(standstill: Duration) {
        let answer = tokio::spawn(async {});
        tokio::task::yield_now().await;
        let mut looks = 0;
        let mut answer = pin!(answer);
        std::future::poll_fn(|context| {
            looks += 1;
            match looks {
                1 => std::thread::sleep(standstill),
                // The task's turn has come, but not what it says.
                2 => {}
                _ => return answer.as_mut().poll(context).map(drop),
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }

    const LIMIT: Duration = Duration::from_millis(30);

    #[tokio::test]
    async fn what_came_during_a_standstill_is_read() {
        let deadline = Instant::now() + LIMIT;
        assert!(end_by(deadline, answer_behind_a_standstill(4 * LIMIT)).await.is_some());
    }

    #[tokio::test]
    async fn one_limit_around_another_lets_it_read_as_well() {
        for longer in [0, 5, 15, 25, 40].map(Duration::from_millis) {
            let inner = async {
                let deadline = Instant::now() + LIMIT;
                let answer = answer_behind_a_standstill(LIMIT + Duration::from_millis(30));
                end_by(deadline, answer)
                    .await
                    .ok_or_else(|| StorageError::timeout(Operation::Load, "inner", LIMIT, LIMIT))
            };
            within(Some(LIMIT + longer), Operation::Load, inner).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_deadline_that_was_over_grants_nothing() {
        let start = Instant::now();
        tokio::time::sleep(4 * LIMIT).await;
        let asked = Instant::now();
        assert!(end_by(start, std::future::pending::<()>()).await.is_none());
        assert!(asked.elapsed() < LAST_CHANCE, "{:?}", asked.elapsed());
    }

    #[tokio::test]
    async fn a_limit_that_no_clock_can_add_is_none() {
        let done: Result<_, StorageError> =
            within(Some(Duration::MAX), Operation::Load, async { Ok(1) }).await;
        assert_eq!(done.unwrap(), 1);
    }
}
