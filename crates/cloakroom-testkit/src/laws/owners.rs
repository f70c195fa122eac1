//! The index of an owner's sessions: every step is atomic, and an entry is never lost.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{
    EntryState, INDEX_CAPACITY, INDEX_MARGIN, IndexChange, IndexEntry, IndexOutcome,
    MemorySessionStorage, OwnerIndex, OwnerKey, SessionKey, SessionStorage, Timestamp,
};
use tokio::task::JoinSet;

use super::sample::{LONG, unused_key};
use super::{Fixture, Settings};
use crate::ManualClock;

fn entering(session: SessionKey, refuse_at: Option<u32>) -> IndexChange {
    IndexChange::Enter { session, lifetime: LONG, pending: LONG, refuse_at }
}

async fn step(storage: &impl SessionStorage, owner: &OwnerKey, change: IndexChange) -> OwnerIndex {
    storage.change_owner_index(owner, &change).await.unwrap()
}

/// Signs a session in, as far as the index is concerned.
async fn signed_in(
    storage: &impl SessionStorage,
    owner: &OwnerKey,
    session: SessionKey,
    most: Option<u32>,
) -> OwnerIndex {
    let entered = step(storage, owner, entering(session, None)).await;
    assert_eq!(entered.outcome, IndexOutcome::Done);
    let deadline = entered.now + LONG;
    step(storage, owner, IndexChange::Settle { session, deadline, most }).await
}

fn of(index: &OwnerIndex, session: SessionKey) -> IndexEntry {
    let mut found = index.entries.iter().filter(|entry| entry.session == session);
    let entry = *found.next().expect("the session is in the index");
    assert!(found.next().is_none(), "a session is in the index once");
    entry
}

/// An entry begins as pending, is signed in, and has the deadline that it was settled with.
pub async fn a_session_is_entered_and_settled_in_its_owners_index(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (owner, other) = (OwnerKey::of("ann"), OwnerKey::of("bob"));
    let (first, second) = (unused_key(), unused_key());
    assert_eq!(storage.owner_index(&owner).await.unwrap().entries, []);
    let index = step(&storage, &owner, entering(first, None)).await;
    let entry = of(&index, first);
    assert!(entry.is_under_way(index.now) && entry.deadline >= index.now + LONG);
    let deadline = index.now + LONG;
    let index =
        step(&storage, &owner, IndexChange::Settle { session: first, deadline, most: None }).await;
    assert_eq!(of(&index, first).state, EntryState::SignedIn(index.now));
    // Never earlier than what was said before.
    assert!(of(&index, first).deadline >= deadline && entry.deadline >= deadline);
    let longer = deadline + LONG * 2;
    for (deadline, kept) in [(longer, longer), (deadline, longer)] {
        let settle = IndexChange::Settle { session: first, deadline, most: None };
        assert_eq!(of(&step(&storage, &owner, settle).await, first).deadline, kept);
    }
    let index = signed_in(&storage, &owner, second, None).await;
    assert_eq!(index.entries.len(), 2);
    // One that has left is not entered again by a sign-in that was under way.
    let third = unused_key();
    let _ = step(&storage, &owner, entering(third, None)).await;
    let _ = step(&storage, &owner, IndexChange::Leave(vec![third])).await;
    let settle = IndexChange::Settle { session: third, deadline, most: None };
    let index = step(&storage, &owner, settle).await;
    assert_eq!((index.outcome, index.entries.len()), (IndexOutcome::Condemned, 2));
    // Looking shows what the last step has answered, and nobody else's.
    let mut seen = storage.owner_index(&owner).await.unwrap().entries;
    let mut answered = index.entries;
    seen.sort_by_key(|entry| entry.session);
    answered.sort_by_key(|entry| entry.session);
    assert_eq!(seen, answered);
    assert_eq!(storage.owner_index(&other).await.unwrap().entries, []);
}

/// Signing in again makes one entry of two, and never shortens what the session has.
pub async fn a_session_that_signs_in_again_is_in_the_index_once(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (owner, session) = (OwnerKey::of("ann"), unused_key());
    let before = of(&signed_in(&storage, &owner, session, None).await, session);
    let again = IndexChange::Enter {
        session,
        lifetime: Duration::from_secs(1),
        pending: Duration::from_secs(1),
        refuse_at: Some(1),
    };
    let index = step(&storage, &owner, again).await;
    assert_eq!(index.outcome, IndexOutcome::Done, "a session is not one more than itself");
    assert_eq!(of(&index, session).deadline, before.deadline);
    assert_eq!(index.entries.len(), 1);
}

