//! [`Import`]: the walk over the keys of another library, from each readable session to a record of
//! ours.
//!
//! It may be repeated as often as one likes: a session that is there already is left as it is. That a
//! session was imported is noted before it is written, so one that has ended since, however it was
//! ended, is not written again.

use std::collections::HashSet;
use std::fmt;
use std::future::ready;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use cloakroom::{
    Absolute, Commit, CommitBuilder, Committed, ConfigError, Expect, INDEX_CAPACITY,
    IndexChange, IndexOutcome, OldSessionId, OwnerKey, SessionError, SessionKey, SessionStorage, StorageError, StorageErrorKind,
    Timestamp,
};
use cloakroom_redis::{ForeignCursor, ForeignEntry, ForeignKeys, ForeignPage, ForeignValue, RedisConfig};
use futures_util::{StreamExt, stream};

use crate::library::Library;
use crate::old_session::{LeftBehind, OldSession, Raw, RawValue, Unreadable};
use crate::owner::OwnerField;
use crate::report::Report;

/// How many sessions are under way at once.
const AT_ONCE: usize = 32;

/// How often a question is put to a server that cannot say, and how long the pause is before.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// The absolute timeout of what has less time left: as with a new session, 12 hours. The idle
/// deadline is the old library's all the same.
const SHORTEST_ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a session lives at most: what does not expire in the old library ends after 30 days.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a note outlives the old library's key, whose time left two servers' clocks count; and how
/// long it lives at least, since an old application that goes on renews its keys.
const NOTE_MARGIN: Duration = Duration::from_secs(24 * 60 * 60);
const SHORTEST_NOTE: Duration = LONGEST;

/// How long the note of a key lives that does not expire: 400 days, longer than which no browser keeps
/// a cookie.
const LONGEST_NOTE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// After that long an entry in an owner's index no longer means that its session is about to be
/// written.
const PENDING: Duration = Duration::from_secs(30);

/// How many sessions of one owner are imported: a quarter of what an index holds, so that there is room
/// for the owner's next sign-ins, and no step on it takes the server long. An account of more is shared,
/// or no account: the owner's field names something else.
const MOST_OF_AN_OWNER: u32 = INDEX_CAPACITY as u32 / 4;

type Owner = Arc<dyn Fn(&OldSession) -> Option<String> + Send + Sync>;

/// Takes the sessions of another library into a storage.
#[must_use = "nothing is imported before it is run"]
pub struct Import<S> {
    library: Library,
    prefix: String,
    keys: ForeignKeys,
    target: S,
    owner: Option<Owner>,
    /// Whose index has refused a session. They are not asked for again: each has its hundreds.
    full: Mutex<HashSet<OwnerKey>>,
    writing: Writing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Sessions,
    /// A dry run.
    Nothing,
}

/// An import that a storage could not go on with. Nothing of what the report says is lost.
#[derive(Debug)]
#[non_exhaustive]
pub struct Interrupted {
    /// What was done until then; its `resume` is where to go on.
    pub report: Report,
    /// Why.
    pub error: StorageError,
}

/// A session that is ready to be written.
struct Ready {
    id: OldSessionId,
    commit: Commit,
    owner: Option<OwnerKey>,
    /// For how long it is noted that the session was imported.
    note: Duration,
    left_behind: Vec<LeftBehind>,
}

/// What has become of one key.
enum Outcome {
    Written { has_owner: bool, left_behind: Vec<LeftBehind> },
    Present,
    Ended,
    OwnerFull,
    Expired,
    Empty,
    Unreadable(Unreadable),
}

impl<S: SessionStorage> Import<S> {
    /// Connects to the Redis of the other library. Its keys begin with `prefix`, by default with the
    /// library's [usual one](Library::usual_prefix).
    ///
    /// The sessions go into `target`, which is the application's own storage.
    ///
    /// # Errors
    /// [`ConfigError`] where that Redis cannot be reached.
    pub async fn connect(
        library: Library,
        source: RedisConfig,
        prefix: Option<&str>,
        target: S,
    ) -> Result<Self, ConfigError> {
        let prefix = prefix.unwrap_or(library.usual_prefix()).to_owned();
        let keys = ForeignKeys::connect(source, &prefix, library.id_length()).await?;
        let writing = Writing::Sessions;
        let full = Mutex::default();
        Ok(Self { library, prefix, keys, target, owner: None, full, writing })
    }

