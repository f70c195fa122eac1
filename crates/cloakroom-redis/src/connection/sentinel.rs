//! [`Sentinels`]: asks a Sentinel set where the primary is. Asked again for every connection that is
//! opened, so that a failover is followed by whatever is opened next.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use redis::{RedisError, Value};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::connector::connect_briefly;
use super::first_answer::first_answer;
use super::open_error::OpenError;
use crate::address::{Access, Endpoint, Link, SentinelGroup};
use crate::error::{ClientError, is_denied};

/// How often it is asked whether a primary that a connection is being opened to still is one.
const WATCH: Duration = Duration::from_millis(500);

/// The Sentinels of one primary.
pub(super) struct Sentinels {
    group: SentinelGroup,
    /// How long one Sentinel may take, with the opening of a connection to it.
    limit: Duration,
    /// The one that has answered last is asked first.
    first: AtomicUsize,
    /// Who waits for the lock waits for the same answer.
    last: Mutex<Last>,
}

/// What became of the last question.
#[derive(Default)]
struct Last {
    /// The connection to the Sentinel that answered it.
    connection: Option<Link>,
    /// When nobody did, and why.
    failure: Option<(Instant, OpenError)>,
}

impl Sentinels {
    /// Sentinels that are asked while a connection is opened, which may take no longer than
    /// `timeout`.
    pub(super) fn new(group: SentinelGroup, timeout: Duration) -> Self {
        // So that there is time left to tell that none answers.
        let (limit, first) = (timeout / 2, AtomicUsize::new(0));
        Self { group, limit, first, last: Mutex::default() }
    }

    /// Others of the same primary, with a connection of their own.
    pub(super) fn another(&self) -> Self {
        Self::new(self.group.clone(), self.limit * 2)
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
        let begin = Instant::now();
        let mut last = self.last.lock().await;
        if let Some((when, failure)) = &last.failure
            && *when >= begin
        {
            return Err(failure.clone());
        }
        let (sentinels, first) = (&self.group.sentinels, self.first.load(Ordering::Relaxed));
        let mut questions = Vec::new();
        if let Some(link) = last.connection.take() {
            questions.push(self.ask_bounded(first, Some(link)).boxed());
        }
        for at in first..first + sentinels.len() {
            questions.push(self.ask_bounded(at % sentinels.len(), None).boxed());
        }
        match first_answer(questions).await {
            Ok((at, link, (host, port))) => {
                self.first.store(at, Ordering::Relaxed);
                *last = Last { connection: Some(link), failure: None };
                let endpoint = self.group.data.at(&host, port);
                endpoint.map_err(|problem| OpenError::Forbidden(problem.to_string()))
            }
            Err(failures) => {
                let failure = failures.into_iter().max_by_key(telling);
                let failure = failure.unwrap_or(OpenError::NoPrimary);
                last.failure = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Ends when the Sentinels call another server the primary.
    pub(super) async fn name_another_than(&self, endpoint: &Endpoint) {
        loop {
            tokio::time::sleep(WATCH).await;
            if self.primary().await.is_ok_and(|primary| primary.name() != endpoint.name()) {
                return;
            }
        }
    }

    async fn ask_bounded(
        &self,
        at: usize,
        open: Option<Link>,
    ) -> Result<(usize, Link, (String, u16)), OpenError> {
        let asked = tokio::time::timeout(self.limit, self.ask(at, open)).await;
        asked.unwrap_or(Err(OpenError::NoSentinel(ClientError::Io(std::io::ErrorKind::TimedOut))))
    }

    async fn ask(
        &self,
        at: usize,
        open: Option<Link>,
    ) -> Result<(usize, Link, (String, u16)), OpenError> {
        let sentinel = &self.group.sentinels[at];
        let mut link = match open {
            Some(link) => link,
            None => connect_briefly(sentinel).await.map_err(|error| match error {
                OpenError::Denied(error) | OpenError::Failed(error @ ClientError::Refused(_)) => {
                    OpenError::SentinelDenied(error)
                }
                OpenError::Failed(error) => OpenError::NoSentinel(error),
                error => error,
            })?,
        };
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&*self.group.master);
        let answer: Result<Value, RedisError> = question.query_async(&mut *link).await;
        let answer = answer.map_err(|error| match ClientError::new(&error) {
            kept if is_denied(&error) => OpenError::SentinelDenied(kept),
            ClientError::Refused(_) => OpenError::NotSentinel(sentinel.name().to_owned()),
            kept => OpenError::NoSentinel(kept),
        })?;
        match redis::from_redis_value(answer) {
            Ok(Some(address)) => Ok((at, link, address)),
            Ok(None) => Err(OpenError::NoPrimary),
            Err(_) => Err(OpenError::NotSentinel(sentinel.name().to_owned())),
        }
    }
}

/// Which of several Sentinels' failures helps a person most. That one cannot be reached is nothing
/// special.
fn telling(failure: &OpenError) -> u8 {
    match failure {
        OpenError::SentinelDenied(_) => 3,
        OpenError::NoPrimary => 2,
        OpenError::NoSentinel(_) => 0,
        _ => 1,
    }
}
