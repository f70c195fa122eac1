//! [`Load`]: clients that read and write while servers fail, and what they have seen.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cloakroom::{SessionKey, SessionStorage, StorageError};
use cloakroom_redis::RedisSessionStorage;
use tokio::task::JoinSet;

use super::support::{creation, unused_key};

/// How much later than its limit an operation may end.
const GRACE: Duration = Duration::from_millis(50);

const CLIENTS: usize = 6;

/// Clients at work. They end with the value.
pub(crate) struct Load {
    storage: RedisSessionStorage,
    seen: Arc<Seen>,
    clients: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    ended: AtomicBool,
    acknowledged: Mutex<Vec<SessionKey>>,
    errors: Mutex<Vec<StorageError>>,
    /// By how much operations ended later than they may.
    late: Mutex<Vec<Duration>>,
    /// By how much the machine was late in waking somebody up, at worst.
    hiccup: Mutex<Duration>,
}

impl Load {
    pub(crate) fn start(storage: &RedisSessionStorage) -> Self {
        let (mut clients, seen) = (JoinSet::new(), Arc::<Seen>::default());
        for _ in 0..CLIENTS {
            clients.spawn(client(storage.clone(), seen.clone()));
        }
        clients.spawn(feel_hiccups(seen.clone()));
        Self { storage: storage.clone(), seen, clients }
    }

    /// The sessions that have been created so far.
    pub(crate) fn acknowledged(&self) -> Vec<SessionKey> {
        self.seen.acknowledged.lock().unwrap().clone()
    }

    /// Waits until there are so many more.
    pub(crate) async fn more(&self, sessions: usize) {
        let (begin, goal) = (Instant::now(), self.acknowledged().len() + sessions);
        while self.acknowledged().len() < goal {
            assert!(begin.elapsed() < Duration::from_secs(20), "nothing is written any more");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends the clients; checks that none of them waited for too long or met an error for good.
    /// Answers how many errors there were.
    pub(crate) async fn end(mut self) -> usize {
        self.seen.ended.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
        let errors = self.seen.errors.lock().unwrap();
        for error in errors.iter() {
            assert!(error.is_transient(), "{error} {:?}", error.kind());
            assert!(!error.to_string().contains("CROSSSLOT"), "{error}");
        }
        let hiccup = *self.seen.hiccup.lock().unwrap();
        for late in self.seen.late.lock().unwrap().iter() {
            assert!(*late <= hiccup * 2, "{late:?} too late, the machine was late by {hiccup:?}");
        }
        errors.len()
    }

    /// Checks that sessions are there.
    pub(crate) async fn assert_found(&self, sessions: &[SessionKey]) {
        for key in sessions {
            let begin = Instant::now();
            let found = loop {
                match self.storage.load(key).await {
                    Ok(found) => break found,
                    Err(error) => assert!(begin.elapsed() < Duration::from_secs(10), "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            };
            assert!(found.is_some(), "an acknowledged session is lost");
        }
    }
}

async fn client(storage: RedisSessionStorage, seen: Arc<Seen>) {
    let limit = |operation| storage.timeout(operation).unwrap();
    while !seen.ended.load(Ordering::Relaxed) {
        let (key, commit) = (unused_key(), creation());
        let begin = Instant::now();
        let outcome = storage.commit(&key, &commit).await;
        seen.took(begin.elapsed(), limit(cloakroom::Operation::Commit));
        match outcome {
            Ok(_) => seen.acknowledged.lock().unwrap().push(key),
            Err(error) => seen.errors.lock().unwrap().push(error),
        }
        let begin = Instant::now();
        if let Err(error) = storage.load(&key).await {
            seen.errors.lock().unwrap().push(error);
        }
        seen.took(begin.elapsed(), limit(cloakroom::Operation::Load));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn feel_hiccups(seen: Arc<Seen>) {
    const NAP: Duration = Duration::from_millis(5);
    while !seen.ended.load(Ordering::Relaxed) {
        let begin = Instant::now();
        tokio::time::sleep(NAP).await;
        let late = begin.elapsed() - NAP;
        let mut hiccup = seen.hiccup.lock().unwrap();
        *hiccup = late.max(*hiccup);
    }
}

impl Seen {
    fn took(&self, elapsed: Duration, limit: Duration) {
        if elapsed > limit + GRACE {
            self.late.lock().unwrap().push(elapsed - limit - GRACE);
        }
    }
}
