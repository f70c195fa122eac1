//! Nothing waits without an end, also where a storage does not keep the timeout that it promises.

use std::time::Duration;

use cloakroom::{
    Answer, Commit, Committed, MemorySessionStorage, Operation, SessionError, SessionKey,
    SessionStorage, StorageError, StorageErrorKind,
};
use cloakroom_testkit::{AilingStorage, ManualClock, Mood};
use tokio::time::Instant;

use crate::house::House;

const PROMISED: Duration = Duration::from_millis(300);
const SLACK: Duration = Duration::from_millis(50);

fn house() -> (House, AilingStorage) {
    let clock = ManualClock::new();
    let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let ailing = AilingStorage::new(memory).promising(PROMISED);
    (House::on(ailing.clone(), clock, |_| {}), ailing)
}

/// Lets a question without an end fail the test instead of hanging it.
async fn ending<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(3600), work).await.expect("it ends")
}

fn ended_in_time(start: Instant, error: &SessionError) {
    let took = start.elapsed();
    assert!(took >= PROMISED && took <= PROMISED + SLACK, "{took:?}");
    let SessionError::Storage(error) = error else { panic!("{error}") };
    assert!(matches!(error.kind(), StorageErrorKind::Timeout { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_load_ends_although_the_storage_never_answers() {
    let (house, ailing) = house();
    let cookie = house.visitor().await;
    ailing.reads(Mood::Silent);
    let start = Instant::now();
    ended_in_time(start, &ending(house.begin(&cookie).handle().load()).await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_ends_although_the_storage_never_answers() {
    let (house, ailing) = house();
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    ailing.writes(Mood::Silent);
    let start = Instant::now();
    ended_in_time(start, &ending(session.destroy_now()).await.unwrap_err());
    let start = Instant::now();
    ended_in_time(start, &ending(scope.finish(Answer::Ordinary)).await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_after_its_request_ends_as_well() {
    let (house, ailing) = house();
    let cookie = house.visitor().await;
    ailing.writes(Mood::Silent);
    let signs_out = house.begin(&cookie);
    signs_out.handle().load().await.unwrap().destroy().unwrap();
    house.clock.advance(Duration::from_secs(20 * 60));
    let touches = house.begin(&cookie);
    touches.handle().load().await.unwrap();
    let _ = touches.finish(Answer::Ordinary).await.unwrap();
    drop(signs_out);
    assert_eq!(house.engine.background_tasks(), 2);
    let start = Instant::now();
    assert!(!house.engine.drain(PROMISED / 2).await, "drain has an end of its own");
    assert_eq!(start.elapsed(), PROMISED / 2);
    assert!(house.engine.drain(PROMISED).await);
    assert!(start.elapsed() <= PROMISED + SLACK);
    assert_eq!(house.journal.asked()[3..], ["touch in vain", "destroy in vain"]);
}

/// Each of its commits takes a while and finds the key taken.
struct AlwaysTaken(MemorySessionStorage, Duration);

impl SessionStorage for AlwaysTaken {
    cloakroom_testkit::pass_on! {
        [0] load touch destroy owner_index change_owner_index facts stats
    }

    async fn commit(&self, _: &SessionKey, _: &Commit) -> Result<Committed, StorageError> {
        tokio::time::sleep(self.1).await;
        Ok(Committed::Exists)
    }

    fn backend_name(&self) -> &'static str {
        "always taken"
    }

    fn timeout(&self, _: Operation) -> Option<Duration> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn all_tries_to_create_a_session_share_one_limit() {
    let storage = AlwaysTaken(MemorySessionStorage::new(), PROMISED * 2 / 3);
    let house = House::on(storage, ManualClock::new(), |policy| policy.commit_timeout = PROMISED);
    let scope = house.begin(None);
    scope.handle().load().await.unwrap().insert("colour", "green").unwrap();
    let start = Instant::now();
    ended_in_time(start, &ending(scope.finish(Answer::Ordinary)).await.unwrap_err());
    assert_eq!(house.journal.asked(), ["commit", "commit in vain"]);
}
