//! An owner's index at its edges: what fails half-way, and who mends it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cloakroom::{
    Answer, AtLimit, Destroyed, EntryState, Found, INDEX_CAPACITY, IndexChange, IndexEntry,
    MemorySessionStorage, OwnerKey, Policy, Session, SessionError, SessionStorage, SetCookie,
    StorageErrorKind,
};
use cloakroom_testkit::{AilingStorage, FakeRequest, ManualClock, Mood};

use crate::house::{House, key};
use crate::near::Pair;
use crate::storages::{KeepsWhatIsOver, LosesAnEntry, ShowsOtherwise, SickIndexes, SlowToShow};

const LONG: Duration = Duration::from_secs(3600);

fn sign_in(session: &Session) {
    session.set_owner("olga").unwrap();
}

async fn index(house: &House) -> Vec<IndexEntry> {
    house.engine.storage().owner_index(&OwnerKey::of("olga")).await.unwrap().entries
}

async fn change(house: &House, change: IndexChange) {
    let owner = OwnerKey::of("olga");
    let _ = house.engine.storage().change_owner_index(&owner, &change).await.unwrap();
}

async fn signed_in(house: &House) -> SetCookie {
    house.visit(None, sign_in).await.unwrap()
}

#[tokio::test]
async fn a_sign_in_asks_the_index_before_and_after_its_commit_and_a_write_never() {
    let house = House::new();
    let visitor = house.visitor().await;
    house.journal.clear();
    let cookie = house.visit(&visitor, sign_in).await.unwrap();
    assert_eq!(house.journal.asked(), ["load", "index", "commit", "index"]);
    house.journal.clear();
    house.visit(&cookie, |session| session.insert("colour", "red").unwrap()).await;
    assert_eq!(house.journal.asked(), ["load", "commit"]);
    house.journal.clear();
    house.visit(&cookie, |session| session.destroy().unwrap()).await;
    house.settle().await;
    assert_eq!(house.journal.asked(), ["load", "destroy", "index"]);
    assert_eq!(index(&house).await, []);
    // Nobody was signed in, so no index has to hear of it.
    let visitor = house.visitor().await;
    house.journal.clear();
    house.visit(&visitor, |session| session.destroy().unwrap()).await;
    house.settle().await;
    assert_eq!(house.journal.asked(), ["load", "destroy"]);
}

#[tokio::test]
async fn nobody_is_signed_in_without_an_entry_in_the_index() {
    let storage = AilingStorage::default();
    let house = House::on(storage.clone(), ManualClock::new(), |_| {});
    storage.writes(Mood::Down);
    let scope = house.engine.begin(&FakeRequest::new());
    sign_in(&scope.handle().load().await.unwrap());
    let refused = scope.finish(Answer::Ordinary).await;
    assert!(matches!(refused, Err(SessionError::Storage(_))), "{refused:?}");
    assert_eq!(house.journal.asked(), ["index in vain"]);
}

#[tokio::test]
async fn an_entry_whose_answer_was_lost_keeps_nobody_out() {
    let storage = LosesAnEntry { memory: MemorySessionStorage::new(), next: Arc::default() };
    let house = House::on(storage.clone(), ManualClock::new(), |policy| {
        policy.concurrent_sessions.limit = 1;
        policy.concurrent_sessions.at_limit = AtLimit::Refuse;
    });
    storage.next.store(true, Ordering::SeqCst);
    let scope = house.begin(None);
    sign_in(&scope.handle().load().await.unwrap());
    let lost = scope.finish(Answer::Ordinary).await;
    assert!(matches!(lost, Err(SessionError::Storage(_))), "{lost:?}");
    house.settle().await;
    assert_eq!(index(&house).await, []);
    assert!(house.visit(None, sign_in).await.is_some());
}

#[tokio::test]
async fn a_creation_that_is_refused_leaves_no_entry() {
    let house = House::new();
    let scope = house.begin(None);
    let session = scope.handle().load().await.unwrap();
    sign_in(&session);
    session.insert("large", "x".repeat(100_000)).unwrap();
    let refused = scope.finish(Answer::Ordinary).await;
    assert!(matches!(refused, Err(SessionError::TooLarge { .. })), "{refused:?}");
    house.settle().await;
    assert_eq!(index(&house).await, []);
}

