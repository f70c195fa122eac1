//! The memory storage's own promises: bounds, exact expiry, honest accounts, no leak.

mod sweeper;

use std::sync::atomic::AtomicU64;
use std::task::{Context, Waker};

use proptest::prelude::*;

use super::*;
use crate::clock::Clock;
use crate::commit::{Absolute, CommitBuilder, Expect, Nonce};
use crate::index::IndexOutcome;
use crate::lifetime;
use crate::record::{Generation, Version};
use crate::storage::DEFAULT_TTL;
use crate::token::Token;

const LIFETIME: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A clock that stands still until it is moved.
#[derive(Clone)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_790_000_000_000)))
    }

    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }

    fn set_back(&self, by: Duration) {
        self.0.fetch_sub(by.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

fn key() -> SessionKey {
    Token::generate().unwrap().key()
}

/// A commit whose record takes exactly `size` bytes.
fn sized(expect: Expect, size: usize) -> Commit {
    let commit =
        CommitBuilder::new(expect).absolute(Absolute::Start(LIFETIME)).idle_timeout(LIFETIME);
    let rest = size - commit.clone().field("f", []).build().unwrap().size();
    commit.field("f", vec![b'1'; rest]).build().unwrap()
}

async fn create(storage: &MemorySessionStorage, size: usize) -> Result<SessionKey, StorageError> {
    let key = key();
    let committed = storage.commit(&key, &sized(Expect::Absent, size)).await?;
    assert!(matches!(committed, Committed::Applied { .. }));
    Ok(key)
}

async fn usage(storage: &MemorySessionStorage) -> (u64, u64) {
    let stats = storage.stats().await.unwrap();
    (stats.total_sessions, stats.total_bytes)
}

fn assert_full<T: std::fmt::Debug>(answer: Result<T, StorageError>) {
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), &StorageErrorKind::Full);
    assert!(error.is_transient(), "somebody's session will end");
}

fn storage(clock: &Hand) -> MemorySessionStorageBuilder {
    MemorySessionStorage::builder().clock(clock.clone())
}

#[tokio::test]
async fn a_storage_full_of_sessions_refuses_new_ones_and_keeps_the_live_ones() {
    let clock = Hand::new();
    let storage = storage(&clock).max_sessions(3).build().unwrap();
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(create(&storage, 200).await.unwrap());
    }
    assert_full(create(&storage, 200).await);
    for key in &keys {
        assert!(storage.load(key).await.unwrap().is_some());
        let rewritten = storage.commit(key, &sized(Expect::Present, 200)).await.unwrap();
        assert!(matches!(rewritten, Committed::Applied { .. }));
        assert!(matches!(storage.touch(key).await.unwrap(), Touched::Unchanged));
    }
    assert_eq!(usage(&storage).await, (3, 600));
    assert_eq!(storage.destroy(&keys[0]).await.unwrap(), Destroyed::Removed(Durability::LOCAL));
    create(&storage, 200).await.unwrap();
}

#[tokio::test]
async fn a_storage_full_of_bytes_refuses_growth_and_takes_what_does_not_grow() {
    let clock = Hand::new();
    let storage = storage(&clock).max_session_bytes(600).max_bytes(1000).build().unwrap();
    let first = create(&storage, 500).await.unwrap();
    let second = create(&storage, 450).await.unwrap();
    assert_full(create(&storage, 200).await);
    assert_full(storage.commit(&second, &sized(Expect::Present, 501)).await);
    assert_eq!(storage.load(&second).await.unwrap().unwrap().size(), 450, "left as it was");
    for (size, total) in [(450, 950), (500, 1000), (500, 1000), (300, 800)] {
        let written = storage.commit(&second, &sized(Expect::Present, size)).await.unwrap();
        assert!(matches!(written, Committed::Applied { .. }));
        assert_eq!(usage(&storage).await, (2, total));
    }
    create(&storage, 200).await.unwrap();
    assert_eq!(storage.load(&first).await.unwrap().unwrap().size(), 500);
    assert_eq!(usage(&storage).await, (3, 1000));
}

