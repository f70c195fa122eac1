//! What a copy must never decide: nobody is refused because of one, and who must be sure is not let
//! in by one.

use std::time::Duration;

use cloakroom::{
    Answer, Engine, FingerprintMode, Policy, Session, SessionFingerprint, SessionStorage, SetCookie,
};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::fault_proxy::{Direction, Scope};
use cloakroom_testkit::{FakeRequest, FaultProxy, RedisServer};

use super::support::{builder, holding, node};

/// Longer than a busy machine stops for.
const PATIENCE: Duration = Duration::from_secs(25);

fn engine(storage: RedisSessionStorage) -> Engine {
    let mut policy = Policy::default();
    policy.fingerprint = Some(FingerprintMode::Disabled);
    Engine::builder(storage).policy(policy).build().unwrap()
}

async fn request(
    engine: &Engine,
    visitor: &FakeRequest,
    handler: impl AsyncFnOnce(Session),
) -> Option<SetCookie> {
    let scope = engine.begin(visitor);
    handler(scope.handle().load().await.unwrap()).await;
    scope.finish(Answer::Ordinary).await.unwrap().into_cookie()
}

/// Two nodes, of which the second one hears nothing of what the first one does from `deafen` on,
/// and a visitor of both.
struct Pair {
    _server: RedisServer,
    proxy: FaultProxy,
    one: Engine,
    deaf: Engine,
    visitor: FakeRequest,
}

impl Pair {
    async fn start() -> Self {
        let server = RedisServer::start().await.unwrap();
        let proxy = FaultProxy::before(&server).await.unwrap();
        // What it asks while it hears nothing is answered afterwards, and no heartbeat takes its copy.
        let deaf = builder(proxy.url()).heartbeat_interval(Duration::from_secs(15));
        let deaf = deaf.command_timeout(PATIENCE).load_timeout(PATIENCE).build().await.unwrap();
        let (one, deaf) = (engine(node(server.url()).await), engine(deaf));
        let cookie = request(&one, &FakeRequest::new(), async |s| s.insert("n", 1).unwrap()).await;
        let visitor = FakeRequest::with(&cookie.unwrap());
        for _ in 0..3 {
            request(&deaf, &visitor, async |s| assert_eq!(s.get("n").unwrap(), Some(1))).await;
        }
        Self { _server: server, proxy, one, deaf, visitor }
    }

    /// Does something on the first node that the second one hears of only when it is healed. Until
    /// then it has its copy.
    async fn unheard(&self, deed: impl AsyncFnOnce(Session)) -> Option<SetCookie> {
        self.proxy.black_hole(Scope::All, Direction::Replies);
        let cookie = request(&self.one, &self.visitor, deed).await;
        let asked = self.asked();
        request(&self.deaf, &self.visitor, async |s| assert!(!s.is_new())).await;
        assert_eq!(self.asked(), asked, "the copy is gone");
        cookie
    }

    /// How often the second node has asked for a session.
    fn asked(&self) -> u64 {
        self.proxy.commands("GET")
    }

    /// Waits until the second node has asked once more, and lets it hear everything.
    async fn heal_after(&self, asked: u64) {
        let question = self.proxy.until_commands("GET", asked + 1);
        tokio::time::timeout(PATIENCE, question).await.expect("the server is not asked");
        self.proxy.heal(Scope::All);
    }
}

#[tokio::test]
async fn a_ticket_that_is_newer_than_the_copy_is_looked_up_and_let_in() {
    let pair = Pair::start().await;
    let cookie = pair.unheard(async |s| s.set_owner("ann").unwrap()).await;
    let newer = FakeRequest::with(&cookie.unwrap());
    // The copy knows another verifier. Before the answer is "superseded", the server is asked, and
    // its answer is on its way.
    let (deaf, asked) = (pair.deaf.clone(), pair.asked());
    let answer = tokio::spawn(async move {
        let scope = deaf.begin(&newer);
        scope.handle().load().await.map(|session| session.owner())
    });
    pair.heal_after(asked).await;
    assert_eq!(answer.await.unwrap().unwrap().as_deref(), Some("ann"));
}

