//! Visitors who come with the cookie of another library, whose sessions were imported.

use std::time::Duration;

use cloakroom::{
    Absolute, Answer, Clock, CommitBuilder, Committed, Engine, Expect, LoadOutcome,
    MemorySessionStorage, OldCookie, OldSessionId, Rejection, SessionError, SessionStorage,
    SetCookie, SignOut, Timestamp,
};
use cloakroom_testkit::{AilingStorage, FakeRequest, ManualClock, Mood, ticket_in};

use crate::house::House;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const REMOVAL: &str = "old=; Path=/app; Secure; HttpOnly; Max-Age=0";

/// A cookie that says of itself whether it is genuine.
struct Old;

impl OldCookie for Old {
    fn name(&self) -> &str {
        "old"
    }

    fn read(&self, value: &[u8]) -> Option<OldSessionId> {
        let id = str::from_utf8(value).ok()?.strip_prefix("genuine-")?;
        Some(OldSessionId::new("test", id))
    }

    fn path(&self) -> &str {
        "/app"
    }
}

fn house() -> House {
    let clock = ManualClock::new();
    let storage = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    House::built(Engine::builder(storage).old_cookie(Old), clock, |_| {})
}

fn session() -> CommitBuilder {
    CommitBuilder::new(Expect::Absent)
        .idle_timeout(10 * HOUR)
        .absolute(Absolute::Start(24 * HOUR))
        .owner("ada")
        .field("colour", r#""green""#)
}

async fn imported(house: &House, id: &str, session: CommitBuilder) {
    let id = OldSessionId::new("test", id);
    let commit = session.verifier(id.proof()).build().unwrap();
    let committed = house.engine.storage().commit(&id.key(), &commit).await.unwrap();
    assert!(matches!(committed, Committed::Applied { .. }));
}

fn request(cookie: &str) -> FakeRequest {
    FakeRequest::new().cookie(cookie).user_agent("Browser/1").peer("192.0.2.7")
}

/// A request that reads: its owner, and the answer's cookie.
async fn visit(house: &House, request: FakeRequest) -> (Option<String>, Option<SetCookie>) {
    let scope = house.engine.begin(&request);
    let owner = scope.handle().load().await.unwrap().owner();
    (owner, scope.finish(Answer::Ordinary).await.unwrap().into_cookie())
}

async fn outcome(house: &House, cookie: &str) -> LoadOutcome {
    house.engine.begin(&request(cookie)).handle().outcome().await.unwrap()
}

fn set_cookies(cookie: &SetCookie) -> Vec<&str> {
    cookie.headers().filter(|(name, _)| *name == "set-cookie").map(|(_, value)| value).collect()
}

#[tokio::test]
async fn an_old_cookie_becomes_a_ticket_and_is_taken_away() {
    let house = house();
    imported(&house, "a", session()).await;
    let (owner, cookie) = visit(&house, request("theme=dark; old=genuine-a")).await;
    let cookie = cookie.unwrap();
    assert_eq!(owner.as_deref(), Some("ada"));
    assert_eq!(set_cookies(&cookie), [cookie.value(), REMOVAL]);
    assert_eq!(house.journal.count("MovedIn"), 1);
    assert_eq!(house.journal.asked(), ["load", "commit", "commit"]);

    house.clock.advance(2 * MINUTE);
    house.journal.clear();
    let next = FakeRequest::with(&cookie).user_agent("Browser/1").peer("192.0.2.7");
    let (owner, again) = visit(&house, next).await;
    assert_eq!((owner.as_deref(), again.is_none()), (Some("ada"), true));
    assert_eq!(house.journal.asked(), ["load"], "an ordinary request from now on");
}

#[tokio::test]
async fn the_session_is_bound_to_the_browser_that_brings_the_old_cookie() {
    let house = house();
    imported(&house, "a", session()).await;
    let (_, cookie) = visit(&house, request("old=genuine-a")).await;
    let thief = request("old=genuine-a").user_agent("Other/1");
    let outcome = house.engine.begin(&thief).handle().outcome().await.unwrap();
    assert_eq!(outcome, LoadOutcome::Rejected(Rejection::Fingerprint));
    let record = house.record(&cookie.unwrap()).await.unwrap();
    assert!(record.fingerprint().is_some());
    assert_eq!(record.idle_timeout(), Duration::from_secs(30 * 60), "the policy's");
}

#[tokio::test]
async fn nobody_knows_when_an_imported_session_was_signed_in_so_it_is_never_fresh() {
    let house = house();
    let recently = house.clock.now();
    for created in [Timestamp::UNKNOWN, recently] {
        let id = created.to_string();
        imported(&house, &id, session().created_elsewhere(created)).await;
        let scope = house.engine.begin(&request(&format!("old=genuine-{id}")));
        let session = scope.handle().load().await.unwrap();
        let refused = session.require_fresh_auth(Duration::MAX).await.unwrap_err();
        assert!(matches!(refused, SessionError::FreshSignInRequired { .. }), "{refused}");
        assert_eq!((session.owner().as_deref(), session.signed_in_at()), (Some("ada"), None));
        assert_eq!(session.created_at(), created.known());
        session.insert("changed", 1).unwrap();
        let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
        let record = house.record(&cookie).await.unwrap();
        assert_eq!((record.created(), record.started()), (created, Timestamp::UNKNOWN));

        let next = FakeRequest::with(&cookie).user_agent("Browser/1").peer("192.0.2.7");
        let scope = house.engine.begin(&next);
        let session = scope.handle().load().await.unwrap();
        assert!(session.require_fresh_auth(24 * HOUR).await.is_err());
        session.set_owner("ada").unwrap();
        let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
        let record = house.record(&cookie).await.unwrap();
        assert_eq!((record.created(), record.started()), (created, record.touched()));
    }
}

#[tokio::test]
async fn a_remembered_visitor_stays_remembered() {
    let house = house();
    imported(&house, "a", session().persistent()).await;
    let (_, cookie) = visit(&house, request("old=genuine-a")).await;
    let cookie = cookie.unwrap();
    assert!(cookie.value().ends_with("; Max-Age=86400"));
    assert_eq!(house.record(&cookie).await.unwrap().idle_timeout(), 10 * HOUR);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_flight_together_get_the_same_ticket_and_lose_no_change() {
    let house = house();
    imported(&house, "a", session()).await;
    let requests = (0..12).map(|number| {
        let scope = house.engine.begin(&request("old=genuine-a"));
        tokio::spawn(async move {
            let session = scope.handle().load().await.unwrap();
            assert_eq!(session.owner().as_deref(), Some("ada"));
            if number % 2 == 0 {
                session.update("count", |count: Option<u32>| count.unwrap_or(0) + 1).unwrap();
            }
            scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap()
        })
    });
    let requests: Vec<_> = requests.collect();
    let mut cookies = Vec::new();
    for request in requests {
        cookies.push(request.await.unwrap());
    }
    assert!(cookies.iter().all(|cookie| cookie.value() == cookies[0].value()));
    assert_eq!(house.journal.count("MovedIn"), 1);
    let next = FakeRequest::with(&cookies[0]).user_agent("Browser/1").peer("192.0.2.7");
    let session = house.engine.begin(&next).handle().load().await.unwrap();
    assert_eq!(session.get::<u32>("count").unwrap(), Some(6));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again_within_a_minute() {
    let house = house();
    imported(&house, "a", session()).await;
    let scope = house.engine.begin(&request("old=genuine-a"));
    scope.handle().load().await.unwrap();
    drop(scope);
    house.clock.advance(MINUTE - Duration::from_secs(1));
    let (owner, cookie) = visit(&house, request("old=genuine-a")).await;
    assert_eq!(owner.as_deref(), Some("ada"));
    assert_eq!(ticket_in(&cookie.unwrap()).len(), 64);
}

#[tokio::test]
async fn an_old_cookie_is_dead_after_the_minute_and_clears_nothing() {
    let house = house();
    imported(&house, "a", session()).await;
    visit(&house, request("old=genuine-a")).await;
    house.clock.advance(MINUTE + Duration::from_secs(1));
    let superseded = LoadOutcome::Rejected(Rejection::Superseded);
    assert_eq!(outcome(&house, "old=genuine-a").await, superseded);
    let (owner, cookie) = visit(&house, request("old=genuine-a")).await;
    assert!(owner.is_none() && cookie.is_none());
}

#[tokio::test]
async fn an_old_cookie_is_dead_at_once_after_a_sign_in() {
    let house = house();
    imported(&house, "a", session()).await;
    let scope = house.engine.begin(&request("old=genuine-a"));
    scope.handle().load().await.unwrap().set_owner("ada").unwrap();
    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    assert_eq!(set_cookies(&cookie).len(), 2);
    let superseded = LoadOutcome::Rejected(Rejection::Superseded);
    assert_eq!(outcome(&house, "old=genuine-a").await, superseded);
}

#[tokio::test]
async fn a_sign_out_ends_the_session_and_takes_both_cookies_away() {
    let house = house();
    imported(&house, "a", session()).await;
    let scope = house.engine.begin(&request("old=genuine-a"));
    scope.handle().load().await.unwrap().destroy().unwrap();
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!(finished.sign_out(), Some(SignOut::Done));
    let cookie = finished.into_cookie().unwrap();
    assert!(cookie.value().ends_with("Max-Age=0"));
    assert_eq!(set_cookies(&cookie)[1], REMOVAL);
    assert_eq!(outcome(&house, "old=genuine-a").await, LoadOutcome::Rejected(Rejection::Unknown));
}

#[tokio::test]
async fn what_is_no_genuine_cookie_asks_nothing() {
    let house = house();
    imported(&house, "a", session()).await;
    for cookie in ["old=forged-a", "older=genuine-a", "bold=genuine-a", "old=", "x=old=genuine-a"] {
        assert_eq!(outcome(&house, cookie).await, LoadOutcome::Anonymous, "{cookie}");
    }
    assert!(house.journal.asked().is_empty());
    let (owner, cookie) = visit(&house, request("old=forged; old=genuine-a")).await;
    assert!(owner.is_some() && cookie.is_some(), "a forged neighbour costs nothing");
}

#[tokio::test]
async fn an_unknown_old_cookie_is_left_until_a_ticket_takes_its_place() {
    let house = house();
    let (owner, cookie) = visit(&house, request("old=genuine-b")).await;
    assert!(owner.is_none() && cookie.is_none());
    let scope = house.engine.begin(&request("old=genuine-b"));
    scope.handle().load().await.unwrap().insert("k", 1).unwrap();
    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    assert_eq!(set_cookies(&cookie), [cookie.value(), REMOVAL]);
}

#[tokio::test]
async fn a_ticket_of_ours_counts_and_the_old_cookie_goes_with_the_next_one() {
    let house = house();
    imported(&house, "a", session()).await;
    let ours = house.visitor().await;
    let both = || FakeRequest::with(&ours).cookie("old=genuine-a");
    let (owner, cookie) = visit(&house, both()).await;
    assert!(owner.is_none() && cookie.is_none());
    let scope = house.engine.begin(&both());
    scope.handle().load().await.unwrap().set_owner("bob").unwrap();
    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    assert_eq!(set_cookies(&cookie)[1], REMOVAL);
    assert_eq!(house.journal.count("MovedIn"), 0);
}

#[tokio::test]
async fn an_expired_session_does_not_move_in() {
    let house = house();
    imported(&house, "a", session()).await;
    house.clock.advance(11 * HOUR);
    assert_eq!(outcome(&house, "old=genuine-a").await, LoadOutcome::Rejected(Rejection::Unknown));
}

#[tokio::test]
async fn a_storage_that_cannot_say_is_an_error_and_costs_nobody_the_session() {
    let storage = AilingStorage::default();
    let builder = Engine::builder(storage.clone()).old_cookie(Old);
    let house = House::built(builder, ManualClock::new(), |_| {});
    imported(&house, "a", session()).await;
    for [reads, writes] in [[Mood::Down, Mood::Down], [Mood::Well, Mood::Down]] {
        storage.reads(reads);
        storage.writes(writes);
        let scope = house.engine.begin(&request("old=genuine-a"));
        assert!(scope.handle().load().await.unwrap_err().is_transient());
        assert!(scope.finish(Answer::ServerError).await.unwrap().into_cookie().is_none());
    }
    storage.recover().await;
    let (owner, cookie) = visit(&house, request("old=genuine-a")).await;
    assert!(owner.is_some() && cookie.is_some());
}

#[tokio::test]
async fn a_sign_out_by_an_old_cookie_is_never_promised_in_an_outage() {
    let storage = AilingStorage::default();
    let builder = Engine::builder(storage.clone()).old_cookie(Old);
    let house = House::built(builder, ManualClock::new(), |_| {});
    imported(&house, "a", session()).await;
    // Another request of the same page has moved the session in; this one was in flight with it.
    let (_, ticket) = visit(&house, request("old=genuine-a")).await;
    storage.reads(Mood::Down);
    storage.writes(Mood::Down);
    let scope = house.engine.begin(&request("old=genuine-a"));
    assert!(scope.handle().sign_out().await.unwrap_err().is_transient());
    let finished = scope.finish(Answer::ServerError).await.unwrap();
    assert_eq!(finished.sign_out(), None, "nothing is promised");
    assert!(finished.into_cookie().is_none(), "and no cookie is taken away");
    storage.recover().await;
    let scope = house.engine.begin(&request("old=genuine-a"));
    let _ = scope.handle().sign_out().await.unwrap();
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!(finished.sign_out(), Some(SignOut::Done));
    assert!(house.record(&ticket.unwrap()).await.is_none());
}

#[tokio::test]
async fn a_cookie_of_the_same_name_is_replaced_and_not_taken_away() {
    struct SameName;
    impl OldCookie for SameName {
        fn name(&self) -> &str {
            "__Host-id"
        }

        fn read(&self, value: &[u8]) -> Option<OldSessionId> {
            Old.read(value)
        }
    }
    let builder = Engine::builder(MemorySessionStorage::new()).old_cookie(SameName);
    let house = House::built(builder, ManualClock::new(), |_| {});
    imported(&house, "a", session()).await;
    let (owner, cookie) = visit(&house, request("__Host-id=genuine-a")).await;
    let cookie = cookie.unwrap();
    assert_eq!(owner.as_deref(), Some("ada"));
    assert_eq!(set_cookies(&cookie), [cookie.value()]);
}