#[tokio::test]
async fn what_has_expired_makes_room_at_once() {
    let clock = Hand::new();
    let storage = storage(&clock).max_sessions(2).build().unwrap();
    create(&storage, 200).await.unwrap();
    create(&storage, 200).await.unwrap();
    clock.advance(LIFETIME);
    assert_full(create(&storage, 200).await);
    clock.advance(MILLISECOND);
    create(&storage, 200).await.unwrap();
    assert_eq!(usage(&storage).await, (1, 200));
}

#[tokio::test]
async fn a_session_lives_at_its_deadline_and_is_gone_a_millisecond_later() {
    let clock = Hand::new();
    let storage = storage(&clock).build().unwrap();
    let key = create(&storage, 200).await.unwrap();
    clock.advance(LIFETIME);
    let record = storage.load(&key).await.unwrap().unwrap();
    assert_eq!(record.idle_deadline(), record.as_of());
    clock.advance(MILLISECOND);
    assert!(storage.load(&key).await.unwrap().is_none());
    assert!(matches!(storage.touch(&key).await.unwrap(), Touched::Gone));
    let late = storage.commit(&key, &sized(Expect::Present, 200)).await.unwrap();
    assert!(matches!(late, Committed::Gone));
    assert_eq!(storage.destroy(&key).await.unwrap(), Destroyed::Absent(Durability::LOCAL));
}

#[tokio::test]
async fn a_touch_shortens_nothing_when_the_clock_was_set_back() {
    let clock = Hand::new();
    let storage = storage(&clock).build().unwrap();
    let key = create(&storage, 200).await.unwrap();
    let before = storage.load(&key).await.unwrap().unwrap();
    clock.set_back(LIFETIME / 2);
    assert!(matches!(storage.touch(&key).await.unwrap(), Touched::Unchanged));
    let after = storage.load(&key).await.unwrap().unwrap();
    assert_eq!(after.as_bytes(), before.as_bytes());
}

#[tokio::test]
async fn a_session_that_is_too_large_is_refused_before_anything_else() {
    let clock = Hand::new();
    let storage = storage(&clock).max_session_bytes(300).build().unwrap();
    assert_eq!(storage.max_session_bytes(), 300);
    create(&storage, 300).await.unwrap();
    let error = create(&storage, 301).await.unwrap_err();
    assert!(matches!(error.kind(), StorageErrorKind::TooLarge { size: 301, limit: 300, .. }));
    assert_eq!(usage(&storage).await, (1, 300));
}

#[tokio::test]
async fn a_refused_commit_gives_its_room_back() {
    let clock = Hand::new();
    let storage = storage(&clock).max_sessions(2).max_bytes(65_536).build().unwrap();
    let key = create(&storage, 200).await.unwrap();
    for _ in 0..10 {
        let exists = storage.commit(&key, &sized(Expect::Absent, 300)).await.unwrap();
        assert!(matches!(exists, Committed::Exists));
        let gone = storage.commit(&self::key(), &sized(Expect::Present, 300)).await.unwrap();
        assert!(matches!(gone, Committed::Gone));
        let stale = Version::new(Generation::new(9), Nonce::from_bytes([7; 16]));
        let stale = Expect::Exactly(stale);
        let conflict = storage.commit(&key, &sized(stale, 300)).await.unwrap();
        assert!(matches!(conflict, Committed::Conflict(_)));
    }
    assert_eq!(usage(&storage).await, (1, 200));
    create(&storage, 200).await.unwrap();
}

/// One operation on one of a few sessions.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Write(usize, usize),
    Destroy(usize),
    Touch(usize),
    Pass(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0..8usize, 200..500usize).prop_map(|(session, size)| Deed::Write(session, size)),
        2 => (0..8usize).prop_map(Deed::Destroy),
        1 => (0..8usize).prop_map(Deed::Touch),
        1 => (0..90_000u64).prop_map(Deed::Pass),
    ]
}

