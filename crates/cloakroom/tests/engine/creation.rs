//! When a session comes to be, and when the visitor hears of a ticket.

use cloakroom::{Answer, LoadOutcome, Rejection, SessionError, SessionStorage};
use cloakroom_testkit::{FakeRequest, cookie_pair, ticket_in};

use crate::house::{House, key};

#[tokio::test]
async fn a_visit_alone_creates_nothing() {
    let house = House::new();
    assert!(house.visit(None, |session| assert!(session.is_new())).await.is_none());
    let read = |session: &cloakroom::Session| {
        assert_eq!(session.get::<String>("colour").unwrap(), None);
        session.remove("colour").unwrap();
        session.clear().unwrap();
        session.rotate().unwrap();
        session.destroy().unwrap();
        assert!(session.take_flashes().unwrap().is_empty());
        assert!(!session.is_dirty());
    };
    assert!(house.visit(None, read).await.is_none());
    assert_eq!(house.engine.storage().stats().await.unwrap().total_sessions, 0);
    assert_eq!(house.journal.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_put_in_and_taken_out_again_creates_nothing() {
    let house = House::new();
    let handler = |session: &cloakroom::Session| {
        session.insert("colour", "green").unwrap();
        session.remove("colour").unwrap();
    };
    assert!(house.visit(None, handler).await.is_none());
    let lifetime_only = |session: &cloakroom::Session| {
        session.set_idle_timeout(std::time::Duration::from_secs(60)).unwrap();
    };
    assert!(house.visit(None, lifetime_only).await.is_none());
    assert_eq!(house.engine.storage().stats().await.unwrap().total_sessions, 0);
}

#[tokio::test]
async fn the_first_value_creates_the_session_and_hands_out_its_ticket() {
    let house = House::new();
    let scope = house.begin(None);
    let session = scope.handle().load().await.unwrap();
    assert_eq!((session.public_id(), session.generation()), (None, 0));
    assert_eq!((session.expires_at(), session.ends_at()), (None, None));
    session.insert("colour", "green").unwrap();
    assert!(session.is_new() && session.is_dirty());
    let named = session.public_id().unwrap();

    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    assert_eq!(
        cookie.value(),
        format!("{}; Path=/; Secure; HttpOnly; SameSite=Lax", cookie_pair(&cookie))
    );
    assert!(cookie.value().starts_with("__Host-id="));
    assert_eq!(key(&cookie).public_id(), named);
    house
        .look(&cookie, |session| {
            assert!(!session.is_new() && !session.is_dirty());
            assert_eq!((session.public_id(), session.generation()), (Some(named), 1));
            assert_eq!(session.get::<String>("colour").unwrap().as_deref(), Some("green"));
        })
        .await;
}

#[tokio::test]
async fn set_cookie_appears_only_when_the_ticket_changes() {
    let house = House::new();
    let cookie = house.visitor().await;
    assert!(house.visit(&cookie, |_| {}).await.is_none());
    let write = |session: &cloakroom::Session| session.insert("size", 7).unwrap();
    assert!(house.visit(&cookie, write).await.is_none());
    let rotated = house.visit(&cookie, |session| session.rotate().unwrap()).await.unwrap();
    assert_ne!(ticket_in(&rotated), ticket_in(&cookie));
    assert_eq!(key(&rotated), key(&cookie), "the record stays where it is");
    assert_eq!(house.look(&rotated, |session| session.get::<u8>("size").unwrap()).await, Some(7));
}

#[tokio::test]
async fn an_equal_value_is_not_a_change() {
    let house = House::new();
    let cookie = house.visitor().await;
    house.journal.clear();
    let same = |session: &cloakroom::Session| {
        session.insert("colour", "green").unwrap();
        session.update("colour", |old: Option<String>| old.unwrap()).unwrap();
        session.remove("no such field").unwrap();
        assert!(!session.is_dirty());
        session.insert("colour", "red").unwrap();
        assert!(session.is_dirty());
        session.insert("colour", "green").unwrap();
        assert!(!session.is_dirty());
    };
    assert!(house.visit(&cookie, same).await.is_none());
    assert_eq!(house.journal.asked(), ["load"]);
    assert_eq!(house.record(&cookie).await.unwrap().generation().number(), 1);
}

#[tokio::test]
async fn a_ticket_that_opens_nothing_is_taken_away() {
    let house = House::new();
    let cookie = house.visitor().await;
    let _ = house.engine.storage().destroy(&key(&cookie)).await.unwrap();
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Rejected(Rejection::Unknown));
    let taken = house.visit(&cookie, |session| assert!(session.is_new())).await.unwrap();
    assert_eq!(
        taken.value(),
        "__Host-id=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
        "a browser removes a cookie only under the attributes that it was set with"
    );
}

#[tokio::test]
async fn a_ticket_that_the_visitor_brought_is_never_adopted() {
    let house = House::new();
    let cookie = house.visitor().await;
    let _ = house.engine.storage().destroy(&key(&cookie)).await.unwrap();
    let write = |session: &cloakroom::Session| session.insert("colour", "red").unwrap();
    let fresh = house.visit(&cookie, write).await.unwrap();
    assert_ne!(key(&fresh), key(&cookie));
    assert!(house.record(&cookie).await.is_none());
}

#[tokio::test]
async fn malformed_and_unknown_cookies_beside_ours_do_not_lose_the_session() {
    let house = House::new();
    let cookie = house.visitor().await;
    let lost = house.visitor().await;
    let _ = house.engine.storage().destroy(&key(&lost)).await.unwrap();
    let header = [
        b"a=\xff\xfe; =; ;;; __Host-id=garbage; ".as_slice(),
        cookie_pair(&lost).as_bytes(),
        b"; b=\"x; ",
        cookie_pair(&cookie).as_bytes(),
    ];
    let scope = house.engine.begin(&FakeRequest::new().cookies(vec![header.concat()]));
    assert_eq!(scope.handle().outcome().await.unwrap(), LoadOutcome::Found);
    assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
    assert_eq!(house.journal.count("MalformedTicket"), 1);
}

#[tokio::test]
async fn too_many_cookies_of_our_name_cost_four_loads_and_an_event() {
    let house = House::new();
    let header = format!("{}{}", "__Host-id=", "A".repeat(64));
    let scope = house.engine.begin(&FakeRequest::new().cookie(&[header.as_str(); 100].join("; ")));
    assert_eq!(scope.handle().outcome().await.unwrap(), LoadOutcome::Rejected(Rejection::Unknown));
    assert_eq!(house.journal.asked().len(), 4);
    assert_eq!(house.journal.count("TooManyCookies"), 1);
}

#[tokio::test]
async fn the_optional_session_is_there_only_where_one_is_stored() {
    let house = House::new();
    assert!(house.begin(None).handle().load_existing().await.unwrap().is_none());
    let cookie = house.visitor().await;
    assert!(house.begin(&cookie).handle().load_existing().await.unwrap().is_some());
}

#[tokio::test]
async fn names_that_no_record_can_hold_are_refused() {
    let house = House::new();
    let scope = house.begin(None);
    let session = scope.handle().load().await.unwrap();
    let long = "x".repeat(256);
    for name in ["", long.as_str()] {
        let refused = session.insert(name, 1).unwrap_err();
        assert!(matches!(refused, SessionError::FieldName { length } if length == name.len()));
    }
    session.insert(&"x".repeat(255), 1).unwrap();
    let long = "x".repeat(1025);
    for owner in ["", long.as_str()] {
        let refused = session.set_owner(owner).unwrap_err();
        assert!(matches!(refused, SessionError::OwnerName { length } if length == owner.len()));
    }
    session.set_owner(&"x".repeat(1024)).unwrap();
}

#[tokio::test]
async fn debug_output_shows_neither_ticket_nor_value_nor_owner() {
    let house = House::new();
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    session.set_owner("olga").unwrap();
    let shown = format!("{cookie:?} {session:?} {scope:?} {:?}", house.engine);
    for secret in [ticket_in(&cookie), "green", "olga"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