    /// Which field holds the user (default: nobody is signed in to what is imported).
    pub fn owner_field(self, field: OwnerField) -> Self {
        self.owner(move |session| field.find(session))
    }

    /// The same by a function of the application's, which can look at what the old library would look
    /// at: whether the password has changed since, whether the account was locked.
    pub fn owner(
        mut self,
        owner: impl Fn(&OldSession) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.owner = Some(Arc::new(owner));
        self
    }

    /// Reads everything and writes nothing.
    pub fn dry_run(mut self) -> Self {
        self.writing = Writing::Nothing;
        self
    }

    /// Walks over the keys from a cursor on, and tells `progress` after each round of about 1,000
    /// keys, which may end the walk there. The report says where to go on.
    ///
    /// # Errors
    /// [`Interrupted`] where one of the two servers cannot say, also after several tries.
    pub async fn run(
        &self,
        from: ForeignCursor,
        mut progress: impl FnMut(&Report) -> ControlFlow<()>,
    ) -> Result<Report, Interrupted> {
        let mut report = Report { resume: Some(from), ..Report::default() };
        while let Some(cursor) = report.resume.clone() {
            let before = report.clone();
            if let Err(error) = self.round(&cursor, &mut report).await {
                return Err(Interrupted { report: before, error });
            }
            if progress(&report).is_break() {
                break;
            }
        }
        Ok(report)
    }

    /// Looks at the sessions until it has met one that somebody is signed in to, and writes nothing.
    /// `false` where there are sessions and nobody is signed in to any: the field is another one. To
    /// be asked before an import, because what was written without an owner stays so.
    ///
    /// # Errors
    /// [`StorageError`] where the server cannot say, also after several tries.
    pub async fn finds_an_owner(&self) -> Result<bool, StorageError> {
        let (mut cursor, mut has_sessions) = (Some(ForeignCursor::start()), false);
        while let Some(at) = cursor {
            let page = again(|| self.keys.page(&at)).await?;
            let looks = self.ids_in(&page).map(|(name, id)| async move {
                let session = self.read(id, &self.fetch(name).await?).ok().flatten();
                Ok::<_, StorageError>(session.map(|session| self.owner_of(&session).is_some()))
            });
            let mut looks = stream::iter(looks).buffer_unordered(AT_ONCE);
            while let Some(has_owner) = looks.next().await {
                match has_owner? {
                    Some(true) => return Ok(true),
                    Some(false) => has_sessions = true,
                    None => {}
                }
            }
            drop(looks);
            cursor = page.next;
        }
        Ok(!has_sessions)
    }

    async fn round(&self, cursor: &ForeignCursor, report: &mut Report) -> Result<(), StorageError> {
        let page = again(|| self.keys.page(cursor)).await?;
        let outcomes = self.ids_in(&page).map(|(name, id)| async move { (id, self.take(name, id).await) });
        let failure = OnceLock::new();
        // After an error what is under way ends and nothing more begins: what is noted is written.
        let begun = stream::iter(outcomes).take_while(|_| ready(failure.get().is_none()));
        let mut outcomes = begun.buffer_unordered(AT_ONCE);
        while let Some((id, outcome)) = outcomes.next().await {
            report.read += 1;
            match outcome {
                Ok(Outcome::Written { has_owner, left_behind }) => {
                    report.written += 1;
                    report.with_owner += u64::from(has_owner);
                    report.add_left_behind(&left_behind);
                }
                Ok(Outcome::Present) => report.present += 1,
                Ok(Outcome::Ended) => report.ended += 1,
                Ok(Outcome::OwnerFull) => report.owner_full += 1,
                Ok(Outcome::Expired) => report.expired += 1,
                Ok(Outcome::Empty) => report.empty += 1,
                Ok(Outcome::Unreadable(why)) => report.add_unreadable(why, &self.prefix, id),
                Err(error) => drop(failure.set(error)),
            }
        }
        drop(outcomes);
        report.began_anew |= page.began_anew;
        report.resume = page.next;
        failure.into_inner().map_or(Ok(()), Err)
    }

