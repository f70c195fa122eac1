//! [`first_answer`]: one question to several servers of which any may answer. The Sentinels and the
//! Cluster's nodes are asked in this way.
//!
//! The next one is asked as soon as one has failed, or has kept silent for a moment; those that were
//! asked before may still answer. So a server that has vanished costs that moment, and one that is
//! far away is not given up.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

/// For how long one may keep silent before the next one is asked too.
const MOMENT: Duration = Duration::from_millis(100);

/// The first answer that is none of failure; else every failure. It waits as long as the questions
/// do: whoever puts them bounds them.
pub(super) async fn first_answer<T, E>(
    questions: Vec<BoxFuture<'_, Result<T, E>>>,
) -> Result<T, Vec<E>> {
    let (mut waiting, mut asked) = (questions.into_iter(), FuturesUnordered::new());
    let mut failures = Vec::new();
    loop {
        let answer = match waiting.next() {
            Some(question) => {
                asked.push(question);
                let patience = tokio::time::timeout(MOMENT, asked.next());
                let Ok(answer) = patience.await else { continue };
                answer
            }
            None => asked.next().await,
        };
        match answer {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(failure)) => failures.push(failure),
            None => return Err(failures),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::FutureExt;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_keeps_silent_costs_a_moment() {
        let start = Instant::now();
        let silent = pending::<Result<u8, u8>>().boxed();
        let answer = first_answer(vec![silent, ready(Err(1)).boxed(), ready(Ok(2)).boxed()]);
        assert_eq!(answer.await, Ok(2));
        assert_eq!(start.elapsed(), MOMENT);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_far_away_may_answer_later() {
        let far = async {
            sleep(MOMENT * 5).await;
            Ok(1)
        };
        let refused = || ready(Err(2)).boxed();
        assert_eq!(first_answer(vec![far.boxed(), refused(), refused()]).await, Ok(1));
    }

    #[tokio::test]
    async fn every_failure_is_told() {
        let refused = [1, 2].map(|failure| ready(Err::<(), _>(failure)).boxed());
        assert_eq!(first_answer(refused.into()).await, Err(vec![1, 2]));
    }
}