proptest! {
    #[test]
    fn the_account_is_the_sum_of_what_can_be_loaded(deeds in prop::collection::vec(deed(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let clock = Hand::new();
            let limits = storage(&clock).max_sessions(5).max_session_bytes(512).max_bytes(1800);
            let storage = limits.build().unwrap();
            let keys: Vec<_> = (0..8).map(|_| key()).collect();
            for deed in deeds {
                match deed {
                    Deed::Write(session, size) => {
                        let key = &keys[session];
                        let absent = storage.load(key).await.unwrap().is_none();
                        let expect = if absent { Expect::Absent } else { Expect::Present };
                        match storage.commit(key, &sized(expect, size)).await {
                            Ok(committed) => assert!(matches!(committed, Committed::Applied { .. })),
                            Err(error) => assert_eq!(error.kind(), &StorageErrorKind::Full),
                        }
                    }
                    Deed::Destroy(session) => drop(storage.destroy(&keys[session]).await),
                    Deed::Touch(session) => drop(storage.touch(&keys[session]).await),
                    Deed::Pass(millis) => clock.advance(Duration::from_millis(millis)),
                }
                let mut sum = (0, 0);
                for key in &keys {
                    if let Some(record) = storage.load(key).await.unwrap() {
                        sum = (sum.0 + 1, sum.1 + record.size() as u64);
                    }
                }
                assert_eq!(usage(&storage).await, sum);
                assert!(sum.0 <= 5 && sum.1 <= 1800);
            }
            clock.advance(2 * LIFETIME);
            storage.remove_expired();
            assert_eq!(storage.shared.used.sessions.load(Ordering::Relaxed), 0);
            assert_eq!(storage.shared.used.bytes.load(Ordering::Relaxed), 0);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bounds_hold_and_accounts_are_even_under_parallel_writers() {
    let storage = MemorySessionStorage::builder().max_sessions(50).build().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let storage = storage.clone();
        tasks.spawn(async move {
            for _ in 0..300 {
                let Ok(key) = create(&storage, 200).await else { continue };
                assert!(usage(&storage).await.0 <= 50 + 8, "each commit reserves before it knows");
                assert_eq!(
                    storage.destroy(&key).await.unwrap(),
                    Destroyed::Removed(Durability::LOCAL)
                );
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert_eq!(usage(&storage).await, (0, 0));
}

#[tokio::test]
async fn a_map_that_was_large_gives_its_room_back_after_expiry() {
    let clock = Hand::new();
    let storage = storage(&clock).build().unwrap();
    for _ in 0..20_000 {
        create(&storage, 200).await.unwrap();
    }
    clock.advance(2 * LIFETIME);
    assert_eq!(storage.remove_expired(), 20_000);
    let widest = storage.shared.shards.iter().map(|shard| lock(shard).capacity()).max();
    assert!(widest.unwrap() <= 128, "{widest:?}");
}

#[test]
fn limits_that_make_no_sense_are_refused_all_at_once() {
    let builder = MemorySessionStorage::builder();
    let refused = builder
        .max_sessions(0)
        .max_session_bytes(255)
        .max_bytes(254)
        .default_ttl(Duration::ZERO)
        .build()
        .unwrap_err();
    let fields: Vec<_> = refused.problems().iter().map(|problem| problem.field).collect();
    assert_eq!(fields, ["max_sessions", "max_session_bytes", "max_bytes", "default_ttl"]);
}

#[test]
fn a_default_ttl_is_between_a_millisecond_and_the_longest_life_of_a_cookie() {
    let with = |ttl| MemorySessionStorage::builder().default_ttl(ttl).build();
    let nanosecond = Duration::from_nanos(1);
    for ttl in [lifetime::SHORTEST, lifetime::LONGEST] {
        assert!(with(ttl).is_ok());
    }
    for ttl in [lifetime::SHORTEST - nanosecond, lifetime::LONGEST + nanosecond, Duration::MAX] {
        let refused = with(ttl).unwrap_err();
        assert!(refused.to_string().contains("default_ttl: "), "{refused}");
    }
}

#[test]
fn the_limits_that_nobody_set_are_the_documented_ones() {
    let storage = MemorySessionStorage::new();
    let settings = &storage.shared.settings;
    assert_eq!((settings.max_sessions, settings.max_bytes), (1_000_000, 1 << 30));
    assert_eq!((storage.max_session_bytes(), storage.default_ttl()), (65_536, DEFAULT_TTL));
    assert_eq!(storage.fingerprint_mode(), FingerprintMode::Soft);
    assert_eq!(storage.backend_name(), "memory");
}

#[tokio::test]
async fn whoever_makes_room_in_the_indexes_lets_others_have_their_turn() {
    let storage = MemorySessionStorage::builder().max_sessions(100).build().unwrap();
    let enter = |session| IndexChange::Enter {
        session,
        lifetime: LIFETIME,
        pending: Duration::ZERO,
        refuse_at: None,
    };
    for number in 0..200 {
        let owner = OwnerKey::of(&number.to_string());
        let _ = storage.change_owner_index(&owner, &enter(key())).await.unwrap();
    }
    tokio::time::sleep(MILLISECOND * 2).await;
    let (owner, entering) = (OwnerKey::of("ann"), enter(key()));
    let mut change = std::pin::pin!(storage.change_owner_index(&owner, &entering));
    let mut context = Context::from_waker(Waker::noop());
    assert!(change.as_mut().poll(&mut context).is_pending());
    assert_eq!(change.await.unwrap().outcome, IndexOutcome::Done);
    let (entries, most) = storage.shared.owners.fill();
    assert!(entries <= most * 7 / 8 + 1, "{entries} of {most}");
    assert!(entries > 1, "no more than was needed for a while");
}

/// An old ticket's sign-out that has not looked at the session meets a sign-in, on two threads.
#[test]
fn a_sign_out_by_an_old_ticket_never_ends_a_sign_in_that_was_applied() {
    const ROUNDS: usize = 400;
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let storage = MemorySessionStorage::new();
    let (old, new) = (Token::generate().unwrap(), Token::generate().unwrap());
    let (old, new) = (old.verifier_hash(), new.verifier_hash());
    // What takes long to be read leaves the more time in between.
    let first = CommitBuilder::new(Expect::Absent)
        .absolute(Absolute::Start(LIFETIME))
        .verifier(old)
        .field("f", vec![b'1'; 60_000])
        .build()
        .unwrap();
    let sign_in = CommitBuilder::new(Expect::Present)
        .absolute(Absolute::Start(LIFETIME))
        .verifier(new)
        .build()
        .unwrap();
    let start = std::sync::Barrier::new(2);
    let (mut applied, mut removed) = (0, 0);
    for _ in 0..ROUNDS {
        let key = key();
        let _ = runtime().block_on(storage.commit(&key, &first)).unwrap();
        let (committed, destroyed) = std::thread::scope(|scope| {
            let committing = scope.spawn(|| {
                let runtime = runtime();
                start.wait();
                runtime.block_on(storage.commit(&key, &sign_in)).unwrap()
            });
            let runtime = runtime();
            start.wait();
            let destroyed = runtime.block_on(storage.destroy_unseen(&key, &old)).unwrap();
            (committing.join().unwrap(), destroyed)
        });
        let is_applied = matches!(committed, Committed::Applied { .. });
        let is_removed = matches!(destroyed, Destroyed::Removed(_));
        assert!(is_applied != is_removed, "{committed:?}, {destroyed:?}");
        applied += usize::from(is_applied);
        removed += usize::from(is_removed);
    }
    assert_eq!(applied + removed, ROUNDS);
}