/// Entries that are pending count against those who come later: the refusal is exact.
pub async fn parallel_entries_are_refused_beyond_the_limit(fixture: &impl Fixture) {
    const LIMIT: u32 = 3;
    let storage = Arc::new(fixture.open(&Settings::default()).await);
    let owner = OwnerKey::of("ann");
    let mut entering_at_once = JoinSet::new();
    for _ in 0..16 {
        let storage = storage.clone();
        entering_at_once.spawn(async move {
            step(&*storage, &owner, entering(unused_key(), Some(LIMIT))).await.outcome
        });
    }
    let outcomes = entering_at_once.join_all().await;
    let done = outcomes.iter().filter(|outcome| **outcome == IndexOutcome::Done);
    assert_eq!(done.count(), LIMIT as usize);
    assert_eq!(storage.owner_index(&owner).await.unwrap().entries.len(), LIMIT as usize);
}

/// Whoever settles beyond the limit is told; condemning ends exactly those who are too many, once.
pub async fn condemning_leaves_as_many_as_allowed(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let owner = OwnerKey::of("ann");
    let sessions: Vec<_> = (0..4).map(|_| unused_key()).collect();
    for session in &sessions {
        let outcome = signed_in(&storage, &owner, *session, Some(4)).await.outcome;
        assert_eq!(outcome, IndexOutcome::Done);
    }
    let newest = unused_key();
    let full = signed_in(&storage, &owner, newest, Some(3)).await;
    assert_eq!(full.outcome, IndexOutcome::Full);
    let entry = |at: usize| of(&full, sessions[at]);
    // Of the five one is over, so one of the four others has to go: the first that is named.
    let condemn = IndexChange::Condemn {
        session: newest,
        most: 3,
        over: vec![entry(0)],
        candidates: vec![sessions[2], sessions[1], sessions[3]],
    };
    let index = step(&storage, &owner, condemn.clone()).await;
    assert_eq!(index.outcome, IndexOutcome::Done);
    assert!(index.entries.iter().all(|entry| entry.session != sessions[0]));
    assert_eq!(of(&index, sessions[2]).state, EntryState::Condemned(index.now));
    assert_eq!(of(&index, sessions[1]), entry(1));
    // Another one that saw the same says so in another order: nobody else goes.
    let again = step(&storage, &owner, condemn).await;
    assert_eq!(again.entries.iter().filter(|entry| entry.is_condemned()).count(), 1);
    // A condemned session is not signed in again by a sign-in that was under way.
    let settle =
        IndexChange::Settle { session: sessions[2], deadline: index.now + LONG, most: None };
    assert_eq!(step(&storage, &owner, settle).await.outcome, IndexOutcome::Condemned);
    let late = IndexChange::Condemn {
        session: sessions[2],
        most: 1,
        over: Vec::new(),
        candidates: vec![sessions[1]],
    };
    let late = step(&storage, &owner, late).await;
    assert_eq!(late.outcome, IndexOutcome::Condemned);
    assert_eq!(of(&late, sessions[1]), entry(1));
    let again = step(&storage, &owner, entering(sessions[2], None)).await;
    assert_eq!(again.outcome, IndexOutcome::Condemned);
    assert!(of(&again, sessions[2]).is_condemned());
    // Who has nobody else to name is told that there are too many still.
    let nobody =
        IndexChange::Condemn { session: newest, most: 1, over: Vec::new(), candidates: Vec::new() };
    assert_eq!(step(&storage, &owner, nobody).await.outcome, IndexOutcome::Full);
}

/// A session that signs in again, or is remembered, counts all the time, can be condemned, and is not
/// taken for over.
pub async fn a_session_that_is_renewed_keeps_its_place(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (owner, renewed, newest) = (OwnerKey::of("ann"), unused_key(), unused_key());
    let _ = signed_in(&storage, &owner, renewed, None).await;
    let index = step(&storage, &owner, entering(renewed, Some(1))).await;
    let entry = of(&index, renewed);
    assert!(matches!(entry.state, EntryState::Renewing(_)));
    assert!(entry.counts(index.now) && entry.is_under_way(index.now));
    let full = signed_in(&storage, &owner, newest, Some(1)).await;
    assert_eq!(full.outcome, IndexOutcome::Full);
    let condemn = IndexChange::Condemn {
        session: newest,
        most: 1,
        over: Vec::new(),
        candidates: vec![renewed],
    };
    assert!(of(&step(&storage, &owner, condemn).await, renewed).is_condemned());
}

/// However many sign-ins are given up half-way, an index stays within its capacity.
pub async fn an_index_has_a_capacity(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let owner = OwnerKey::of("ann");
    let known = unused_key();
    let _ = signed_in(&storage, &owner, known, None).await;
    for _ in 1..INDEX_CAPACITY {
        let enter = entering(unused_key(), None);
        assert_eq!(step(&storage, &owner, enter).await.outcome, IndexOutcome::Done);
    }
    let full = step(&storage, &owner, entering(unused_key(), None)).await;
    assert_eq!((full.outcome, full.entries.len()), (IndexOutcome::Full, INDEX_CAPACITY));
    let again = step(&storage, &owner, entering(known, None)).await;
    assert_eq!(again.outcome, IndexOutcome::Done);
}