    /// Which of the names are sessions', and their ids.
    fn ids_in<'a>(&'a self, page: &'a ForeignPage) -> impl Iterator<Item = (&'a [u8], &'a str)> {
        let id = |name| self.library.id_in(name, &self.prefix);
        page.names.iter().filter_map(move |name| Some((name.as_slice(), id(name)?)))
    }

    async fn fetch(&self, name: &[u8]) -> Result<ForeignEntry, StorageError> {
        match self.library.keeps_hashes() {
            true => again(|| self.keys.hash(name)).await,
            false => again(|| self.keys.text(name)).await,
        }
    }

    fn owner_of(&self, session: &OldSession) -> Option<String> {
        self.owner.as_ref().and_then(|owner| owner(session))
    }

    async fn take(&self, name: &[u8], id: &str) -> Result<Outcome, StorageError> {
        let entry = self.fetch(name).await?;
        let session = match self.read(id, &entry) {
            Ok(Some(session)) => session,
            Ok(None) => return Ok(Outcome::Expired),
            Err(why) => return Ok(Outcome::Unreadable(why)),
        };
        let owner = self.owner_of(&session);
        if session.fields.is_empty() && owner.is_none() {
            return Ok(Outcome::Empty);
        }
        let commit = match self.commit(&session, owner.as_deref()) {
            Ok(commit) => commit,
            Err(why) => return Ok(Outcome::Unreadable(why)),
        };
        let ready = Ready {
            id: self.library.session_id(id),
            commit,
            owner: owner.as_deref().map(OwnerKey::of),
            note: life_of_note(entry.time_left),
            left_behind: session.left_behind,
        };
        self.write(ready).await
    }

    /// The session; `None` where it is over.
    fn read(&self, id: &str, entry: &ForeignEntry) -> Result<Option<OldSession>, Unreadable> {
        let value = match &entry.value {
            ForeignValue::Gone => return Ok(None),
            ForeignValue::Text(text) => RawValue::Text(text),
            ForeignValue::Hash(fields) => RawValue::Hash(fields),
            ForeignValue::TooLong => return Err(Unreadable::TooLong),
            _ => return Err(Unreadable::OtherType),
        };
        let raw = Raw { id, value, time_left: entry.time_left };
        let session = self.library.read(&raw, entry.as_of)?;
        let is_over = session.time_left.is_some_and(|left| left < Duration::from_millis(1));
        Ok((!is_over).then_some(session))
    }

    fn commit(&self, session: &OldSession, owner: Option<&str>) -> Result<Commit, Unreadable> {
        let left = session.time_left.unwrap_or(LONGEST).min(LONGEST);
        let mut builder = CommitBuilder::new(Expect::Absent)
            .verifier(self.library.session_id(&session.id).proof())
            .idle_timeout(left)
            .absolute(Absolute::Start(left.max(SHORTEST_ABSOLUTE)))
            .created_elsewhere(session.created.unwrap_or(Timestamp::UNKNOWN));
        if session.is_remembered {
            builder = builder.persistent();
        }
        if let Some(owner) = owner {
            builder = builder.owner(owner);
        }
        for (name, value) in &session.fields {
            builder = builder.field(name, value.to_string());
        }
        let commit = builder.build().map_err(|error| match error {
            SessionError::OwnerName { .. } => Unreadable::OwnerName,
            _ => Unreadable::FieldName,
        })?;
        let is_too_large = commit.check_size(self.target.max_session_bytes()).is_err();
        if is_too_large { Err(Unreadable::TooLarge) } else { Ok(commit) }
    }

    async fn write(&self, ready: Ready) -> Result<Outcome, StorageError> {
        let (key, note) = (ready.id.key(), ready.id.note_key());
        // In this order: what is not there any more has been noted before it was.
        if again(|| self.target.load(&key)).await?.is_some() {
            if self.writing == Writing::Sessions {
                self.note(&ready).await?;
            }
            return Ok(Outcome::Present);
        }
        if again(|| self.target.mark(&note)).await?.is_some() {
            return Ok(Outcome::Ended);
        }
        let Ready { commit, owner, .. } = &ready;
        if self.writing == Writing::Sessions {
            // Before the commit: the index may name too many sessions, never too few.
            if let Some(owner) = owner
                && !self.enter(owner, key, commit).await?
            {
                return Ok(Outcome::OwnerFull);
            }
            // Another import is writing it at this moment.
            if !self.note(&ready).await? {
                return Ok(Outcome::Present);
            }
            let Committed::Applied { stamp, .. } =
                again(|| self.target.commit(&key, commit)).await?
            else {
                return Ok(Outcome::Present);
            };
            if let Some(owner) = owner {
                let deadline = stamp.absolute_deadline;
                let settle = IndexChange::Settle { session: key, deadline, most: None };
                // Where it was condemned meanwhile, the index's readers end it.
                let _ = self.change_index(owner, settle).await?;
            }
        }
        Ok(Outcome::Written { has_owner: owner.is_some(), left_behind: ready.left_behind })
    }

    /// Notes that the session is imported, unless that was noted before. `false` where it was.
    async fn note(&self, ready: &Ready) -> Result<bool, StorageError> {
        let (key, own) = (ready.id.note_key(), ready.commit.nonce());
        let left = again(|| self.target.leave_mark(&key, own.as_bytes(), ready.note)).await?;
        Ok(left == own.as_bytes()[..])
    }

    /// Enters a session into its owner's index. `false` where there is no room, or where it has just
    /// been condemned for another one: then it must not be written.
    async fn enter(
        &self,
        owner: &OwnerKey,
        session: SessionKey,
        commit: &Commit,
    ) -> Result<bool, StorageError> {
        if self.full().contains(owner) {
            return Ok(false);
        }
        let outcome = self.change_index(owner, entering(session, commit)).await?;
        if outcome == IndexOutcome::Full {
            self.full().insert(*owner);
        }
        Ok(outcome == IndexOutcome::Done)
    }

    /// The limit of concurrent sessions is the next sign-in's business: nobody is signed out by an
    /// import.
    async fn change_index(
        &self,
        owner: &OwnerKey,
        change: IndexChange,
    ) -> Result<IndexOutcome, StorageError> {
        Ok(again(|| self.target.change_owner_index(owner, &change)).await?.outcome)
    }

    /// It stays sound when a thread panicked: it is changed in one go.
    fn full(&self) -> MutexGuard<'_, HashSet<OwnerKey>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> fmt::Debug for Import<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import")
            .field("library", &self.library)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the import was interrupted: {}", self.error)
    }
}

