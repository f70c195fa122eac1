//! What comes late: after the answer, after a sign-in, in the same commit as one.

use std::time::Duration;

use cloakroom::{Answer, FlashLevel, LoadOutcome, MemorySessionStorage, SessionError};
use cloakroom_testkit::ManualClock;

use crate::house::House;
use crate::storages::Moody;

#[tokio::test]
async fn a_write_after_the_answer_is_an_error_also_where_nobody_had_asked_before() {
    let house = House::new();
    let cookie = house.visitor().await;
    for finished in [true, false] {
        let scope = house.begin(&cookie);
        let handle = scope.handle().clone();
        if finished {
            assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
        } else {
            drop(scope);
        }
        let session = handle.load().await.unwrap();
        assert!(matches!(session.insert("late", 1), Err(SessionError::Finished)));
        assert_eq!(session.get::<String>("colour").unwrap().as_deref(), Some("green"));
    }
}

#[tokio::test]
async fn a_ticket_that_was_just_replaced_may_change_nothing_but_sign_in() {
    let house = House::new();
    let before = house.visitor().await;
    let _after = house.visit(&before, |session| session.set_owner("olga").unwrap()).await;
    let late = house.visit(&before, |session| {
        assert!(matches!(session.insert("a", 1), Err(SessionError::Superseded)));
        assert!(matches!(session.destroy(), Err(SessionError::Superseded)));
        assert!(matches!(session.flash(FlashLevel::Info, "a"), Err(SessionError::Superseded)));
        // A sign-in that fails does not open the way for anything else.
        assert!(matches!(session.set_owner(""), Err(SessionError::OwnerName { .. })));
        assert!(matches!(session.insert("a", 1), Err(SessionError::Superseded)));
    });
    assert!(late.await.is_none(), "any ticket would take the new one away");
    let again = house.visit(&before, |session| session.set_owner("olga").unwrap()).await.unwrap();
    assert_eq!(house.outcome(&again).await, LoadOutcome::Found);
}

#[tokio::test]
async fn a_ticket_whose_replacement_never_arrived_may_begin_anew_after_thirty_seconds() {
    let house = House::new();
    let before = house.visitor().await;
    let _lost = house.visit(&before, |session| session.set_owner("olga").unwrap()).await;
    house.clock.advance(Duration::from_secs(31));
    let anew = house.visit(&before, |session| session.insert("a", 1).unwrap()).await.unwrap();
    assert!(house.look(&anew, |session| session.owner()).await.is_none());
}

#[tokio::test]
async fn a_ticket_that_a_sign_in_replaces_in_the_same_commit_is_not_handed_out() {
    let moody = Moody::new(MemorySessionStorage::new());
    let house = House::on(moody.clone(), ManualClock::new(), |_| {});
    let cookie = house.visitor().await;
    let scopes = [house.begin(&cookie), house.begin(&cookie), house.begin(&cookie)];
    let [leads, remembers, signs_in] = scopes;
    leads.handle().load().await.unwrap().insert("a", 1).unwrap();
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    remembers.handle().load().await.unwrap().remember_for(week).unwrap();
    signs_in.handle().load().await.unwrap().set_owner("olga").unwrap();

    moody.close_gate();
    let leads = tokio::spawn(leads.finish(Answer::Ordinary));
    moody.arrivals(2).await;
    let remembers = tokio::spawn(remembers.finish(Answer::Ordinary));
    tokio::task::yield_now().await;
    let signs_in = tokio::spawn(signs_in.finish(Answer::Ordinary));
    tokio::task::yield_now().await;
    moody.open_gate();
    assert!(leads.await.unwrap().unwrap().into_cookie().is_none());
    assert!(
        remembers.await.unwrap().unwrap().into_cookie().is_none(),
        "its ticket opens nothing any more"
    );
    let valid = signs_in.await.unwrap().unwrap().into_cookie().unwrap();
    assert!(valid.value().contains("Max-Age="), "both were committed");
    assert_eq!(house.outcome(&valid).await, LoadOutcome::Found);
}

#[tokio::test]
async fn an_update_may_look_at_its_own_session() {
    let house = House::new();
    let cookie = house.visitor().await;
    let grow = |session: &cloakroom::Session| {
        let same = session.clone();
        let size = session.update("size", move |_: Option<usize>| same.field_names().len());
        assert_eq!(size.unwrap(), 1);
    };
    house.visit(&cookie, grow).await;
}

#[tokio::test]
async fn an_idle_timeout_that_stands_already_is_no_change() {
    let house = House::new();
    let cookie = house.visitor().await;
    let hour = Duration::from_secs(60 * 60);
    house.visit(&cookie, |session| session.set_idle_timeout(hour).unwrap()).await;
    house.journal.clear();
    house.visit(&cookie, |session| session.set_idle_timeout(hour).unwrap()).await;
    assert_eq!(house.journal.asked(), ["load"]);
}

#[tokio::test]
async fn messages_that_no_page_takes_never_fill_the_session() {
    let house = House::new();
    let cookie = house.visitor().await;
    let leave_many = |session: &cloakroom::Session| {
        for number in 0..500 {
            session.flash(FlashLevel::Info, "x".repeat(1000) + &number.to_string()).unwrap();
        }
    };
    house.visit(&cookie, leave_many).await;
    let left = house.look(&cookie, |session| session.take_flashes().unwrap()).await;
    assert_eq!(left.len(), 32);
    assert!(left[31].text().ends_with("499"));
}
