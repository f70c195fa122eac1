//! [`MemorySessionStorageBuilder`]: the limits of the embedded storage, checked before it starts.

use std::sync::Arc;
use std::time::Duration;

use super::MemorySessionStorage;
use crate::clock::{Clock, SystemClock};
use crate::error::{ConfigError, Problem};
use crate::fingerprint::FingerprintMode;
use crate::lifetime;
use crate::storage::{DEFAULT_MAX_SESSION_BYTES, DEFAULT_TTL};

/// How many sessions the embedded storage keeps unless told otherwise.
pub const DEFAULT_MAX_SESSIONS: usize = 1_000_000;

/// How many bytes of records the embedded storage keeps unless told otherwise: 1 GiB.
pub const DEFAULT_MAX_BYTES: usize = 1024 * 1024 * 1024;

/// Builds a [`MemorySessionStorage`] with other limits.
///
/// ```
/// use std::time::Duration;
/// use cloakroom::MemorySessionStorage;
///
/// let storage = MemorySessionStorage::builder()
///     .max_sessions(10_000)
///     .max_bytes(64 * 1024 * 1024)
///     .default_ttl(Duration::from_secs(600))
///     .build()?;
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
#[must_use]
pub struct MemorySessionStorageBuilder {
    pub(super) max_sessions: usize,
    pub(super) max_bytes: usize,
    pub(super) max_session_bytes: usize,
    pub(super) default_ttl: Duration,
    pub(super) fingerprint_mode: FingerprintMode,
    pub(super) clock: Arc<dyn Clock>,
}

impl MemorySessionStorageBuilder {
    /// How many sessions may live at once (default: 1,000,000).
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.max_sessions = sessions;
        self
    }

    /// How many bytes all records may take together (default: 1 GiB).
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many bytes one record may take (default: 64 KiB).
    pub fn max_session_bytes(mut self, bytes: usize) -> Self {
        self.max_session_bytes = bytes;
        self
    }

    /// The idle timeout of sessions that are given none (default: 30 minutes), from 1 ms to 400
    /// days. An engine with a policy of its own uses the policy's `idle_timeout` instead.
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.default_ttl = ttl;
        self
    }

    /// How fingerprints are compared (default: [`FingerprintMode::Soft`]). An engine whose policy
    /// names a mode uses that one instead.
    pub fn fingerprint_mode(mut self, mode: FingerprintMode) -> Self {
        self.fingerprint_mode = mode;
        self
    }

    /// The clock by which sessions expire (default: [`SystemClock`]).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the storage.
    ///
    /// # Errors
    /// [`ConfigError`] with every limit that makes no sense.
    pub fn build(self) -> Result<MemorySessionStorage, ConfigError> {
        let mut problems = Vec::new();
        let mut at_least = |field, value: usize, least: usize| {
            if value < least {
                problems.push(Problem::new(
                    field,
                    format!("{value} is too small, use at least {least}"),
                ));
            }
        };
        at_least("max_sessions", self.max_sessions, 1);
        at_least("max_session_bytes", self.max_session_bytes, 256);
        at_least("max_bytes", self.max_bytes, self.max_session_bytes);
        if !(lifetime::SHORTEST..=lifetime::LONGEST).contains(&self.default_ttl) {
            problems.push(Problem::new(
                "default_ttl",
                format!("{:?} is not between 1 ms and 400 days", self.default_ttl),
            ));
        }
        ConfigError::check(problems)?;
        Ok(MemorySessionStorage::start(self))
    }
}

impl Default for MemorySessionStorageBuilder {
    fn default() -> Self {
        Self {
            max_sessions: DEFAULT_MAX_SESSIONS,
            max_bytes: DEFAULT_MAX_BYTES,
            max_session_bytes: DEFAULT_MAX_SESSION_BYTES,
            default_ttl: DEFAULT_TTL,
            fingerprint_mode: FingerprintMode::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl std::fmt::Debug for MemorySessionStorageBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySessionStorageBuilder")
            .field("max_sessions", &self.max_sessions)
            .field("max_bytes", &self.max_bytes)
            .field("max_session_bytes", &self.max_session_bytes)
            .finish_non_exhaustive()
    }
}