impl std::error::Error for Interrupted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

fn life_of_note(time_left: Option<Duration>) -> Duration {
    time_left.map_or(LONGEST_NOTE, |left| (left + NOTE_MARGIN).clamp(SHORTEST_NOTE, LONGEST_NOTE))
}

/// What the index is told of a session that is about to be written.
fn entering(session: SessionKey, commit: &Commit) -> IndexChange {
    let lifetime = match commit.absolute() {
        Absolute::Start(timeout) | Absolute::Prolong(timeout) => timeout,
        Absolute::Keep => commit.idle_timeout(),
    };
    let refuse_at = Some(MOST_OF_AN_OWNER);
    IndexChange::Enter { session, lifetime, pending: PENDING, refuse_at }
}

/// Asks several times where a server cannot say. What is asked may be repeated: a commit is known by
/// its nonce.
async fn again<T, F: Future<Output = Result<T, StorageError>>>(
    ask: impl Fn() -> F,
) -> Result<T, StorageError> {
    let mut tries = 1;
    loop {
        match ask().await {
            Err(error) if tries < TRIES && is_passing(error.kind()) => {
                tokio::time::sleep(PAUSE * tries).await;
                tries += 1;
            }
            answer => return answer,
        }
    }
}

fn is_passing(kind: &StorageErrorKind) -> bool {
    use StorageErrorKind::{Rejected, Timeout, Unavailable};
    matches!(kind, Unavailable | Timeout { .. } | Rejected)
}
