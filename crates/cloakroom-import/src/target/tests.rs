//! A target that stands still between the note and the record.

use std::sync::Arc;

use cloakroom::{CommitBuilder, Expect, MarkKey, MemorySessionStorage, Operation};
use tokio::time::Instant;

use super::*;
use crate::library::Library;

/// Carries out what it is asked, and answers no write before a moment: as a server that is frozen and
/// reads later what was sent to it.
#[derive(Clone)]
struct Frozen {
    memory: MemorySessionStorage,
    until: Arc<Mutex<Instant>>,
    /// Whether it forgets records that were sent meanwhile.
    loses_records: bool,
}

impl Frozen {
    fn new(memory: &MemorySessionStorage, time: Duration, loses_records: bool) -> Self {
        let until = Arc::new(Mutex::new(Instant::now() + time));
        Self { memory: memory.clone(), until, loses_records }
    }

    fn is_frozen(&self) -> bool {
        Instant::now() < *self.until.lock().unwrap()
    }

    fn answer<T>(&self, answer: T) -> Result<T, StorageError> {
        let kind = StorageErrorKind::Unavailable;
        let error = StorageError::new(kind, Operation::Commit, "no answer");
        if self.is_frozen() { Err(error) } else { Ok(answer) }
    }
}

impl SessionStorage for Frozen {
    cloakroom_testkit::pass_on! {
        [memory] load touch destroy owner_index change_owner_index facts stats backend_name mark
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        if self.loses_records && self.is_frozen() {
            return self.answer(Committed::Gone);
        }
        self.answer(self.memory.commit(key, commit).await?)
    }

    async fn leave_mark(
        &self,
        key: &MarkKey,
        content: &[u8],
        lifetime: Duration,
    ) -> Result<bytes::Bytes, StorageError> {
        self.answer(self.memory.leave_mark(key, content, lifetime).await?)
    }
}

fn ready() -> Ready {
    let id = Library::ConnectRedis.session_id("id");
    let commit = CommitBuilder::new(Expect::Absent)
        .verifier(id.proof())
        .idle_timeout(Duration::from_secs(600))
        .absolute(Absolute::Start(Duration::from_secs(600)))
        .field("n", "1")
        .build();
    Ready { id, commit: commit.unwrap(), owner: None, note: LONGEST_NOTE }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_stands_still_for_a_while_loses_no_session() {
    for loses_records in [false, true] {
        let memory = MemorySessionStorage::new();
        let freeze = Duration::from_secs(50);
        let target = Target::new(Frozen::new(&memory, freeze, loses_records));
        let taken = target.write(&ready()).await.unwrap();
        assert!(matches!(taken, Taken::Written { .. }), "loses_records: {loses_records}");
        let again = target.write(&ready()).await.unwrap();
        assert!(matches!(again, Taken::Present), "loses_records: {loses_records}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_does_not_come_back_ends_the_import() {
    let begun = Instant::now();
    let memory = MemorySessionStorage::new();
    let gone = Target::new(Frozen::new(&memory, Duration::from_secs(3_600), true));
    let error = gone.write(&ready()).await.err().unwrap();
    assert_eq!(error.operation(), Operation::Commit);
    assert!(begun.elapsed() < Duration::from_secs(65), "{:?}", begun.elapsed());
}
