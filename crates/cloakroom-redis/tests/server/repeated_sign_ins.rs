//! Sign-ins whose commit was carried out and is sent once more, because the connection broke before the
//! answer: whoever is not told of one is not signed in, and takes no place.

use std::time::{Duration, Instant};

use cloakroom::{
    Answer, AtLimit, Engine, Found, Policy, Position, Session, SessionError, SessionStorage,
    SetCookie,
};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::fault_proxy::{End, ErrorReply, On, Times};
use cloakroom_testkit::{FakeRequest, FaultProxy, RedisServer};

use super::support::start;

const OWNER: &str = "ann";

const LONG: Duration = Duration::from_secs(5);

/// An engine whose policy lets nobody have a second session.
async fn engine(url: &str) -> Engine {
    let storage = RedisSessionStorage::builder().url(url).pool_size(2);
    let storage = storage.command_timeout(LONG).commit_timeout(LONG).build().await.unwrap();
    let mut policy = Policy::default();
    policy.commit_timeout = LONG;
    policy.concurrent_sessions.limit = 1;
    policy.concurrent_sessions.at_limit = AtLimit::Refuse;
    Engine::builder(storage).policy(policy).build().unwrap()
}

/// The server, a proxy before it, and an engine behind that which has used its scripts.
async fn behind_a_proxy() -> (RedisServer, FaultProxy, Engine) {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let engine = engine(&proxy.url()).await;
    request(&engine, None, |session| session.set_owner("bob").unwrap()).await.unwrap();
    (server, proxy, engine)
}

fn commits() -> On {
    let script = redis::Script::new(include_str!("../../src/lua/commit.lua"));
    On::commands(["EVALSHA", "EVAL"]).with_argument(script.get_hash())
}

async fn request(
    engine: &Engine,
    cookie: Option<&SetCookie>,
    change: impl FnOnce(&Session),
) -> Result<Option<SetCookie>, SessionError> {
    let scope = engine.begin(&cookie.map_or_else(FakeRequest::new, FakeRequest::with));
    change(&scope.handle().load().await?);
    Ok(scope.finish(Answer::Ordinary).await?.into_cookie())
}

async fn sign_in(
    engine: &Engine,
    cookie: Option<&SetCookie>,
) -> Result<Option<SetCookie>, SessionError> {
    request(engine, cookie, |session| session.set_owner(OWNER).unwrap()).await
}

/// How many records there are in which the owner is signed in, whatever the index says.
async fn records_of_the_owner(engine: &Engine) -> usize {
    let (mut count, mut position) = (0, Some(Position::start()));
    while let Some(here) = position {
        let page = engine.storage().walk(&here).await.unwrap();
        for found in engine.storage().facts(&page.sessions).await.unwrap() {
            count += usize::from(matches!(found, Found::Session(it) if it.owner() == Some(OWNER)));
        }
        position = page.next;
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_is_refused_when_it_is_sent_again_is_taken_back() {
    for refusal in [ErrorReply::ReadOnly, ErrorReply::Oom] {
        for is_new in [true, false] {
            let (_server, proxy, engine) = behind_a_proxy().await;
            let visitor = match is_new {
                true => None,
                false => request(&engine, None, |it| it.insert("a", 1).unwrap()).await.unwrap(),
            };
            let cut = proxy.cut_replies(commits(), 0, End::Reset, Times::Once);
            let refused = proxy.refuse_commands(commits(), refusal.clone(), Times::UntilCleared);
            sign_in(&engine, visitor.as_ref()).await.unwrap_err();
            assert!(cut.struck() == 1 && refused.struck() >= 1);
            drop((cut, refused));
            let begin = Instant::now();
            while records_of_the_owner(&engine).await > 0 {
                assert!(begin.elapsed() < Duration::from_secs(10), "nobody takes it back");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(engine.drain(LONG).await);
            // Its place is free.
            sign_in(&engine, None).await.unwrap();
            assert_eq!(engine.sessions_of(OWNER).await.unwrap().len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_is_sent_again_after_its_session_was_revoked_fails() {
    let (server, proxy, engine) = behind_a_proxy().await;
    let other_node = self::engine(&server.url()).await;
    let cut = proxy.cut_replies(commits(), 0, End::Reset, Times::Once);
    let held = proxy.hold_requests(commits(), Times::UntilCleared);
    let signing_in = engine.clone();
    let signing_in = tokio::spawn(async move { sign_in(&signing_in, None).await });
    cut.until_struck(1).await;
    held.until_struck(1).await;
    assert_eq!(other_node.revoke_owner(OWNER).await.unwrap().ended, 1);
    assert!(other_node.drain(LONG).await);
    drop(held);
    let error = signing_in.await.unwrap().unwrap_err();
    assert!(matches!(error, SessionError::Gone), "{error}");
    assert!(engine.drain(LONG).await);
    assert_eq!(records_of_the_owner(&engine).await, 0);
    assert!(engine.sessions_of(OWNER).await.unwrap().is_empty());
}