#[tokio::test]
async fn whoever_must_be_sure_is_not_let_in_by_a_copy() {
    let pair = Pair::start().await;
    pair.unheard(async |s| s.destroy().unwrap()).await;
    let scope = pair.deaf.begin(&pair.visitor);
    let session = scope.handle().load().await.unwrap();
    assert_eq!(session.get("n").unwrap(), Some(1), "by the copy, within the bound");
    // Nobody can say while the server is not heard.
    let asked = pair.asked();
    let checked = tokio::spawn({
        let handle = scope.handle().clone();
        async move { handle.load_fresh().await }
    });
    pair.heal_after(asked).await;
    assert!(checked.await.unwrap().unwrap().is_new());
    assert!(session.is_new(), "all that the request holds is the same session");
}

#[tokio::test]
async fn a_fresh_load_asks_the_server_although_there_is_a_copy() {
    let pair = Pair::start().await;
    let asked = pair.asked();
    for _ in 0..3 {
        request(&pair.deaf, &pair.visitor, async |s| assert!(!s.is_new())).await;
    }
    assert_eq!(pair.asked(), asked);
    for round in 1..=3 {
        let scope = pair.deaf.begin(&pair.visitor);
        assert!(!scope.handle().load_fresh().await.unwrap().is_new());
        // Once per request is enough.
        assert!(!scope.handle().load_fresh().await.unwrap().is_new());
        assert!(!scope.handle().load().await.unwrap().is_new());
        assert_eq!(pair.asked(), asked + round);
    }
}

#[tokio::test]
async fn a_fresh_load_shows_the_newer_record_and_keeps_what_the_request_has_changed() {
    let pair = Pair::start().await;
    let scope = pair.deaf.begin(&pair.visitor);
    let session = scope.handle().load().await.unwrap();
    session.insert("own", 1).unwrap();
    request(&pair.one, &pair.visitor, async |s| s.insert("n", 2).unwrap()).await;
    let fresh = scope.handle().load_fresh().await.unwrap();
    assert_eq!(fresh.get("n").unwrap(), Some(2));
    assert_eq!(fresh.get("own").unwrap(), Some(1));
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
    let both = async |s: Session| (s.get::<u32>("n").unwrap(), s.get::<u32>("own").unwrap());
    let seen = pair.one.begin(&pair.visitor);
    let seen = both(seen.handle().load_fresh().await.unwrap()).await;
    assert_eq!(seen, (Some(2), Some(1)));
}

#[tokio::test]
async fn changes_to_a_session_that_has_ended_elsewhere_are_refused_by_a_fresh_load() {
    let pair = Pair::start().await;
    let scope = pair.deaf.begin(&pair.visitor);
    scope.handle().load().await.unwrap().insert("own", 1).unwrap();
    request(&pair.one, &pair.visitor, async |s| s.destroy().unwrap()).await;
    let error = scope.handle().load_fresh().await.unwrap_err();
    assert!(matches!(error, cloakroom::SessionError::Gone), "{error:?}");
}

#[tokio::test]
async fn a_fingerprint_that_the_copy_does_not_have_is_looked_up() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let (one, other) = (node(server.url()).await, node(proxy.url()).await);
    let at_home = SessionFingerprint::new("192.0.2.7", "Browser/1");
    let abroad = SessionFingerprint::new("198.51.100.7", "Browser/1");
    one.set("ann", &holding("1").with_fingerprint(at_home.clone()), None).await.unwrap();
    for _ in 0..3 {
        assert!(other.get("ann", Some(&at_home)).await.unwrap().is_some());
    }
    let asked = proxy.commands("GET");
    assert!(other.get("ann", Some(&abroad)).await.unwrap().is_none());
    assert_eq!(proxy.commands("GET"), asked + 1);
}
