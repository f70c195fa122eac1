//! [`Sentinels`]: asks a Sentinel set where the primary is. Asked again for every connection that is
//! opened, so that a failover is followed by whatever is opened next.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::{RedisError, Value};
use tokio::sync::Mutex;

use super::connector::{OpenError, connect_briefly};
use crate::address::{Access, Endpoint, Link, SentinelGroup};

/// How long one Sentinel may take, with the opening of a connection to it. A Sentinel that does not
/// answer must not use up the time of those who wait for the primary.
const LIMIT: Duration = Duration::from_millis(300);

/// The Sentinels of one primary.
pub(super) struct Sentinels {
    group: SentinelGroup,
    /// The one that has answered last is asked first.
    first: AtomicUsize,
    /// The connection to it. Who waits for the lock waits for the same answer.
    connection: Mutex<Option<Link>>,
}

impl Sentinels {
    pub(super) fn new(group: SentinelGroup) -> Self {
        Self { group, first: AtomicUsize::new(0), connection: Mutex::new(None) }
    }

    /// Others of the same primary, with a connection of their own.
    pub(super) fn another(&self) -> Self {
        Self::new(self.group.clone())
    }

    /// How to get in at the primary.
    pub(super) fn data(&self) -> &Access {
        &self.group.data
    }

    /// The primary's name in the Sentinels' configuration.
    pub(super) fn master(&self) -> &str {
        &self.group.master
    }

    /// Where the primary is, as the first Sentinel that answers says.
    pub(super) async fn primary(&self) -> Result<Endpoint, OpenError> {
        let mut connection = self.connection.lock().await;
        if let Some(open) = connection.as_mut()
            && let Ok(Ok(Some(address))) = tokio::time::timeout(LIMIT, self.ask(open)).await
        {
            return self.endpoint(address);
        }
        *connection = None;
        let sentinels = &self.group.sentinels;
        let first = self.first.load(Ordering::Relaxed);
        let mut failure = OpenError::NoPrimary;
        for step in 0..sentinels.len() {
            let at = (first + step) % sentinels.len();
            let asking = async {
                let mut open = connect_briefly(&sentinels[at]).await?;
                let answer = self.ask(&mut open).await?;
                Ok::<_, OpenError>((open, answer))
            };
            match tokio::time::timeout(LIMIT, asking).await {
                Ok(Ok((open, Some(address)))) => {
                    self.first.store(at, Ordering::Relaxed);
                    *connection = Some(open);
                    return self.endpoint(address);
                }
                // It answers and does not know the name: another one may.
                Ok(Ok((_, None))) => failure = OpenError::NoPrimary,
                Ok(Err(OpenError::Failed(error))) => failure = OpenError::NoSentinel(error),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = OpenError::TimedOut { elapsed: LIMIT },
            }
        }
        Err(failure)
    }

    async fn ask(&self, sentinel: &mut Link) -> Result<Option<(String, u16)>, OpenError> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&*self.group.master);
        let answer: Value = question.query_async(&mut **sentinel).await?;
        Ok(redis::from_redis_value(answer).map_err(RedisError::from)?)
    }

    fn endpoint(&self, (host, port): (String, u16)) -> Result<Endpoint, OpenError> {
        let endpoint = self.group.data.at(&host, port);
        endpoint.map_err(|problem| OpenError::Forbidden(problem.to_string()))
    }
}
