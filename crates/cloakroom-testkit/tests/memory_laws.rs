//! The embedded storage keeps every law, on a clock that is moved by hand.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use cloakroom::{
    Absolute, CommitBuilder, Committed, Expect, MemorySessionStorage, SessionStorage, Token,
    Touched,
};
use cloakroom_testkit::ManualClock;
use cloakroom_testkit::laws::{Fixture, Settings};

#[derive(Default)]
struct Memory {
    clock: ManualClock,
}

impl Fixture for Memory {
    type Storage = MemorySessionStorage;

    async fn open(&self, settings: &Settings) -> MemorySessionStorage {
        MemorySessionStorage::builder()
            .clock(self.clock.clone())
            .fingerprint_mode(settings.fingerprint_mode)
            .default_ttl(settings.default_ttl)
            .max_session_bytes(settings.max_session_bytes)
            .build()
            .unwrap()
    }

    async fn node(&self, opened: &MemorySessionStorage) -> MemorySessionStorage {
        opened.clone()
    }

    fn unit(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

cloakroom_testkit::storage_laws!(Memory::default());

const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_session_lives_to_its_idle_deadline_and_not_a_millisecond_longer() {
    let fixture = Memory::default();
    let storage = fixture.open(&Settings::default()).await;
    let key = Token::generate().unwrap().key();
    let idle = Duration::from_secs(60);
    let commit = CommitBuilder::new(Expect::Absent).idle_timeout(idle).build().unwrap();
    let committed = storage.commit(&key, &commit).await.unwrap();
    assert!(matches!(committed, Committed::Applied { .. }));

    fixture.pass(idle).await;
    assert!(storage.load(&key).await.unwrap().is_some());
    assert_eq!(storage.stats().await.unwrap().total_sessions, 1);
    fixture.pass(MILLISECOND).await;
    assert!(storage.load(&key).await.unwrap().is_none());
    assert_eq!(storage.stats().await.unwrap().total_sessions, 0);
}

#[tokio::test]
async fn a_touch_at_the_last_moment_still_counts_and_the_absolute_deadline_is_exact() {
    let fixture = Memory::default();
    let storage = fixture.open(&Settings::default()).await;
    let key = Token::generate().unwrap().key();
    let idle = Duration::from_secs(60);
    let commit = CommitBuilder::new(Expect::Absent)
        .absolute(Absolute::Start(idle + MILLISECOND))
        .idle_timeout(idle)
        .build()
        .unwrap();
    let _ = storage.commit(&key, &commit).await.unwrap();
    fixture.pass(idle).await;
    let Touched::Extended(stamp) = storage.touch(&key).await.unwrap() else { panic!("it lives") };
    assert_eq!(stamp.idle_deadline, stamp.absolute_deadline);
    fixture.pass(MILLISECOND).await;
    assert_eq!(storage.touch(&key).await.unwrap(), Touched::Unchanged);
    fixture.pass(MILLISECOND).await;
    assert_eq!(storage.touch(&key).await.unwrap(), Touched::Gone);
}
