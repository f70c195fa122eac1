//! Sessions on a server of the test, made as an application makes them, for the commands to find.

use std::time::Duration;

use cloakroom::{
    Absolute, Answer, CommitBuilder, Committed, Engine, Expect, Found, IndexChange, OwnerKey,
    PublicId, SessionFingerprint, SessionKey, SessionStorage, Token,
};
use cloakroom_redis::{Plaintext, RedisSessionStorage};
use cloakroom_testkit::{FakeRequest, RedisServer, ticket_in};
use tokio::task::JoinSet;

pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";
pub const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) \
    AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1";
pub const DAY: Duration = Duration::from_secs(86_400);

/// An application beside the commands.
pub struct Application {
    pub engine: Engine,
}

/// A browser that has kept its cookie.
pub struct Browser {
    pub id: PublicId,
    request: FakeRequest,
}

impl Application {
    pub async fn on(url: &str) -> Self {
        let builder = RedisSessionStorage::builder().url(url).plaintext(Plaintext::Loopback);
        let storage = builder.build().await.unwrap();
        Self { engine: Engine::builder(storage).build().unwrap() }
    }

    /// Signs an owner in.
    pub async fn sign_in(&self, owner: &str) -> Browser {
        self.visit(FakeRequest::new().peer("192.0.2.7").user_agent(FIREFOX), Some(owner)).await
    }

    /// One request that makes a session.
    pub async fn visit(&self, request: FakeRequest, owner: Option<&str>) -> Browser {
        let scope = self.engine.begin(&request);
        let session = scope.handle().load().await.unwrap();
        session.insert("secret", "of-the-session").unwrap();
        if let Some(owner) = owner {
            session.set_owner(owner).unwrap();
        }
        let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
        let id = Token::parse(ticket_in(&cookie).as_bytes()).unwrap().key().public_id();
        Browser { id, request: FakeRequest::with(&cookie) }
    }

    /// Whether a browser's ticket still opens its session.
    pub async fn admits(&self, browser: &Browser) -> bool {
        let scope = self.engine.begin(&browser.request);
        scope.handle().outcome().await.unwrap() == cloakroom::LoadOutcome::Found
    }

    pub async fn lives(&self, id: PublicId) -> bool {
        self.engine.session(id).await.unwrap() != Found::Nothing
    }

    /// A session under a key of the test's choice, as others of its owner in the index.
    pub async fn put(&self, key: SessionKey, owner: Option<&str>, address: &str, agent: &str) {
        put(self.engine.clone(), key, owner, SessionFingerprint::new(address, agent)).await;
        let Some(owner) = owner.map(OwnerKey::of) else { return };
        let (lifetime, pending) = (DAY, Duration::from_secs(5));
        let enter = IndexChange::Enter { session: key, lifetime, pending, refuse_at: None };
        let storage = self.engine.storage();
        let now = storage.change_owner_index(&owner, &enter).await.unwrap().now;
        let settle = IndexChange::Settle { session: key, deadline: now + DAY, most: None };
        let _ = storage.change_owner_index(&owner, &settle).await.unwrap();
    }

    /// Many sessions, two of three of them anonymous.
    pub async fn put_many(&self, count: usize) {
        let mut putting = JoinSet::new();
        for worker in 0..64 {
            let engine = self.engine.clone();
            putting.spawn(async move {
                for number in (worker..count).step_by(64) {
                    let owner = format!("owner {number}");
                    let owner = (number % 3 == 0).then_some(owner.as_str());
                    let key = SessionKey::from_name(&number.to_string());
                    put(engine.clone(), key, owner, SessionFingerprint::new("::1", "x")).await;
                }
            });
        }
        putting.join_all().await;
    }
}

async fn put(
    engine: Engine,
    key: SessionKey,
    owner: Option<&str>,
    fingerprint: SessionFingerprint,
) {
    let mut commit = CommitBuilder::new(Expect::Absent)
        .absolute(Absolute::Start(DAY))
        .fingerprint(fingerprint)
        .field("secret", r#""of-the-session""#);
    if let Some(owner) = owner {
        commit = commit.owner(owner);
    }
    let committed = engine.storage().commit(&key, &commit.build().unwrap()).await.unwrap();
    assert!(matches!(committed, Committed::Applied { .. }));
}

/// The moment by the server's clock, in RFC 3339, with some milliseconds to what was before and what
/// comes: clients know that clock no better.
pub async fn moment(server: &RedisServer) -> String {
    let apart = Duration::from_millis(100);
    tokio::time::sleep(apart).await;
    let time = server.ask(["TIME"]).await.unwrap().many();
    let [seconds, micros] = [&time[0], &time[1]].map(|it| it.text().parse::<u64>().unwrap());
    tokio::time::sleep(apart).await;
    let past = Duration::from_secs(seconds) + Duration::from_micros(micros);
    // Whole seconds are told without their milliseconds.
    let past = if past.subsec_millis() == 0 { past + Duration::from_millis(1) } else { past };
    humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + past).to_string()
}

/// How many keys are on a server.
pub async fn keys(server: &RedisServer) -> i64 {
    server.ask(["DBSIZE"]).await.unwrap().number()
}
