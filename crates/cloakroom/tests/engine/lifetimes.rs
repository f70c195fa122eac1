//! How long sessions live, and what the browser is told about it.

use std::time::Duration;

use cloakroom::{Clock, LoadOutcome, Rejection, Session, SessionError, SetCookie};

use crate::house::House;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_session_lives_until_the_millisecond_of_its_deadline() {
    let house = House::new();
    let cookie = house.visitor().await;
    let deadline = house.look(&cookie, |session| session.expires_at()).await.unwrap();
    assert_eq!(deadline, house.clock.now() + 30 * MINUTE);
    house.clock.advance(30 * MINUTE);
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Found);
    house.clock.advance(MILLISECOND);
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Rejected(Rejection::Unknown));
}

#[tokio::test]
async fn the_absolute_timeout_ends_a_session_that_is_always_in_use() {
    let house = House::new();
    let cookie = house.visitor().await;
    let mut visits = 0;
    loop {
        house.clock.advance(20 * MINUTE);
        let found = house.outcome(&cookie).await == LoadOutcome::Found;
        house.visit(&cookie, |_| {}).await;
        house.drain().await;
        if !found {
            break;
        }
        visits += 1;
    }
    assert_eq!(visits, 12 * 60 / 20, "twelve hours, and not a moment more");
}

#[tokio::test]
async fn a_sessions_own_idle_timeout_is_kept_by_later_requests() {
    let house = House::new();
    let cookie = house.visitor().await;
    house.visit(&cookie, |session| session.set_idle_timeout(5 * MINUTE).unwrap()).await;
    house.clock.advance(4 * MINUTE);
    house.visit(&cookie, |session| session.insert("size", 7).unwrap()).await;
    let deadline = house.look(&cookie, |session| session.expires_at()).await.unwrap();
    assert_eq!(deadline, house.clock.now() + 5 * MINUTE);
    house.clock.advance(4 * MINUTE);
    house.visit(&cookie, |_| {}).await;
    house.drain().await;
    let deadline = house.look(&cookie, |session| session.expires_at()).await.unwrap();
    assert_eq!(deadline, house.clock.now() + 5 * MINUTE, "a touch gives what the record says");
    house.clock.advance(5 * MINUTE + MILLISECOND);
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Rejected(Rejection::Unknown));
}

#[tokio::test]
async fn remembering_gives_the_cookie_a_max_age_and_the_session_a_longer_life() {
    let house = House::new();
    let remember = |session: &Session| {
        session.set_owner("olga").unwrap();
        session.remember_for(14 * DAY).unwrap();
    };
    let cookie = house.visit(None, remember).await.unwrap();
    assert!(cookie.value().ends_with("; SameSite=Lax; Max-Age=1209600"), "{}", attributes(&cookie));
    house.clock.advance(14 * DAY);
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Found);
    house.clock.advance(MILLISECOND);
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Rejected(Rejection::Unknown));
}

#[tokio::test]
async fn remembering_a_session_that_is_there_already_tells_the_browser() {
    let house = House::new();
    let cookie = house.visitor().await;
    let told = house.visit(&cookie, |session| session.remember_for(DAY).unwrap()).await.unwrap();
    assert!(told.value().ends_with("; Max-Age=86400"));
    assert_eq!(cloakroom_testkit::ticket_in(&told), cloakroom_testkit::ticket_in(&cookie));
    assert!(house.visit(&told, |session| session.insert("size", 7).unwrap()).await.is_none());
}

#[tokio::test]
async fn a_later_rotation_keeps_the_remaining_max_age() {
    let house = House::new();
    let remember = |session: &Session| {
        session.set_owner("olga").unwrap();
        session.remember_for(10 * DAY).unwrap();
    };
    let cookie = house.visit(None, remember).await.unwrap();
    house.clock.advance(3 * DAY);
    let cookie = house.visit(&cookie, |session| session.rotate().unwrap()).await.unwrap();
    let left = (7 * DAY).as_secs();
    assert!(cookie.value().ends_with(&format!("; Max-Age={left}")), "{}", attributes(&cookie));
}

#[tokio::test]
async fn a_sign_in_does_not_inherit_that_somebody_was_remembered() {
    let house = House::new();
    let remember = |session: &Session| {
        session.insert("colour", "green").unwrap();
        session.remember_for(14 * DAY).unwrap();
    };
    let cookie = house.visit(None, remember).await.unwrap();
    let cookie = house.visit(&cookie, |session| session.set_owner("olga").unwrap()).await.unwrap();
    assert!(!cookie.value().contains("Max-Age"), "{}", attributes(&cookie));
    let (idle, absolute) =
        house.look(&cookie, |session| (session.expires_at(), session.ends_at())).await;
    assert_eq!(idle.unwrap(), house.clock.now() + 30 * MINUTE);
    assert_eq!(absolute.unwrap(), house.clock.now() + 12 * 60 * MINUTE);
}

#[tokio::test]
async fn a_sign_in_and_remembering_go_together_in_either_order() {
    let house = House::new();
    let first = |session: &Session| {
        session.remember_for(DAY).unwrap();
        session.set_owner("olga").unwrap();
    };
    let second = |session: &Session| {
        session.set_owner("olga").unwrap();
        session.remember_for(DAY).unwrap();
    };
    let visitor = house.visitor().await;
    let cookie = house.visit(&visitor, first).await.unwrap();
    assert!(cookie.value().ends_with("; Max-Age=86400"), "{}", attributes(&cookie));
    let cookie = house.visit(&cookie, second).await.unwrap();
    assert!(cookie.value().ends_with("; Max-Age=86400"), "{}", attributes(&cookie));
}

#[tokio::test]
async fn lifetimes_beyond_the_policys_limit_are_refused() {
    let house = House::with_policy(|policy| policy.longest_lifetime = 2 * DAY);
    let scope = house.begin(None);
    let session = scope.handle().load().await.unwrap();
    for asked in [Duration::ZERO, 2 * DAY + MILLISECOND, Duration::MAX] {
        for refused in [session.set_idle_timeout(asked), session.remember_for(asked)] {
            assert!(
                matches!(refused, Err(SessionError::Lifetime { limit, .. }) if limit == 2 * DAY)
            );
        }
    }
    assert!(!session.is_dirty(), "a refused lifetime changes nothing");
    session.remember_for(2 * DAY).unwrap();
}

/// The cookie without its ticket, for messages.
fn attributes(cookie: &SetCookie) -> &str {
    cookie.value().split_once(';').map_or("", |(_, attributes)| attributes)
}
