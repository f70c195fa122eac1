//! [`House`]: an engine on a memory storage, a clock to move by hand, and a journal of events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::{
    Answer, Engine, EngineBuilder, Event, LoadOutcome, MemorySessionStorage, Policy, Record,
    RequestScope, Session, SessionStorage, SetCookie,
};
use cloakroom_testkit::{FakeRequest, ManualClock};

pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) clock: ManualClock,
    pub(crate) journal: Journal,
}

/// Everything that the observer was told, one line each.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<String>>>);

impl House {
    pub(crate) fn new() -> Self {
        Self::with_policy(|_| {})
    }

    pub(crate) fn with_policy(change: impl FnOnce(&mut Policy)) -> Self {
        let clock = ManualClock::new();
        let storage = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
        Self::on(storage, clock, change)
    }

    pub(crate) fn on(
        storage: impl SessionStorage,
        clock: ManualClock,
        change: impl FnOnce(&mut Policy),
    ) -> Self {
        Self::built(Engine::builder(storage), clock, change)
    }

    pub(crate) fn built(
        builder: EngineBuilder,
        clock: ManualClock,
        change: impl FnOnce(&mut Policy),
    ) -> Self {
        let mut policy = Policy::default();
        // A busy test machine must not make commits late.
        policy.commit_timeout = Duration::from_secs(20);
        change(&mut policy);
        let journal = Journal::default();
        let observer = journal.clone();
        let engine = builder
            .policy(policy)
            .observer(move |event: &Event<'_>| observer.write(event))
            .build()
            .unwrap();
        Self { engine, clock, journal }
    }

    /// Begins the request of a browser that holds this cookie.
    pub(crate) fn begin<'a>(&self, cookie: impl Into<Option<&'a SetCookie>>) -> RequestScope {
        self.engine.begin(&cookie.into().map_or_else(FakeRequest::new, FakeRequest::with))
    }

    /// A whole request that succeeds, and its `Set-Cookie`.
    pub(crate) async fn visit<'a>(
        &self,
        cookie: impl Into<Option<&'a SetCookie>>,
        handler: impl FnOnce(&Session),
    ) -> Option<SetCookie> {
        let scope = self.begin(cookie);
        handler(&scope.handle().load().await.unwrap());
        scope.finish(Answer::Ordinary).await.unwrap().into_cookie()
    }

    /// A request that puts something into a new session.
    pub(crate) async fn visitor(&self) -> SetCookie {
        let cookie = self.visit(None, |session| session.insert("colour", "green").unwrap()).await;
        cookie.unwrap()
    }

    /// What a handler sees, without a change.
    pub(crate) async fn look<'a, T>(
        &self,
        cookie: impl Into<Option<&'a SetCookie>>,
        look: impl FnOnce(&Session) -> T,
    ) -> T {
        look(&self.begin(cookie).handle().load().await.unwrap())
    }

    pub(crate) async fn outcome(&self, cookie: &SetCookie) -> LoadOutcome {
        self.begin(cookie).handle().outcome().await.unwrap()
    }

    /// The stored record behind a ticket, whether the ticket still opens it or not.
    pub(crate) async fn record(&self, cookie: &SetCookie) -> Option<Record> {
        self.engine.storage().load(&key(cookie)).await.unwrap()
    }

    /// Waits until nothing goes on after its request, pending or not.
    pub(crate) async fn settle(&self) {
        while self.engine.background_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn drain(&self) {
        assert!(self.engine.drain(Duration::from_secs(20)).await);
    }
}

impl Journal {
    fn write(&self, event: &Event<'_>) {
        let line = match event {
            Event::Asked { operation, error: None, .. } => format!("asked {operation}"),
            Event::Asked { operation, .. } => format!("asked {operation} in vain"),
            event => format!("{event:?}"),
        };
        self.0.lock().unwrap().push(line);
    }

    /// How many lines begin like that.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.starts_with(start)).count()
    }

    /// Whether a line holds that text.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.0.lock().unwrap().iter().any(|line| line.contains(text))
    }

    /// What the storage was asked since the journal was begun or cleared.
    pub(crate) fn asked(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter_map(|line| line.strip_prefix("asked ")).map(str::to_owned).collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// Where the record of a ticket lies.
pub(crate) fn key(cookie: &SetCookie) -> cloakroom::SessionKey {
    let ticket = cloakroom_testkit::ticket_in(cookie);
    cloakroom::Token::parse(ticket.as_bytes()).expect("the cookie holds a ticket").key()
}
