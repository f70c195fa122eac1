//! What is told of sessions that are ended from outside of them: each of them once, and in one event
//! where they are many.

use std::task::{Context, Waker};
use std::time::Duration;

use cloakroom::{
    Clock, Destroyed, Found, MemorySessionStorage, Page, Position, Session, SessionKey,
    SessionStorage, StorageError,
};
use cloakroom_testkit::{ManualClock, Mood};

use crate::ailing;
use crate::house::{House, key};

fn sign_in(session: &Session) {
    session.set_owner("olga").unwrap();
}

#[tokio::test]
async fn a_revocation_that_is_pending_is_told_once_however_often_it_is_asked_for() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visit(None, sign_in).await.unwrap();
    let id = key(&cookie).public_id();
    ailing.writes(Mood::Down);
    assert_eq!(house.engine.revoke(id).await.unwrap(), Destroyed::Pending);
    assert_eq!(house.engine.revoke(id).await.unwrap(), Destroyed::Pending);
    assert_eq!(house.engine.revoke_owner("olga").await.unwrap().pending, 1);
    assert_eq!(house.journal.count("RevocationPending"), 1);
    assert!(house.journal.mentions("by: Request"));
    for another in ["DestroyPending", "Revoked {"] {
        assert_eq!(house.journal.count(another), 0, "{another}");
    }
}

#[tokio::test]
async fn an_owners_sessions_whose_end_is_pending_are_told_one_by_one() {
    let (house, ailing) = ailing::house(|_| {});
    for _ in 0..3 {
        let _ = house.visit(None, sign_in).await.unwrap();
    }
    ailing.writes(Mood::Down);
    assert_eq!(house.engine.revoke_owner("olga").await.unwrap().pending, 3);
    assert_eq!(house.journal.count("RevocationPending"), 3);
}

#[tokio::test]
async fn a_step_that_ends_all_from_before_a_moment_is_told_once_with_its_count() {
    const SESSIONS: usize = 300;
    let house = House::new();
    for _ in 0..SESSIONS {
        let _ = house.visitor().await;
    }
    let now = house.clock.now();
    for (moment, ended) in [(now, 0), (now + Duration::from_secs(1), SESSIONS)] {
        let (mut steps, mut position) = (Vec::new(), Some(Position::start()));
        while let Some(at) = position {
            let step = house.engine.revoke_created_before(moment, &at).await.unwrap();
            steps.extend(Some(step.ended).filter(|ended| *ended > 0));
            position = step.next;
        }
        assert_eq!(steps.iter().sum::<usize>(), ended);
        assert_eq!(house.journal.count("RevokedBefore"), steps.len(), "nothing is no news");
        assert!(steps.iter().all(|ended| house.journal.mentions(&format!("ended: {ended} "))));
        assert!(ended == 0 || steps.len() < ended, "several in one step");
    }
    assert_eq!(house.journal.count("Revoked {"), 0);
}

/// A storage whose records nobody can read.
struct Foreign(MemorySessionStorage);

impl SessionStorage for Foreign {
    cloakroom_testkit::pass_on! {
        [0] load commit touch destroy owner_index change_owner_index walk stats backend_name
    }

    async fn facts(&self, sessions: &[SessionKey]) -> Result<Vec<Found>, StorageError> {
        Ok(vec![Found::Unreadable; sessions.len()])
    }
}

#[tokio::test]
async fn a_walk_tells_what_it_could_not_read_and_left_alone() {
    let clock = ManualClock::new();
    let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let house = House::on(Foreign(memory), clock, |_| {});
    let cookie = house.visitor().await;
    let later = house.clock.now() + Duration::from_secs(1);
    let (mut told, mut position) = ((0, 0, 0), Some(Position::start()));
    while let Some(at) = position {
        let step = house.engine.revoke_created_before(later, &at).await.unwrap();
        told = (told.0 + step.ended, told.1 + step.unreadable, told.2 + step.seen);
        position = step.next;
    }
    assert_eq!(told, (0, 1, 1));
    assert!(house.engine.storage().load(&key(&cookie)).await.unwrap().is_some());
}

/// Does not answer a step of a walk at once.
struct FarAway(MemorySessionStorage);

impl SessionStorage for FarAway {
    cloakroom_testkit::pass_on! {
        [0] load commit touch destroy owner_index change_owner_index facts destroy_created_before
        stats backend_name
    }

    async fn walk(&self, position: &Position) -> Result<Page, StorageError> {
        tokio::task::yield_now().await;
        self.0.walk(position).await
    }
}

#[tokio::test]
async fn a_step_that_ends_all_from_before_a_moment_is_taken_although_its_caller_goes_away() {
    let clock = ManualClock::new();
    let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let house = House::on(FarAway(memory), clock, |_| {});
    let cookie = house.visitor().await;
    let later = house.clock.now() + Duration::from_secs(1);
    // The step on which the session lies.
    let mut at = Position::start();
    loop {
        let page = house.engine.storage().walk(&at).await.unwrap();
        if page.sessions.contains(&key(&cookie)) {
            break;
        }
        at = page.next.unwrap();
    }
    let mut step = Box::pin(house.engine.revoke_created_before(later, &at));
    assert!(step.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(step);
    house.drain().await;
    assert!(house.record(&cookie).await.is_none());
    assert_eq!(house.journal.count("RevokedBefore"), 1);
}
