//! [`Moving`]: an application whose visitors come from another library, and [`SealedCookie`], that
//! library's cookie.

use std::time::Duration;

use cloakroom::{
    Absolute, AnyStorage, CommitBuilder, Committed, Expect, OldCookie, OldSessionId, SessionStorage,
};

use crate::ManualClock;

/// How long an imported session has left: an hour without use, a day altogether.
const IDLE: Duration = Duration::from_secs(60 * 60);
const ABSOLUTE: Duration = Duration::from_secs(24 * 60 * 60);

/// The storage that sessions are imported into.
#[derive(Debug)]
pub struct Moving {
    storage: AnyStorage,
    clock: Option<ManualClock>,
}

/// The cookie `old`, with the value `ID.genuine`. Anything else is forged.
#[derive(Clone, Copy, Debug, Default)]
pub struct SealedCookie;

impl Moving {
    /// Imports into this storage.
    pub fn into_storage(storage: impl SessionStorage) -> Self {
        Self { storage: AnyStorage::new(storage), clock: None }
    }

    /// The storage's clock, where it can be moved.
    #[must_use]
    pub fn with_clock(mut self, clock: ManualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Moves the storage's clock on.
    ///
    /// # Panics
    /// Where it cannot be moved.
    pub fn wait(&self, duration: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(duration),
            None => panic!("this storage's clock goes by itself"),
        }
    }

    /// Imports a session in which `ada` is signed in and `v` is `kept`. Answers whether it was
    /// written, as an import does.
    ///
    /// # Panics
    /// Where the storage cannot say.
    pub async fn import(&self, id: &str) -> bool {
        let id = OldSessionId::new("testkit", id);
        match self.storage.mark(&id.note_key()).await {
            Ok(None) => {}
            Ok(Some(_)) => return false,
            Err(error) => panic!("the storage can be asked for a note: {error}"),
        }
        if let Err(error) = self.storage.leave_mark(&id.note_key(), b"", ABSOLUTE).await {
            panic!("the storage takes a note: {error}");
        }
        let commit = CommitBuilder::new(Expect::Absent)
            .verifier(id.proof())
            .idle_timeout(IDLE)
            .absolute(Absolute::Start(ABSOLUTE))
            .owner("ada")
            .field("v", r#""kept""#);
        let Ok(commit) = commit.build() else { panic!("the commit can be built") };
        match self.storage.commit(&id.key(), &commit).await {
            Ok(committed) => matches!(committed, Committed::Applied { .. }),
            Err(error) => panic!("the storage takes an import: {error}"),
        }
    }
}

impl OldCookie for SealedCookie {
    fn name(&self) -> &str {
        "old"
    }

    fn read(&self, value: &[u8]) -> Option<OldSessionId> {
        let id = str::from_utf8(value).ok()?.strip_suffix(".genuine")?;
        Some(OldSessionId::new("testkit", id))
    }
}