/// What a reader found to be over is removed only if it is still what the reader has seen.
pub async fn an_entry_that_has_changed_meanwhile_stays(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (owner, session, other) = (OwnerKey::of("ann"), unused_key(), unused_key());
    let seen = step(&storage, &owner, entering(session, None)).await.entries;
    let _ = signed_in(&storage, &owner, session, None).await;
    let index = step(&storage, &owner, IndexChange::Remove(seen)).await;
    assert!(matches!(of(&index, session).state, EntryState::SignedIn(_)));
    let _ = signed_in(&storage, &owner, other, None).await;
    let index = step(&storage, &owner, IndexChange::Remove(index.entries)).await;
    assert_eq!(index.entries.len(), 1);
    let index = step(&storage, &owner, IndexChange::Leave(vec![other, unused_key()])).await;
    assert_eq!((index.outcome, index.entries.len()), (IndexOutcome::Done, 0));
    assert_eq!(storage.owner_index(&owner).await.unwrap().entries, []);
}

/// A sign-in of which nobody knows what became of it counts as one that took place.
pub async fn an_abandoned_sign_in_counts_once_its_time_is_over(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (owner, pending) = (OwnerKey::of("ann"), fixture.unit());
    let abandoned =
        IndexChange::Enter { session: unused_key(), lifetime: LONG, pending, refuse_at: None };
    let index = step(&storage, &owner, abandoned).await;
    assert!(!index.entries[0].counts(index.now));
    let first = signed_in(&storage, &owner, unused_key(), Some(1)).await;
    assert_eq!(first.outcome, IndexOutcome::Done);
    fixture.pass(pending * 2).await;
    let second = signed_in(&storage, &owner, unused_key(), Some(2)).await;
    assert_eq!(second.outcome, IndexOutcome::Full);
}

/// Whatever steps are taken in whatever order, whenever, a storage answers what the embedded one
/// answers at the same moment: the same sessions, states, moments and deadlines.
pub async fn the_index_does_what_the_embedded_storage_does(fixture: &impl Fixture) {
    let (storage, clock) = (fixture.open(&Settings::default()).await, ManualClock::new());
    let reference = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let (owner, unit) = (OwnerKey::of("ann"), fixture.unit());
    let sessions: Vec<_> = (0..6).map(|_| unused_key()).collect();
    let mut dice = Dice(0x5eed);
    let mut seen = Vec::<IndexEntry>::new();
    let mut now = storage.owner_index(&owner).await.unwrap().now;
    for _ in 0..400 {
        if dice.below(40) == 0 {
            fixture.pass(unit).await;
        }
        let session = sessions[dice.below(6)];
        let limit = (dice.below(3) > 0).then(|| dice.below(5) as u32);
        let (kind, some, ends) = (dice.below(6), dice.below(4), dice.below(3));
        let order: Vec<_> = (0..6).map(|_| sessions[dice.below(6)]).collect();
        let pick = |at: &SessionKey| seen.iter().find(|entry| entry.session == *at).copied();
        let change = match kind {
            0 | 1 => IndexChange::Enter {
                session,
                // Short ones are over, or count, some steps later.
                lifetime: [Duration::ZERO, unit, LONG][dice.below(3)],
                pending: [Duration::ZERO, unit, LONG][dice.below(3)],
                refuse_at: limit,
            },
            2 => {
                // One that has passed, by more than the margin or by less, is removed or stays.
                let ago = INDEX_MARGIN.as_millis() as u64;
                let past = |ago: u64| Timestamp::from_millis(now.as_millis() - ago);
                let deadline = [past(2 * ago), past(ago / 2), now + unit, now + LONG];
                IndexChange::Settle { session, deadline: deadline[dice.below(4)], most: limit }
            }
            3 => IndexChange::Condemn {
                session,
                most: some as u32,
                over: order[..ends].iter().filter_map(pick).collect(),
                candidates: order[ends..].to_vec(),
            },
            4 => IndexChange::Remove(order[..some].iter().filter_map(pick).collect()),
            _ => IndexChange::Leave(order[..ends].to_vec()),
        };
        let index = step(&storage, &owner, change.clone()).await;
        clock.set(index.now);
        let wanted = step(&reference, &owner, change).await;
        assert_eq!((index.outcome, sorted(&index)), (wanted.outcome, sorted(&wanted)));
        now = index.now;
        // An entry that was seen long ago is named as well.
        if dice.below(4) > 0 {
            seen = index.entries;
        }
    }
}

fn sorted(index: &OwnerIndex) -> Vec<IndexEntry> {
    let mut entries = index.entries.clone();
    entries.sort_by_key(|entry| entry.session);
    entries
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
