//! Fingerprints through the engine: a mismatch answers "no session" and leaves the record alone.

use cloakroom::{
    Answer, Engine, FingerprintMode, LoadOutcome, MemorySessionStorage, Policy, Rejection,
    SetCookie,
};
use cloakroom_testkit::FakeRequest;

use crate::house::House;

const FIREFOX: &str = "Firefox/140";

fn house(mode: FingerprintMode) -> House {
    House::with_policy(|policy| {
        policy.fingerprint = Some(mode);
        policy.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
}

async fn visitor_from(house: &House, request: FakeRequest) -> SetCookie {
    let scope = house.engine.begin(&request);
    scope.handle().load().await.unwrap().insert("colour", "green").unwrap();
    scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap()
}

async fn opens(house: &House, request: FakeRequest) -> bool {
    match house.engine.begin(&request).handle().outcome().await.unwrap() {
        LoadOutcome::Found => true,
        LoadOutcome::Rejected(Rejection::Fingerprint) => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_policy_without_a_mode_takes_the_storages() {
    for mode in [FingerprintMode::Disabled, FingerprintMode::Soft, FingerprintMode::Strict] {
        let storage = || MemorySessionStorage::builder().fingerprint_mode(mode).build().unwrap();
        let engine = Engine::builder(storage()).build().unwrap();
        assert_eq!(engine.policy().fingerprint, Some(mode));
        let mut policy = Policy::default();
        policy.cookie.name = "id".into();
        let engine = Engine::builder(storage()).policy(policy.clone()).build().unwrap();
        assert_eq!(engine.policy().fingerprint, Some(mode));
        for own in [FingerprintMode::Disabled, FingerprintMode::Strict] {
            policy.fingerprint = Some(own);
            let engine = Engine::builder(storage()).policy(policy.clone()).build().unwrap();
            assert_eq!(engine.policy().fingerprint, Some(own), "the policy's own mode counts");
        }
    }
    let storage =
        MemorySessionStorage::builder().fingerprint_mode(FingerprintMode::Strict).build().unwrap();
    let house = House::on(storage, cloakroom_testkit::ManualClock::new(), |_| {});
    let home = FakeRequest::new().peer("192.0.2.7").user_agent(FIREFOX);
    let cookie = visitor_from(&house, home).await;
    let neighbour = FakeRequest::with(&cookie).peer("192.0.2.8").user_agent(FIREFOX);
    assert!(!opens(&house, neighbour).await, "soft would let it in");
}

#[tokio::test]
async fn soft_compares_networks_and_the_user_agent() {
    let house = house(FingerprintMode::Soft);
    let home = FakeRequest::new().peer("192.0.2.7").user_agent(FIREFOX);
    let cookie = visitor_from(&house, home).await;
    let from = |peer: &str| FakeRequest::with(&cookie).peer(peer).user_agent(FIREFOX);
    assert!(opens(&house, from("192.0.2.7")).await);
    assert!(opens(&house, from("192.0.2.99")).await);
    assert!(opens(&house, from("::ffff:192.0.2.8")).await);
    assert!(!opens(&house, from("192.0.3.7")).await);
    assert!(!opens(&house, from("192.0.2.7").user_agent("curl/8")).await);
    assert!(
        opens(&house, FakeRequest::with(&cookie)).await,
        "what a request lacks is not compared"
    );

    let home = FakeRequest::new().peer("2001:db8:1:2::7").user_agent(FIREFOX);
    let cookie = visitor_from(&house, home).await;
    let from = |peer: &str| FakeRequest::with(&cookie).peer(peer).user_agent(FIREFOX);
    assert!(opens(&house, from("2001:db8:1:2:ffff::1")).await);
    assert!(!opens(&house, from("2001:db8:1:3::7")).await);
}

#[tokio::test]
async fn strict_compares_both_exactly_and_wants_both() {
    let house = house(FingerprintMode::Strict);
    let home = FakeRequest::new().peer("192.0.2.7").user_agent(FIREFOX);
    let cookie = visitor_from(&house, home).await;
    let from = |peer: &str| FakeRequest::with(&cookie).peer(peer).user_agent(FIREFOX);
    assert!(opens(&house, from("192.0.2.7")).await);
    assert!(opens(&house, from("::ffff:192.0.2.7")).await);
    assert!(!opens(&house, from("192.0.2.8")).await);
    assert!(!opens(&house, from("192.0.2.7").user_agent("Firefox/141")).await);
    assert!(!opens(&house, FakeRequest::with(&cookie)).await);
}

#[tokio::test]
async fn disabled_neither_records_nor_compares() {
    let house = house(FingerprintMode::Disabled);
    let home = FakeRequest::new().peer("192.0.2.7").user_agent(FIREFOX);
    let cookie = visitor_from(&house, home).await;
    assert!(house.record(&cookie).await.unwrap().fingerprint().is_none());
    assert!(opens(&house, FakeRequest::with(&cookie).peer("198.51.100.1")).await);
}

#[tokio::test]
async fn a_session_without_a_fingerprint_is_accepted() {
    for mode in [FingerprintMode::Soft, FingerprintMode::Strict] {
        let house = house(mode);
        let cookie = house.visitor().await;
        assert!(house.record(&cookie).await.unwrap().fingerprint().is_none());
        let request = FakeRequest::with(&cookie).peer("192.0.2.7").user_agent(FIREFOX);
        assert!(opens(&house, request).await);
    }
}

#[tokio::test]
async fn a_mismatch_is_reported_and_neither_clears_the_cookie_nor_touches_the_record() {
    let house = house(FingerprintMode::Strict);
    let home = FakeRequest::new().peer("192.0.2.7").user_agent(FIREFOX);
    let cookie = visitor_from(&house, home.clone()).await;
    let before = house.record(&cookie).await.unwrap();
    house.clock.advance(std::time::Duration::from_secs(20 * 60));

    let thief = FakeRequest::with(&cookie).peer("198.51.100.1").user_agent(FIREFOX);
    let scope = house.engine.begin(&thief);
    let session = scope.handle().load().await.unwrap();
    assert!(session.is_new() && session.get::<String>("colour").unwrap().is_none());
    session.destroy().unwrap();
    assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
    house.drain().await;
    assert!(house.journal.mentions("reason: Fingerprint"));
    assert_eq!(house.record(&cookie).await.unwrap().as_bytes(), before.as_bytes());
    let owner = FakeRequest::with(&cookie).peer("192.0.2.7").user_agent(FIREFOX);
    assert!(opens(&house, owner).await, "a thief cannot log the owner out");
}

#[tokio::test]
async fn forwarding_headers_count_only_from_a_trusted_proxy() {
    let house = house(FingerprintMode::Strict);
    let behind_proxy =
        |cookie: Option<&SetCookie>| cookie.map_or_else(FakeRequest::new, FakeRequest::with);
    let home = behind_proxy(None).peer("10.0.0.1").forwarded_for("192.0.2.7");
    let cookie = visitor_from(&house, home).await;
    let recorded = house.record(&cookie).await.unwrap();
    assert_eq!(recorded.fingerprint().unwrap().address().as_deref(), Some("192.0.2.7"));

    let forged = behind_proxy(Some(&cookie)).peer("198.51.100.1").forwarded_for("192.0.2.7");
    assert!(!opens(&house, forged).await, "a peer that is no proxy cannot name an address");
    let forged_chain =
        behind_proxy(Some(&cookie)).peer("10.0.0.1").forwarded_for("192.0.2.7, 198.51.100.1");
    assert!(!opens(&house, forged_chain).await, "only what the proxy itself has seen counts");
    let through_two = behind_proxy(Some(&cookie))
        .peer("10.0.0.1")
        .forwarded_for("6.6.6.6, 192.0.2.7")
        .forwarded_for("10.1.2.3");
    assert!(opens(&house, through_two).await);
}

#[tokio::test]
async fn a_sign_in_binds_the_session_to_where_it_happened() {
    let house = house(FingerprintMode::Soft);
    let cookie = house.visitor().await;
    let request = FakeRequest::with(&cookie).peer("192.0.2.7").user_agent(FIREFOX);
    let scope = house.engine.begin(&request);
    scope.handle().load().await.unwrap().set_owner("olga").unwrap();
    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    assert!(!opens(&house, FakeRequest::with(&cookie).peer("198.51.100.1")).await);
}
