//! The journal against a scripted server.

mod confirmed;
mod names;
mod pending;
mod task;
mod unseen;

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cloakroom::{Destroyed, Durability, Event, PublicId};
use tokio::time::{sleep, timeout};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A server that can be away, silent, or without permission, and what the observer has heard.
#[derive(Default)]
struct Server {
    records: Mutex<HashSet<SessionKey>>,
    state: Mutex<State>,
    asked: Mutex<Vec<(SessionKey, Option<Timestamp>)>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    heard: Mutex<Vec<Heard>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Up,
    Down,
    /// It answers after a second.
    Slow,
    Silent,
    Denies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Applied(PublicId, Duration),
    Expired(PublicId),
    Full(PublicId),
}

impl Server {
    fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
    }

    fn holds(&self, key: &SessionKey) -> bool {
        self.records.lock().unwrap().contains(key)
    }

    fn put(&self, key: &SessionKey) {
        self.records.lock().unwrap().insert(*key);
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    fn asked(&self) -> Vec<SessionKey> {
        self.asked.lock().unwrap().iter().map(|(key, _)| *key).collect()
    }

    async fn answer(&self, key: &SessionKey) -> Result<bool, StorageError> {
        let state = *self.state.lock().unwrap();
        match state {
            State::Up => Ok(self.records.lock().unwrap().remove(key)),
            State::Slow => {
                let removed = self.records.lock().unwrap().remove(key);
                sleep(SECOND).await;
                Ok(removed)
            }
            State::Down => Err(error(StorageErrorKind::Unavailable)),
            State::Denies => Err(error(StorageErrorKind::Denied)),
            State::Silent => std::future::pending().await,
        }
    }
}

impl Remove for Server {
    async fn remove(&self, key: &SessionKey, meant: &Meant) -> Result<bool, StorageError> {
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        self.asked.lock().unwrap().push((*key, meant.before));
        tokio::task::yield_now().await;
        let answer = self.answer(key).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

struct Bench {
    server: Arc<Server>,
    journal: Journal<Server>,
}

impl Bench {
    fn new() -> Self {
        Self::with(JournalPolicy::default())
    }

    fn with(policy: JournalPolicy) -> Self {
        let server = Arc::new(Server::default());
        let journal = Journal::new(policy, Arc::downgrade(&server));
        let heard = server.clone();
        journal.set_observer(Arc::new(move |event: &Event<'_>| {
            heard.heard.lock().unwrap().push(match event {
                Event::DestroyApplied { session, pending } => Heard::Applied(*session, *pending),
                Event::DestroyExpired { session } => Heard::Expired(*session),
                Event::JournalFull { session } => Heard::Full(*session),
                event => panic!("not an event of the journal: {event:?}"),
            });
        }));
        Self { server, journal }
    }

    async fn remove(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        let work = async {
            Ok(match self.server.answer(key).await? {
                true => Destroyed::Removed(Durability::LOCAL),
                false => Destroyed::Absent(Durability::LOCAL),
            })
        };
        self.journal.remove(key, Some(at(100)), work).await
    }

    async fn remove_while(&self, state: State, key: &SessionKey) {
        self.server.put(key);
        self.server.set(state);
        let _: Destroyed = self.remove(key).await.unwrap();
    }

    async fn create(&self, key: &SessionKey) -> Result<Committed, StorageError> {
        self.create_with(key, async {
            self.server.put(key);
            Ok(applied())
        })
        .await
    }

    async fn create_with(
        &self,
        key: &SessionKey,
        work: impl Future<Output = Result<Committed, StorageError>>,
    ) -> Result<Committed, StorageError> {
        self.journal.create(key, work).await
    }

    /// Lets time pass until nothing is pending.
    async fn settle(&self) {
        let settled = async {
            while self.journal.stats().pending > 0 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(60 * SECOND, settled).await.unwrap();
    }
}

fn key(name: &str) -> SessionKey {
    SessionKey::from_name(name)
}

fn keys(count: usize) -> Vec<SessionKey> {
    (0..count).map(|number| key(&number.to_string())).collect()
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn error(kind: StorageErrorKind) -> StorageError {
    StorageError::new(kind, Operation::Destroy, "scripted")
}

fn applied() -> Committed {
    let stamp = cloakroom::Stamp::from_bytes(&[0; 48]);
    Committed::Applied { stamp, as_of: at(0) }
}
