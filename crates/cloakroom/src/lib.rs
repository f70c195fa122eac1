//! Server-side web sessions that lose nothing: the core, without a web framework or a Redis client.
//!
//! You hand in your things and keep the ticket. A visitor's data lies in a [storage](SessionStorage),
//! the visitor holds a [`Token`] in a cookie, and every application node finds the data again.
//!
//! - [`Session`] is what a handler reads and writes; `cloakroom-axum` and `cloakroom-actix` extract it.
//! - [`Engine`] is the path of a request from its cookie to its `Set-Cookie`; adapters call it.
//! - [`MemorySessionStorage`] needs nothing installed; `cloakroom-redis` keeps sessions in Redis.
//! - [`Policy`] holds every decision, with the advice for production as its default.
//!
//! No update is lost: changes are replayed on what another request wrote first. A sign-out is
//! final: after it nothing brings the record back. A storage that cannot answer is an error, never
//! "no session".

mod changes;
mod clock;
mod codec;
mod commit;
mod cookie;
pub mod duration_text;
mod engine;
mod error;
mod event;
mod facts;
mod fingerprint;
mod handle;
mod index;
mod into_engine;
mod lifetime;
mod mark;
mod old_session;
mod owner;
mod policy;
mod record;
mod reply;
mod session;
mod storage;
mod ticket;
mod token;

pub use clock::{Clock, SystemClock, Timestamp};
pub use codec::SIMD_THRESHOLD;
pub use commit::{Absolute, Commit, CommitBuilder, Committed, Expect, Nonce};
pub use engine::{
    Answer, Engine, EngineBuilder, Finished, RequestFacts, RequestScope, Revoked, RevokedPage,
    SetCookie, SignOut,
};
pub use error::{
    ConfigError, ConfigErrorKind, Operation, Problem, RandomError, SessionError, StorageError,
    StorageErrorKind,
};
#[cfg(feature = "tracing")]
pub use event::TracingObserver;
pub use event::{Event, Observer, Rejection, RevokedBy, Side};
pub use facts::{FACTS_BYTES, Found, SessionFacts};
pub use fingerprint::{FingerprintMode, SessionFingerprint};
pub use handle::{Handle, LoadOutcome, SessionState};
pub use index::{
    EntryState, INDEX_CAPACITY, INDEX_MARGIN, IndexChange, IndexEntry, IndexOutcome, OwnerIndex,
};
pub use into_engine::IntoEngine;
pub use mark::MarkKey;
pub use old_session::{OldCookie, OldSessionId};
pub use owner::OwnerKey;
pub use policy::{
    AtLimit, ConcurrentSessions, CookiePolicy, OnServerError, OutagePolicy, PendingSignOut, Policy,
    Readiness, SameSite,
};
pub use record::{
    CorruptRecord, Generation, Record, RecordBeginning, RecordHead, Seen, Stamp, StampBytes,
    Version,
};
pub use reply::{HealthDetail, Reply};
pub use session::{
    Device, Field, FieldName, Flash, FlashLevel, ReadField, Session, SessionData, WriteField,
};
pub use storage::{
    AnyStorage, BreakerState, ConnectionHealth, ConnectionState, DEFAULT_MAX_BYTES,
    DEFAULT_MAX_SESSION_BYTES, DEFAULT_MAX_SESSIONS, DEFAULT_TTL, Destroyed, DestroyedBefore,
    Durability, HealthStatus, JournalHealth, MemorySessionStorage, MemorySessionStorageBuilder,
    NearCacheHealth, NodeHealth, Page, Position, RoomHealth, SessionStorage, StorageHealth,
    StorageStats, Touched, end_by,
};
pub use token::{InvalidPublicId, PublicId, SessionKey, TOKEN_CHARS, Token, VerifierHash};
