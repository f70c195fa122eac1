//! [`Import`]: the walk over the keys of another library, from each readable session to a record of
//! ours.
//!
//! It may be repeated as often as one likes: a session that is there already is left as it is. That a
//! session was imported is noted before it is written, so one that has ended since, however it was
//! ended, is not written again.

use std::fmt;
use std::future::ready;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cloakroom::{
    Absolute, Commit, CommitBuilder, ConfigError, Expect, OwnerKey, SessionError, SessionStorage,
    StorageError, StorageErrorKind, Timestamp,
};
use cloakroom_redis::{
    ForeignCursor, ForeignEntry, ForeignKeys, ForeignPage, ForeignValue, RedisConfig,
};
use futures_util::{StreamExt, stream};

use crate::again::again;
use crate::library::Library;
use crate::old_session::{OldSession, Raw, RawValue, Unreadable};
use crate::owner::OwnerField;
use crate::report::{Kind, Report};
use crate::target::{Ready, Taken, Target, life_of_note};

/// How many sessions are under way at once.
const AT_ONCE: usize = 32;

/// The absolute timeout of what has less time left: as with a new session, 12 hours. The idle
/// deadline is the old library's all the same.
const SHORTEST_ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a session lives at most: what does not expire in the old library ends after 30 days.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

type Owner = Arc<dyn Fn(&OldSession) -> Option<String> + Send + Sync>;

/// Takes the sessions of another library into a storage.
#[must_use = "nothing is imported before it is run"]
pub struct Import<S> {
    library: Library,
    prefix: String,
    keys: ForeignKeys,
    target: Target<S>,
    owner: Option<Owner>,
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

/// What has become of one key.
enum Outcome {
    Taken(Taken, Vec<Kind>),
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
        Ok(Self { library, prefix, keys, target: Target::new(target), owner: None, writing })
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
        let outcomes =
            self.ids_in(&page).map(|(name, id)| async move { (id, self.take(name, id).await) });
        let failure = OnceLock::new();
        // After an error nothing more begins, and what is under way is taken to its end: what is noted
        // and then dropped would never be written.
        let begun = stream::iter(outcomes).take_while(|_| ready(failure.get().is_none()));
        let mut outcomes = begun.buffer_unordered(AT_ONCE);
        while let Some((id, outcome)) = outcomes.next().await {
            report.read += 1;
            match outcome {
                Ok(Outcome::Taken(Taken::Written { has_owner }, left_behind)) => {
                    report.written += 1;
                    report.with_owner += u64::from(has_owner);
                    report.add_left_behind(left_behind);
                }
                Ok(Outcome::Taken(Taken::Present, _)) => report.present += 1,
                Ok(Outcome::Taken(Taken::Ended, _)) => report.ended += 1,
                Ok(Outcome::Taken(Taken::OwnerFull, _)) => report.owner_full += 1,
                Ok(Outcome::Expired) => report.expired += 1,
                Ok(Outcome::Empty) => report.empty += 1,
                Ok(Outcome::Unreadable(why)) => report.add_unreadable(why, &self.prefix, id),
                Err(error) => drop(failure.set(error)),
            }
        }
        drop(outcomes);
        report.began_anew |= page.began_anew;
        report.done = page.done;
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
        let (ready, left_behind) = match self.prepare(id, &entry) {
            Ok(prepared) => prepared,
            Err(outcome) => return Ok(outcome),
        };
        let taken = match self.writing {
            Writing::Sessions => self.target.write(&ready).await,
            Writing::Nothing => self.target.would_write(&ready).await,
        };
        match taken {
            // It concerns this session or its owner, and the next one may be sound.
            Err(error) if *error.kind() == StorageErrorKind::Corrupt => {
                Ok(Outcome::Unreadable(Unreadable::InTarget))
            }
            taken => Ok(Outcome::Taken(taken?, left_behind)),
        }
    }

    /// Nothing is waited for within: what a session unfolds to is held of one session at a time.
    fn prepare(&self, id: &str, entry: &ForeignEntry) -> Result<(Ready, Vec<Kind>), Outcome> {
        let session = self.read(id, entry).map_err(Outcome::Unreadable)?.ok_or(Outcome::Expired)?;
        let owner = self.owner_of(&session);
        if session.fields.is_empty() && owner.is_none() {
            return Err(Outcome::Empty);
        }
        let ready = Ready {
            id: self.library.session_id(id),
            commit: self.commit(&session, owner.as_deref()).map_err(Outcome::Unreadable)?,
            owner: owner.as_deref().map(OwnerKey::of),
            note: life_of_note(entry.time_left),
        };
        let left_behind = session.left_behind.into_iter().map(|it| (it.field, it.class));
        Ok((ready, left_behind.collect()))
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
