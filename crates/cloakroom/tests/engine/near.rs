//! [`Pair`]: two nodes on one storage, of which one holds copies that nobody calls back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use cloakroom::{
    MemorySessionStorage, Policy, Record, RequestScope, Session, SessionKey, SessionStorage,
    SetCookie,
};
use cloakroom_testkit::{AilingStorage, ManualClock};

use crate::house::{House, key};

/// A storage that may be ill, with copies of records as they were when the test made them.
#[derive(Clone)]
struct NearCached {
    server: AilingStorage,
    copies: Arc<Mutex<HashMap<SessionKey, Record>>>,
}

pub(crate) struct Pair {
    /// The node with the copies.
    pub(crate) near: House,
    /// Another node, without any.
    pub(crate) other: House,
    pub(crate) server: AilingStorage,
    copies: Arc<Mutex<HashMap<SessionKey, Record>>>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with_policy(|_| {})
    }

    pub(crate) fn with_policy(change: impl FnOnce(&mut Policy)) -> Self {
        let clock = ManualClock::new();
        let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
        let (server, copies) = (AilingStorage::new(memory), Arc::default());
        let storage = NearCached { server: server.clone(), copies: Arc::clone(&copies) };
        let near = House::on(storage, clock.clone(), change);
        let other = House::on(server.clone(), clock, |_| {});
        Self { near, other, server, copies }
    }

    /// A visitor with `count` in the session, of which the near node has a copy.
    pub(crate) async fn visitor(&self, count: u32) -> SetCookie {
        let cookie = self.other.visit(None, |session| session.insert("count", count).unwrap());
        let cookie = cookie.await.unwrap();
        self.copy(&cookie).await;
        cookie
    }

    /// The near node gets a copy of what the storage holds now.
    pub(crate) async fn copy(&self, cookie: &SetCookie) {
        let record = self.other.record(cookie).await.unwrap();
        self.copies.lock().unwrap().insert(key(cookie), record);
    }

    /// A request of the near node, with its session from the copy.
    pub(crate) async fn begin(&self, cookie: &SetCookie) -> (RequestScope, Session) {
        self.near.journal.clear();
        let scope = self.near.begin(cookie);
        let session = scope.handle().load().await.unwrap();
        assert_eq!(self.near.journal.asked(), Vec::<String>::new(), "by the copy");
        (scope, session)
    }

    /// What the storage holds as the session's count.
    pub(crate) async fn stored(&self, cookie: &SetCookie) -> Option<u32> {
        self.other.look(cookie, count).await
    }
}

pub(crate) fn count(session: &Session) -> Option<u32> {
    session.get("count").unwrap()
}

impl SessionStorage for NearCached {
    cloakroom_testkit::pass_on! {
        [server] load commit touch destroy destroy_unseen owner_index change_owner_index facts stats
    }

    fn cached(&self, key: &SessionKey) -> Option<Record> {
        self.copies.lock().unwrap().get(key).cloned()
    }

    fn backend_name(&self) -> &'static str {
        "near-cached"
    }
}
