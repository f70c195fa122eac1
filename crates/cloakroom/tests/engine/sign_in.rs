//! Signing in: a new ticket every time, and the old one is worth nothing.

use std::time::Duration;

use cloakroom::{Answer, LoadOutcome, Rejection, SessionError};
use cloakroom_testkit::ticket_in;

use crate::house::{House, key};

#[tokio::test]
async fn signing_in_always_rotates_and_the_old_ticket_is_superseded() {
    let house = House::new();
    let before = house.visitor().await;
    let after = house.visit(&before, |session| session.set_owner("olga").unwrap()).await.unwrap();
    assert_ne!(ticket_in(&after), ticket_in(&before));
    assert_eq!(house.outcome(&before).await, LoadOutcome::Rejected(Rejection::Superseded));
    assert_eq!(house.look(&after, |session| session.owner()).await.as_deref(), Some("olga"));
    let colour = house.look(&after, |session| session.get::<String>("colour").unwrap()).await;
    assert_eq!(colour.as_deref(), Some("green"), "what an anonymous visitor put in stays");
    assert_eq!((house.journal.count("SignedIn"), house.journal.count("Rotated")), (1, 1));
}

#[tokio::test]
async fn the_answer_to_a_superseded_ticket_does_not_clear_the_cookie() {
    let house = House::new();
    let before = house.visitor().await;
    let after = house.visit(&before, |session| session.rotate().unwrap()).await.unwrap();
    assert!(house.visit(&before, |session| assert!(session.is_new())).await.is_none());
    assert!(house.journal.mentions("reason: Superseded"));
    assert_eq!(house.outcome(&after).await, LoadOutcome::Found);
}

#[tokio::test]
async fn signing_in_again_as_the_same_owner_rotates_too_and_keeps_the_fields() {
    let house = House::new();
    let sign_in = |session: &cloakroom::Session| session.set_owner("olga").unwrap();
    let first = house.visit(None, sign_in).await.unwrap();
    house.visit(&first, |session| session.insert("colour", "blue").unwrap()).await;
    let second = house.visit(&first, sign_in).await.unwrap();
    assert_ne!(ticket_in(&first), ticket_in(&second));
    let colour = house.look(&second, |session| session.get::<String>("colour").unwrap()).await;
    assert_eq!(colour.as_deref(), Some("blue"));
}

#[tokio::test]
async fn signing_in_as_somebody_else_drops_what_the_other_left() {
    let house = House::new();
    let hers = |session: &cloakroom::Session| {
        session.set_owner("olga").unwrap();
        session.insert("diary", "secret").unwrap();
    };
    let first = house.visit(None, hers).await.unwrap();
    let his = |session: &cloakroom::Session| {
        session.set_owner("otto").unwrap();
        session.insert("colour", "red").unwrap();
    };
    let second = house.visit(&first, his).await.unwrap();
    house
        .look(&second, |session| {
            assert_eq!(session.owner().as_deref(), Some("otto"));
            assert_eq!(session.field_names(), ["colour"]);
        })
        .await;
}

#[tokio::test]
async fn a_request_in_flight_with_the_old_ticket_cannot_change_the_signed_in_session() {
    let house = House::new();
    let before = house.visitor().await;
    let in_flight = house.begin(&before);
    let session = in_flight.handle().load().await.unwrap();
    session.insert("colour", "black").unwrap();
    let after = house.visit(&before, |session| session.set_owner("olga").unwrap()).await.unwrap();

    let refused = in_flight.finish(Answer::Ordinary).await.unwrap_err();
    assert!(matches!(refused, SessionError::Superseded) && refused.is_conflict());
    let colour = house.look(&after, |session| session.get::<String>("colour").unwrap()).await;
    assert_eq!(colour.as_deref(), Some("green"));
    assert!(house.journal.mentions("NotCommitted"));
}

#[tokio::test]
async fn two_sign_ins_at_once_leave_one_winner() {
    let house = House::new();
    let before = house.visitor().await;
    let (first, second) = (house.begin(&before), house.begin(&before));
    first.handle().load().await.unwrap().set_owner("olga").unwrap();
    second.handle().load().await.unwrap().set_owner("otto").unwrap();
    let winner = first.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    let refused = second.finish(Answer::Ordinary).await.unwrap_err();
    assert!(matches!(refused, SessionError::Superseded));
    assert_eq!(house.look(&winner, |session| session.owner()).await.as_deref(), Some("olga"));
}

#[tokio::test]
async fn the_absolute_timeout_starts_again_at_a_sign_in_and_at_nothing_else() {
    let house = House::new();
    let cookie = house.visitor().await;
    let begun = house.look(&cookie, |session| session.ends_at()).await.unwrap();
    house.clock.advance(Duration::from_secs(600));
    let write_and_rotate = |session: &cloakroom::Session| {
        session.insert("size", 7).unwrap();
        session.rotate().unwrap();
    };
    let cookie = house.visit(&cookie, write_and_rotate).await.unwrap();
    assert_eq!(house.look(&cookie, |session| session.ends_at()).await, Some(begun));
    let cookie = house.visit(&cookie, |session| session.set_owner("olga").unwrap()).await.unwrap();
    let after = house.look(&cookie, |session| session.ends_at()).await;
    assert_eq!(after, Some(begun + Duration::from_secs(600)));
}

#[tokio::test]
async fn clearing_keeps_the_ticket_and_the_owner() {
    let house = House::new();
    let hers = |session: &cloakroom::Session| {
        session.set_owner("olga").unwrap();
        session.insert("colour", "green").unwrap();
    };
    let cookie = house.visit(None, hers).await.unwrap();
    assert!(house.visit(&cookie, |session| session.clear().unwrap()).await.is_none());
    house
        .look(&cookie, |session| {
            assert_eq!(session.owner().as_deref(), Some("olga"));
            assert_eq!(session.public_id(), Some(key(&cookie).public_id()));
            assert!(session.field_names().is_empty());
        })
        .await;
}

#[tokio::test]
async fn what_the_other_owner_puts_in_during_the_sign_in_is_dropped_too() {
    let house = House::new();
    let olga = house.visit(None, |session| session.set_owner("olga").unwrap()).await.unwrap();
    let sign_in = house.begin(&olga);
    sign_in.handle().load().await.unwrap().set_owner("otto").unwrap();
    house.visit(&olga, |session| session.insert("diary", "secret").unwrap()).await;
    let otto = sign_in.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    house
        .look(&otto, |session| {
            assert_eq!(session.owner().as_deref(), Some("otto"));
            assert!(session.field_names().is_empty());
        })
        .await;
}