#[tokio::test]
async fn a_refused_sign_in_is_told_and_leaves_the_session_as_it_was() {
    let house = House::with_policy(|policy| {
        policy.concurrent_sessions.limit = 1;
        policy.concurrent_sessions.at_limit = AtLimit::Refuse;
    });
    let first = signed_in(&house).await;
    let visitor = house.visitor().await;
    let scope = house.begin(&visitor);
    sign_in(&scope.handle().load().await.unwrap());
    let refused = scope.finish(Answer::Ordinary).await;
    assert!(matches!(refused, Err(SessionError::TooManySessions { limit: 1 })), "{refused:?}");
    assert_eq!(house.journal.count("SignInRefused"), 1);
    assert_eq!(house.look(&visitor, Session::owner).await, None);
    assert_eq!(
        house.look(&visitor, |it| it.get::<String>("colour").unwrap()).await.unwrap(),
        "green"
    );
    // The one who is in may sign in again, and makes room by leaving.
    let first = house.visit(&first, sign_in).await.unwrap();
    house.visit(&first, |session| session.destroy().unwrap()).await;
    house.settle().await;
    assert!(house.visit(&visitor, sign_in).await.is_some());
}

#[tokio::test]
async fn a_session_that_idles_out_makes_room_without_a_word() {
    let house = House::with_policy(|policy| {
        policy.concurrent_sessions.limit = 1;
        policy.concurrent_sessions.at_limit = AtLimit::Refuse;
    });
    let _first = signed_in(&house).await;
    house.clock.advance(Duration::from_secs(31 * 60));
    let second = signed_in(&house).await;
    assert_eq!(index(&house).await.len(), 1);
    assert_eq!(house.look(&second, Session::owner).await.as_deref(), Some("olga"));
}

#[tokio::test]
async fn a_reader_settles_a_sign_in_whose_node_has_died_after_its_commit() {
    let house = House::new();
    let cookie = signed_in(&house).await;
    let session = key(&cookie);
    // As it was before the last step.
    let enter = IndexChange::Enter { session, lifetime: LONG, pending: LONG, refuse_at: None };
    change(&house, IndexChange::Leave(vec![session])).await;
    change(&house, enter).await;
    assert_eq!(house.engine.sessions_of("olga").await.unwrap().len(), 1);
    house.settle().await;
    assert!(matches!(index(&house).await[0].state, EntryState::Pending(_)));
    // In use all the time, so that it lives for longer than that.
    for _ in 0..5 {
        house.clock.advance(Duration::from_secs(16 * 60));
        house.look(&cookie, |_| ()).await;
        house.visit(&cookie, |_| ()).await;
        house.settle().await;
    }
    let found = house.engine.sessions_of("olga").await.unwrap();
    house.settle().await;
    let entry = index(&house).await[0];
    assert!(matches!(entry.state, EntryState::SignedIn(_)), "{entry:?}");
    assert!(entry.deadline >= found[0].absolute_deadline());
}

