//! A writer that others always overtake.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cloakroom::{
    Answer, Commit, Committed, Expect, MemorySessionStorage, Record, SessionError, SessionKey,
    SessionStorage, StorageError,
};
use cloakroom_testkit::ManualClock;

use crate::house::House;

/// Memory on which every change of a record comes too late.
#[derive(Clone, Default)]
struct Overtaken {
    memory: MemorySessionStorage,
    newest: Arc<OnceLock<Record>>,
}

impl SessionStorage for Overtaken {
    cloakroom_testkit::pass_on! {
        [memory] touch destroy owner_index change_owner_index facts stats
    }

    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        let record = self.memory.load(key).await?;
        Ok(record.inspect(|record| drop(self.newest.set(record.clone()))))
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        match (commit.expect(), self.newest.get()) {
            (Expect::Exactly(_), Some(newest)) => Ok(Committed::Conflict(newest.clone())),
            _ => self.memory.commit(key, commit).await,
        }
    }

    fn backend_name(&self) -> &'static str {
        "overtaken"
    }
}

#[tokio::test]
async fn a_commit_that_is_always_overtaken_is_a_conflict_at_its_deadline() {
    let limit = Duration::from_millis(100);
    let house = House::on(Overtaken::default(), ManualClock::new(), |policy| {
        policy.commit_timeout = limit;
    });
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().insert("late", 1).unwrap();
    let start = tokio::time::Instant::now();
    let error = scope.finish(Answer::Ordinary).await.unwrap_err();
    assert!(start.elapsed() >= limit);
    assert!(error.is_conflict() && !error.is_transient());
    match error {
        SessionError::Conflict { attempts, limit: told } => {
            assert!(attempts > 1, "{attempts}");
            assert_eq!(told, limit);
        }
        other => panic!("{other}"),
    }
    assert!(house.look(&cookie, |session| !session.contains("late")).await);
}

#[tokio::test]
async fn a_set_that_is_always_overtaken_is_a_conflict_too() {
    let storage = Overtaken::default();
    let mut data = cloakroom::SessionData::new();
    data.insert("count", 1).unwrap();
    storage.set("ann", &data, None).await.unwrap();
    let mut found = storage.get("ann", None).await.unwrap().unwrap();
    found.insert("count", 2).unwrap();
    let error = storage.set("ann", &found, None).await.unwrap_err();
    assert!(matches!(error, SessionError::Conflict { attempts, .. } if attempts > 1), "{error}");
}
