//! [`Fixture`]: what the laws need of a storage besides the storage.

use std::future::Future;
use std::time::Duration;

use cloakroom::{
    DEFAULT_MAX_SESSION_BYTES, DEFAULT_TTL, FingerprintMode, SessionKey, SessionStorage,
};

/// Makes empty storages, and lets time pass for them.
pub trait Fixture: Sync {
    /// The storage that is under test.
    type Storage: SessionStorage;

    /// A storage without any session, with these settings.
    fn open(&self, settings: &Settings) -> impl Future<Output = Self::Storage> + Send;

    /// Another storage on the sessions of the one that was opened last, as another node of the
    /// application has it: with connections, a clock and a journal of its own. Where only one process
    /// can have the sessions it is a clone.
    fn node(&self, opened: &Self::Storage) -> impl Future<Output = Self::Storage> + Send;

    /// A length of time of which a law lets a few pass.
    ///
    /// A minute where the clock is moved by hand. Where it is a server's own, so long that a busy
    /// machine does not oversleep it, and so short that nobody minds waiting: 200 ms.
    fn unit(&self) -> Duration;

    /// Lets time pass by the storage's clock.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// A fixture that can look past the storage, at the bytes under a key.
pub trait RawFixture: Fixture {
    /// Puts bytes where the storage keeps the record of `key`, for an hour.
    fn plant(&self, key: &SessionKey, bytes: &[u8]) -> impl Future<Output = ()> + Send;

    /// The bytes that lie where the storage keeps the record of `key`.
    fn look(&self, key: &SessionKey) -> impl Future<Output = Option<Vec<u8>>> + Send;
}

/// How a storage under test is set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How `get` compares fingerprints.
    pub fingerprint_mode: FingerprintMode,
    /// The idle timeout of sessions that are set without one.
    pub default_ttl: Duration,
    /// How many bytes one record may take.
    pub max_session_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fingerprint_mode: FingerprintMode::default(),
            default_ttl: DEFAULT_TTL,
            max_session_bytes: DEFAULT_MAX_SESSION_BYTES,
        }
    }
}