#[tokio::test]
async fn a_reader_ends_what_a_dead_node_has_condemned() {
    let house = House::new();
    let (first, second) = (signed_in(&house).await, signed_in(&house).await);
    let (candidates, session) = (vec![key(&first)], key(&second));
    change(&house, IndexChange::Condemn { session, most: 1, over: Vec::new(), candidates }).await;
    let found = house.engine.sessions_of("olga").await.unwrap();
    assert_eq!(found.iter().map(|it| it.id().key()).collect::<Vec<_>>(), [session]);
    house.settle().await;
    assert!(house.record(&first).await.is_none());
    assert_eq!(index(&house).await.len(), 1);
    assert_eq!(house.journal.count("Revoked"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_waits_for_a_sign_in_under_way_as_long_as_its_entry_says() {
    let house = House::new();
    let pending = Duration::from_secs(2);
    let enter = |session| IndexChange::Enter { session, lifetime: LONG, pending, refuse_at: None };
    // One of which nothing ever comes.
    change(&house, enter(cloakroom::SessionKey::from_name("nobody"))).await;
    let engine = house.engine.clone();
    let revocation = tokio::spawn(async move { engine.revoke_owner("olga").await });
    tokio::time::sleep(pending / 2).await;
    assert!(!revocation.is_finished());
    house.clock.advance(pending + Duration::from_millis(1));
    let revoked = revocation.await.unwrap().unwrap();
    assert_eq!((revoked.ended, revoked.pending), (0, 0));
    // One that goes on for longer than any sign-in that this node can imagine.
    change(&house, enter(cloakroom::SessionKey::from_name("nobody"))).await;
    let start = tokio::time::Instant::now();
    let error = house.engine.revoke_owner("olga").await.unwrap_err();
    assert!(matches!(error.kind(), StorageErrorKind::Timeout { .. }), "{error}");
    let most = house.engine.policy().commit_timeout + Duration::from_secs(11);
    assert!(start.elapsed() < most, "{:?}", start.elapsed());
    house.clock.advance(pending + Duration::from_millis(1));
    // One that is committed while the revocation waits.
    let cookie = signed_in(&house).await;
    let session = key(&cookie);
    let record = house.record(&cookie).await.unwrap();
    change(&house, IndexChange::Leave(vec![session])).await;
    let _ = house.engine.storage().destroy(&session).await.unwrap();
    change(&house, enter(session)).await;
    let engine = house.engine.clone();
    let revocation = tokio::spawn(async move { engine.revoke_owner("olga").await });
    tokio::time::sleep(Duration::from_millis(30)).await;
    let commit = cloakroom::CommitBuilder::new(cloakroom::Expect::Absent)
        .owner(record.owner().unwrap())
        .absolute(cloakroom::Absolute::Start(LONG))
        .build()
        .unwrap();
    let _ = house.engine.storage().commit(&session, &commit).await.unwrap();
    assert_eq!(revocation.await.unwrap().unwrap().ended, 1);
    assert!(house.engine.storage().load(&session).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_revocation_does_not_wait_for_a_sign_in_that_was_taken_back() {
    let house = House::new();
    let session = cloakroom::SessionKey::from_name("nobody");
    let enter = IndexChange::Enter { session, lifetime: LONG, pending: LONG, refuse_at: None };
    change(&house, enter).await;
    let engine = house.engine.clone();
    let start = tokio::time::Instant::now();
    let revocation = tokio::spawn(async move { engine.revoke_owner("olga").await });
    tokio::time::sleep(Duration::from_millis(15)).await;
    assert!(!revocation.is_finished());
    change(&house, IndexChange::Leave(vec![session])).await;
    let _ = revocation.await.unwrap().unwrap();
    assert!(start.elapsed() <= Duration::from_millis(30), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_in_a_session_whose_end_is_under_way_leaves_no_entry_to_wait_for() {
    let storage = SlowToShow { memory: MemorySessionStorage::new(), looks: Arc::default() };
    let house = House::on(storage.clone(), ManualClock::new(), |_| {});
    let cookie = signed_in(&house).await;
    let scope = house.begin(&cookie);
    sign_in(&scope.handle().load().await.unwrap());
    let _ = storage.memory.destroy(&key(&cookie)).await.unwrap();
    storage.looks.store(3, Ordering::SeqCst);
    assert!(matches!(scope.finish(Answer::Ordinary).await, Err(SessionError::Gone)));
    // A drain would leave no time to look that often.
    tokio::time::sleep(LONG).await;
    assert_eq!(storage.looks.load(Ordering::SeqCst), 0);
    assert_eq!(index(&house).await, []);
}

#[tokio::test]
async fn a_revocation_that_cannot_end_everything_says_so_and_can_be_repeated() {
    let storage = AilingStorage::default();
    let house = House::on(storage.clone(), ManualClock::new(), |_| {});
    let cookie = signed_in(&house).await;
    storage.writes(Mood::Down);
    storage.journal(cloakroom_testkit::Room::Full);
    assert!(house.engine.revoke_owner("olga").await.is_err());
    house.settle().await;
    assert_eq!(index(&house).await.len(), 1);
    storage.journal(cloakroom_testkit::Room::Free);
    let revoked = house.engine.revoke_owner("olga").await.unwrap();
    assert_eq!((revoked.ended, revoked.pending), (0, 1));
    // What is pending is not taken for done, by whoever asks again or looks.
    let again = house.engine.revoke_owner("olga").await.unwrap();
    assert_eq!((again.ended, again.pending), (0, 1));
    assert_eq!(house.engine.sessions_of("olga").await.unwrap(), []);
    house.settle().await;
    assert_eq!(index(&house).await.len(), 1);
    storage.recover().await;
    assert!(house.record(&cookie).await.is_none());
    assert_eq!(house.engine.sessions_of("olga").await.unwrap(), []);
}

#[tokio::test]
async fn a_reader_does_not_end_somebody_else_who_signed_in_to_a_condemned_session() {
    let house = House::new();
    let (first, second) = (signed_in(&house).await, signed_in(&house).await);
    let (candidates, session) = (vec![key(&first)], key(&second));
    change(&house, IndexChange::Condemn { session, most: 1, over: Vec::new(), candidates }).await;
    // Whoever has condemned it dies here.
    let otto = |session: &Session| session.set_owner("otto").unwrap();
    let otto = house.visit(&first, otto).await.unwrap();
    assert_eq!(house.engine.sessions_of("olga").await.unwrap().len(), 1);
    house.settle().await;
    assert_eq!(house.look(&otto, Session::owner).await.as_deref(), Some("otto"));
    assert_eq!(index(&house).await.len(), 1);
}

#[tokio::test]
async fn the_first_to_sign_in_goes_first_whatever_it_asked_for_since() {
    let house = House::with_policy(|policy| policy.concurrent_sessions.limit = 2);
    let first = signed_in(&house).await;
    house.clock.advance(Duration::from_secs(60));
    let second = signed_in(&house).await;
    house.clock.advance(Duration::from_secs(60));
    house.visit(&first, |session| session.remember_for(LONG * 24).unwrap()).await;
    house.clock.advance(Duration::from_secs(60));
    signed_in(&house).await.value();
    assert!(house.record(&first).await.is_none());
    assert!(house.record(&second).await.is_some());
}

#[tokio::test]
async fn a_session_that_has_ended_elsewhere_ends_nobody() {
    let house = House::new();
    let (first, second) = (signed_in(&house).await, signed_in(&house).await);
    let session = house.begin(&first).handle().load().await.unwrap();
    let _ = house.engine.revoke(key(&first).public_id()).await.unwrap();
    assert!(matches!(session.end_other_devices().await, Err(SessionError::Gone)));
    assert!(matches!(session.devices().await, Err(SessionError::Gone)));
    let second_id = key(&second).public_id();
    assert!(matches!(session.end_device(second_id).await, Err(SessionError::Gone)));
    assert!(house.record(&second).await.is_some());
}

/// As over a connection that stays open: the handler keeps its session, with a ticket that a thief may
/// hold, while the visitor signs in again because of that.
#[tokio::test]
async fn a_session_whose_ticket_was_replaced_sees_and_ends_nobody() {
    let house = House::new();
    let (first, second) = (signed_in(&house).await, signed_in(&house).await);
    let (kept, own) = (house.begin(&first), house.begin(&first));
    let session = kept.handle().load().await.unwrap();
    let renewed = own.handle().load().await.unwrap();
    sign_in(&renewed);
    let _ = own.finish(Answer::Ordinary).await.unwrap();
    let second_id = key(&second).public_id();
    assert!(matches!(session.devices().await, Err(SessionError::Superseded)));
    assert!(matches!(session.end_device(second_id).await, Err(SessionError::Superseded)));
    assert!(matches!(session.end_other_devices().await, Err(SessionError::Superseded)));
    assert!(house.record(&second).await.is_some());
    // Whoever has got the new ticket goes on.
    assert_eq!(renewed.devices().await.unwrap().len(), 2);
    assert_eq!(renewed.end_other_devices().await.unwrap().ended, 1);
    let _ = house.engine.revoke(key(&first).public_id()).await.unwrap();
    assert!(matches!(renewed.end_other_devices().await, Err(SessionError::Gone)));
}

#[tokio::test]
async fn a_copy_whose_ticket_was_replaced_ends_nobody() {
    let pair = Pair::new();
    let visitor = pair.visitor(1).await;
    let first = pair.other.visit(&visitor, sign_in).await.unwrap();
    pair.copy(&first).await;
    let second = signed_in(&pair.other).await;
    let _ = pair.other.visit(&first, sign_in).await.unwrap();
    let (_scope, session) = pair.begin(&first).await;
    assert!(matches!(session.end_other_devices().await, Err(SessionError::Superseded)));
    assert!(pair.other.record(&second).await.is_some());
}

/// As a node sees it whose idea of the server's time is ahead.
fn over(found: Found) -> Found {
    match found {
        Found::Session(facts) => Found::Over(facts),
        found => found,
    }
}

#[tokio::test]
async fn a_device_that_is_over_by_this_nodes_time_alone_is_ended() {
    let storage = ShowsOtherwise::new(MemorySessionStorage::new());
    let house = House::on(storage.clone(), ManualClock::new(), |_| {});
    let (first, second) = (signed_in(&house).await, signed_in(&house).await);
    let otto = house.visit(None, |session| session.set_owner("otto").unwrap()).await.unwrap();
    storage.show(key(&second), over);
    storage.show(key(&otto), over);
    let session = house.begin(&first).handle().load().await.unwrap();
    let ended = session.end_device(key(&second).public_id()).await.unwrap();
    assert!(matches!(ended, Destroyed::Removed(_)), "{ended:?}");
    assert!(house.record(&second).await.is_none());
    let ended = session.end_device(key(&otto).public_id()).await.unwrap();
    assert!(matches!(ended, Destroyed::Absent(_)), "{ended:?}");
    assert!(house.record(&otto).await.is_some());
}

#[tokio::test]
async fn others_are_ended_only_where_the_session_that_stays_tells_whose_they_are() {
    let storage = ShowsOtherwise::new(MemorySessionStorage::new());
    let house = House::on(storage.clone(), ManualClock::new(), |_| {});
    let (first, second) = (signed_in(&house).await, signed_in(&house).await);
    let nobody = house.visitor().await;
    let keep = key(&first).public_id();
    for unknown in [|_| Found::Unreadable, |_| Found::Ending, |_| Found::Nothing] {
        storage.show(key(&first), unknown);
        assert_eq!(house.engine.revoke_others(keep).await.unwrap(), None);
    }
    assert_eq!(house.engine.revoke_others(key(&nobody).public_id()).await.unwrap(), None);
    assert!(house.record(&second).await.is_some());
    storage.show(key(&first), over);
    let revoked = house.engine.revoke_others(keep).await.unwrap().unwrap();
    assert_eq!((revoked.ended, revoked.pending, revoked.unreadable), (1, 0, 0));
    assert!(house.record(&first).await.is_some());
    assert_eq!(house.engine.revoke_others(keep).await.unwrap().unwrap().ended, 0);
}

#[tokio::test]
async fn visitors_who_leave_without_a_word_keep_nobody_out_of_the_embedded_storage() {
    const MOST: usize = 8;
    let clock = ManualClock::new();
    let memory = MemorySessionStorage::builder().clock(clock.clone()).max_sessions(MOST);
    let house = House::on(memory.build().unwrap(), clock, |_| {});
    let mut resident = signed_in(&house).await;
    let month = LONG * 24 * 30;
    for number in 0..MOST * 6 {
        // Whoever is in already needs no room.
        resident = house.visit(&resident, |it| it.remember_for(month).unwrap()).await.unwrap();
        let name = format!("visitor {number}");
        let cookie = house.visit(None, |session| session.set_owner(&name).unwrap()).await;
        assert!(cookie.is_some());
        assert_eq!(house.engine.sessions_of(&name).await.unwrap().len(), 1);
        house.clock.advance(Duration::from_secs(10 * 60));
    }
    let room = house.engine.health().room.unwrap();
    assert_eq!(room.max_index_entries, MOST * 2);
    assert!((1..=MOST * 2).contains(&room.index_entries), "{room:?}");
}

#[tokio::test]
async fn entries_of_sessions_that_live_give_way_to_nobody() {
    let clock = ManualClock::new();
    let memory = MemorySessionStorage::builder().clock(clock.clone()).max_sessions(2);
    let house = House::on(memory.build().unwrap(), clock, |_| {});
    let first = signed_in(&house).await;
    // Many names in one session: only the last one has it.
    let mut cookie = house.visit(None, sign_in).await.unwrap();
    for number in 0..20 {
        let name = format!("visitor {number}");
        cookie = house.visit(&cookie, |it| it.set_owner(&name).unwrap()).await.unwrap();
    }
    let found = house.engine.sessions_of("olga").await.unwrap();
    assert_eq!(found.iter().map(|it| it.id().key()).collect::<Vec<_>>(), [key(&first)]);
    assert_eq!(house.engine.sessions_of("visitor 19").await.unwrap().len(), 1);
    // Sign-ins under way give way to nobody either.
    for number in 0..2 {
        let session = cloakroom::SessionKey::from_name(&number.to_string());
        let enter = IndexChange::Enter { session, lifetime: LONG, pending: LONG, refuse_at: None };
        change(&house, enter).await;
    }
    let scope = house.begin(None);
    scope.handle().load().await.unwrap().set_owner("otto").unwrap();
    let Err(SessionError::Storage(full)) = scope.finish(Answer::Ordinary).await else {
        panic!("there is no room")
    };
    assert_eq!(*full.kind(), StorageErrorKind::Full);
    assert_eq!(index(&house).await.len(), 3);
}

/// As a failover or an eviction leaves it.
#[tokio::test]
async fn a_session_that_its_index_has_lost_is_found_again_by_whoever_looks_from_it() {
    let house = House::new();
    let (first, second) = (signed_in(&house).await, signed_in(&house).await);
    let lose = async |cookies: &[&SetCookie]| {
        let sessions = cookies.iter().map(|cookie| key(cookie)).collect();
        change(&house, IndexChange::Leave(sessions)).await;
    };
    let entered = async || {
        house.settle().await;
        index(&house).await.iter().map(|it| it.session).collect::<Vec<_>>()
    };
    lose(&[&first, &second]).await;
    let session = house.begin(&first).handle().load().await.unwrap();
    let devices = session.devices().await.unwrap();
    assert_eq!(devices.len(), 1);
    assert!(devices[0].is_current());
    assert_eq!(entered().await, [key(&first)]);
    assert!(matches!(index(&house).await[0].state, EntryState::SignedIn(_)));
    assert!(index(&house).await[0].deadline >= devices[0].absolute_deadline());
    // Each of the ways to look at devices does.
    lose(&[&first]).await;
    let nobody = cloakroom::SessionKey::from_name("nobody").public_id();
    let _ = session.end_device(nobody).await.unwrap();
    assert_eq!(entered().await, [key(&first)]);
    lose(&[&first]).await;
    assert_eq!(session.end_other_devices().await.unwrap().ended, 0);
    assert_eq!(entered().await, [key(&first)]);
    // The other one is found once somebody looks from there.
    let other = house.begin(&second).handle().load().await.unwrap();
    assert_eq!(other.devices().await.unwrap().len(), 2);
    assert_eq!(entered().await.len(), 2);
    assert_eq!(session.end_other_devices().await.unwrap().ended, 1);
    assert!(matches!(other.devices().await, Err(SessionError::Gone)));
    assert_eq!(entered().await, [key(&first)]);
}

/// A damaged record, or one of a release to come.
#[tokio::test]
async fn what_cannot_be_read_keeps_nobody_out() {
    let storage = ShowsOtherwise::new(MemorySessionStorage::new());
    let house = House::on(storage.clone(), ManualClock::new(), |policy| {
        policy.concurrent_sessions.limit = 3;
        policy.concurrent_sessions.at_limit = AtLimit::Refuse;
    });
    let cookies = [signed_in(&house).await, signed_in(&house).await, signed_in(&house).await];
    for cookie in &cookies[..2] {
        storage.show(key(cookie), |_| Found::Unreadable);
    }
    // One place is taken by somebody whose sign-in is under way.
    let session = cloakroom::SessionKey::from_name("under way");
    change(&house, IndexChange::Leave(vec![key(&cookies[1])])).await;
    let enter = IndexChange::Enter { session, lifetime: LONG, pending: LONG, refuse_at: None };
    change(&house, enter).await;
    let fourth = signed_in(&house).await;
    let living = house.engine.sessions_of("olga").await.unwrap();
    let living: std::collections::BTreeSet<_> = living.iter().map(|it| it.id().key()).collect();
    assert_eq!(living, [key(&cookies[2]), key(&fourth)].into());
    // What lies there is left as it is, and the limit holds for everybody else.
    house.settle().await;
    assert!(house.record(&cookies[0]).await.is_some());
    let scope = house.begin(None);
    sign_in(&scope.handle().load().await.unwrap());
    let refused = scope.finish(Answer::Ordinary).await;
    assert!(matches!(refused, Err(SessionError::TooManySessions { limit: 3 })), "{refused:?}");
}

/// After an outage of the index. Each entry takes a step of its own.
#[tokio::test(start_paused = true)]
async fn a_sign_in_does_not_wait_for_what_others_have_left_undone() {
    const OTHERS: u32 = 20;
    let (clock, pending) = (ManualClock::new(), Duration::from_secs(1));
    let house = sick(400, 0, usize::MAX, clock.clone(), |policy| {
        policy.concurrent_sessions.limit = OTHERS;
        policy.concurrent_sessions.at_limit = AtLimit::Refuse;
    });
    for _ in 0..OTHERS {
        let session = key(&signed_in(&house).await);
        change(&house, IndexChange::Leave(vec![session])).await;
        let enter = IndexChange::Enter { session, lifetime: LONG, pending, refuse_at: None };
        change(&house, enter).await;
    }
    clock.advance(2 * pending);
    let scope = house.begin(None);
    sign_in(&scope.handle().load().await.unwrap());
    let start = tokio::time::Instant::now();
    let refused = scope.finish(Answer::Ordinary).await;
    assert!(matches!(refused, Err(SessionError::TooManySessions { limit: OTHERS })), "{refused:?}");
    assert!(start.elapsed() <= Duration::from_millis(800), "{:?}", start.elapsed());
    house.drain().await;
    let is_settled = |entry: &IndexEntry| matches!(entry.state, EntryState::SignedIn(_));
    assert!(index(&house).await.iter().all(is_settled));
}

/// An index that takes nearly as long as it may for each step, and in which others change all the time.
#[tokio::test(start_paused = true)]
async fn a_sign_in_at_a_slow_index_ends_in_time() {
    let step = Duration::from_millis(900);
    let memory = MemorySessionStorage::new();
    let promises = Duration::from_secs(1);
    let storage = KeepsWhatIsOver { memory, step, promises };
    let house = House::on(storage, ManualClock::new(), |policy| {
        policy.concurrent_sessions.limit = 1;
        policy.concurrent_sessions.at_limit = AtLimit::Refuse;
    });
    let gone = signed_in(&house).await;
    let _ = house.engine.storage().destroy(&key(&gone)).await.unwrap();
    let scope = house.begin(None);
    sign_in(&scope.handle().load().await.unwrap());
    let start = tokio::time::Instant::now();
    let error = scope.finish(Answer::Ordinary).await.unwrap_err();
    let SessionError::Storage(error) = error else { panic!("{error}") };
    assert!(matches!(error.kind(), StorageErrorKind::Timeout { .. }), "{error}");
    assert!(start.elapsed() <= 4 * promises + step, "{:?}", start.elapsed());
}

fn sick(
    step_takes: u64,
    commit_takes: u64,
    steps_left: usize,
    clock: ManualClock,
    policy: impl FnOnce(&mut Policy),
) -> House {
    let millis = Duration::from_millis;
    let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let (step_takes, commit_takes) = (millis(step_takes), millis(commit_takes));
    let storage = SickIndexes { memory, step_takes, commit_takes, steps_left: steps_left.into() };
    House::on(storage, clock, policy)
}

fn hurried(policy: &mut Policy) {
    policy.commit_timeout = Duration::from_millis(500);
}

#[tokio::test(start_paused = true)]
async fn a_slow_index_takes_nothing_of_the_time_of_a_creations_commit() {
    let house = sick(400, 300, usize::MAX, ManualClock::new(), hurried);
    assert!(house.visit(None, sign_in).await.is_some());
}

#[tokio::test]
async fn a_sign_in_whose_limit_nobody_can_look_at_says_so() {
    let house = sick(0, 0, 1, ManualClock::new(), hurried);
    let cookie = house.visit(None, sign_in).await.unwrap();
    assert_eq!(house.look(&cookie, Session::owner).await.as_deref(), Some("olga"));
    assert_eq!(house.journal.count("LimitNotKept"), 1);
}

#[tokio::test]
async fn a_sign_in_that_finds_nobody_who_could_go_says_so() {
    let storage = AilingStorage::default();
    let house = House::on(storage.clone(), ManualClock::new(), |policy| {
        policy.concurrent_sessions.limit = 1;
    });
    let first = signed_in(&house).await;
    storage.writes(Mood::Down);
    let _ = house.engine.revoke(key(&first).public_id()).await.unwrap();
    storage.writes(Mood::Well);
    signed_in(&house).await.value();
    assert_eq!(house.journal.count("LimitNotKept"), 1);
}

#[tokio::test]
async fn the_next_sign_in_ends_what_a_dead_node_has_condemned() {
    let house = House::new();
    let (first, second) = (signed_in(&house).await, signed_in(&house).await);
    let (candidates, session) = (vec![key(&first)], key(&second));
    change(&house, IndexChange::Condemn { session, most: 1, over: Vec::new(), candidates }).await;
    let third = signed_in(&house).await;
    house.settle().await;
    assert!(house.record(&first).await.is_none());
    assert!(house.record(&second).await.is_some() && house.record(&third).await.is_some());
    assert_eq!(index(&house).await.len(), 2);
}

#[tokio::test]
async fn whoever_signs_in_in_a_session_that_has_to_go_gets_another_one() {
    let house = House::new();
    let (first, second) = (signed_in(&house).await, signed_in(&house).await);
    let (candidates, session) = (vec![key(&first)], key(&second));
    change(&house, IndexChange::Condemn { session, most: 1, over: Vec::new(), candidates }).await;
    let again = |session: &Session| {
        session.insert("colour", "red").unwrap();
        sign_in(session);
    };
    let again = house.visit(&first, again).await.unwrap();
    assert_ne!(key(&again), key(&first));
    assert!(house.record(&first).await.is_none());
    let colour = house.look(&again, |it| it.get::<String>("colour").unwrap()).await;
    assert_eq!(colour.as_deref(), Some("red"));
    let found = house.engine.sessions_of("olga").await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|facts| facts.id().key() != key(&first)));
    // To be remembered is not to sign in.
    change(
        &house,
        IndexChange::Condemn {
            session: key(&again),
            most: 1,
            over: Vec::new(),
            candidates: vec![key(&second)],
        },
    )
    .await;
    let scope = house.begin(&second);
    scope.handle().load().await.unwrap().remember_for(LONG).unwrap();
    assert!(matches!(scope.finish(Answer::Ordinary).await, Err(SessionError::Gone)));
}

#[tokio::test]
async fn a_full_index_is_not_mistaken_for_the_limit() {
    let house = House::with_policy(|policy| {
        policy.concurrent_sessions.limit = 1_000;
        policy.concurrent_sessions.at_limit = AtLimit::EndOldest;
    });
    for number in 0..INDEX_CAPACITY {
        let session = cloakroom::SessionKey::from_name(&number.to_string());
        let enter = IndexChange::Enter { session, lifetime: LONG, pending: LONG, refuse_at: None };
        change(&house, enter).await;
    }
    let scope = house.begin(None);
    sign_in(&scope.handle().load().await.unwrap());
    let refused = scope.finish(Answer::Ordinary).await;
    let Err(SessionError::TooManySessions { limit }) = refused else { panic!("{refused:?}") };
    assert_eq!(limit as usize, INDEX_CAPACITY);
}

#[tokio::test]
async fn a_sign_in_in_a_session_that_has_ended_leaves_no_entry_to_wait_for() {
    let house = House::new();
    let visitor = house.visitor().await;
    let scope = house.begin(&visitor);
    sign_in(&scope.handle().load().await.unwrap());
    house.visit(&visitor, |session| session.destroy().unwrap()).await;
    assert!(matches!(scope.finish(Answer::Ordinary).await, Err(SessionError::Gone)));
    house.settle().await;
    assert_eq!(index(&house).await, []);
}
