//! [`SessionFacts`]: what people may see of a session: when and where, never its values or ticket.

#[cfg(feature = "user-agent")]
mod browser;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::record::{Glance, Record};
use crate::token::{PublicId, SessionKey};

/// How many bytes of a record hold all its facts: [`SessionFacts::from_head`] needs no more.
pub const FACTS_BYTES: usize = 2048;

/// What may be shown of a session: to its owner as a device, to operators in a list.
///
/// It holds no value, no field name and nothing that a ticket could be made of. Address and user
/// agent are those that the session was created or signed in with; they are unknown where
/// fingerprints are disabled. They come from the visitor: escape them wherever they are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionFacts {
    id: PublicId,
    owner: Option<String>,
    address: Option<String>,
    user_agent: Option<String>,
    created: Timestamp,
    started: Timestamp,
    last_seen: Timestamp,
    idle_deadline: Timestamp,
    absolute_deadline: Timestamp,
    idle_timeout: Duration,
    generation: u64,
    size: u64,
    as_of: Timestamp,
}

/// What a look at a key has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is no session.
    Nothing,
    /// A session.
    Session(SessionFacts),
    /// A session that is over by the time that this node counts on, and that the server still has.
    /// Its clock may have been set back, so the session may live on: it is shown to nobody, and
    /// nobody may take it for gone.
    Over(SessionFacts),
    /// A session that this node refuses because it was ended; its removal is under way, or pending
    /// until the server answers.
    Ending,
    /// Something that is no record of this session, or was damaged. It is left as it is.
    Unreadable,
}

impl SessionFacts {
    /// Reads the facts from the first [`FACTS_BYTES`] of a record that has `size` bytes.
    ///
    /// The checksum is not compared, since the rest of the record is not there: good for showing,
    /// not for deciding whom a ticket lets in.
    pub fn from_head(key: &SessionKey, head: &[u8], size: u64, as_of: Timestamp) -> Found {
        if head.is_empty() {
            return Found::Nothing;
        }
        let Some(glance) = Glance::at(key, head) else { return Found::Unreadable };
        let stamp = glance.stamp;
        let is_over = as_of > stamp.idle_deadline || as_of > stamp.absolute_deadline;
        let origin = glance.origin.as_ref();
        let facts = Self {
            id: key.public_id(),
            owner: glance.owner.map(str::to_owned),
            address: origin.and_then(|origin| origin.address()),
            user_agent: origin.and_then(|origin| origin.user_agent().map(str::to_owned)),
            created: stamp.created,
            started: stamp.started,
            last_seen: stamp.touched,
            idle_deadline: stamp.idle_deadline,
            absolute_deadline: stamp.absolute_deadline,
            idle_timeout: glance.idle_timeout,
            generation: stamp.generation.number(),
            size,
            as_of,
        };
        if is_over { Found::Over(facts) } else { Found::Session(facts) }
    }

    /// The facts of a record that was loaded under this key.
    pub fn of(key: &SessionKey, record: &Record) -> Found {
        let bytes = record.as_bytes();
        let head = &bytes[..bytes.len().min(FACTS_BYTES)];
        Self::from_head(key, head, bytes.len() as u64, record.as_of())
    }

    /// The session's name for people; it stays the same when the ticket is rotated.
    pub fn id(&self) -> PublicId {
        self.id
    }

    /// The principal that is signed in.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The visitor's address.
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// The browser's user agent as it was sent, at most 512 bytes of it.
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// The browser in words, such as "Firefox on Linux"; `None` where it cannot be told. Needs the
    /// feature `user-agent`. The words are from a list: unlike the user agent itself they hold nothing
    /// that the visitor has written.
    #[cfg(feature = "user-agent")]
    pub fn browser(&self) -> Option<String> {
        self.user_agent().and_then(browser::in_words)
    }

    /// When the session was created, also where that was in another library; `None` where nobody
    /// knows, because it was imported.
    pub fn created(&self) -> Option<Timestamp> {
        self.created.known()
    }

    /// When its owner signed in; `None` where nobody is signed in, or nobody knows when that was,
    /// because the session was imported.
    pub fn signed_in(&self) -> Option<Timestamp> {
        self.started.known().filter(|_| self.owner.is_some())
    }

    /// When the session was last written or renewed. A visit alone is noted when less than the
    /// policy's `refresh_below` of the idle timeout is left: with the defaults this is at most 15
    /// minutes behind.
    pub fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// When it ends unless it is used.
    pub fn idle_deadline(&self) -> Timestamp {
        self.idle_deadline
    }

    /// When it ends whatever happens.
    pub fn absolute_deadline(&self) -> Timestamp {
        self.absolute_deadline
    }

    /// How long it may lie unused.
    pub fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    /// How many times it was committed.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The record's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The storage's clock when this was read: what ages are counted from.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// How long the session has existed; `None` where nobody knows.
    pub fn age(&self) -> Option<Duration> {
        Some(self.created()?.until(self.as_of))
    }

    /// Whether the session was created before a moment. One of which nobody knows was.
    pub fn is_created_before(&self, moment: Timestamp) -> bool {
        self.created < moment
    }

    /// Whether the session has existed for so long. One of which nobody knows has.
    pub fn is_older_than(&self, age: Duration) -> bool {
        self.age().is_none_or(|known| known >= age)
    }

    /// How long nobody has been seen.
    pub fn idle(&self) -> Duration {
        self.last_seen.until(self.as_of)
    }
}

impl Found {
    /// The session's facts, if there is one that can be read and is not over.
    pub fn session(self) -> Option<SessionFacts> {
        match self {
            Self::Session(facts) => Some(facts),
            Self::Nothing | Self::Over(_) | Self::Ending | Self::Unreadable => None,
        }
    }
}

impl std::fmt::Debug for SessionFacts {
    /// Shows times and size, never who and from where.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionFacts")
            .field("id", &self.id)
            .field("created", &self.created)
            .field("last_seen", &self.last_seen)
            .field("absolute_deadline", &self.absolute_deadline)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
