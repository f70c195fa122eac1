//! [`OldSessionId`] and [`OldCookie`]: where sessions of another library lie after they were imported,
//! and how their visitors are recognised.
//!
//! An import stores an old session under a place and with a proof that are derived from its id. The
//! proof is the hash of no verifier, so no ticket opens such a record: only an old cookie does that
//! the application's [`OldCookie`] has accepted. An id alone, from a dump of the old storage, opens
//! nothing where the old library signs its cookies.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::mark::MarkKey;
use crate::ticket::Ticket;
use crate::token::{SessionKey, Token, VerifierHash};

/// The name of one session of another library.
///
/// ```
/// use cloakroom::OldSessionId;
///
/// let id = OldSessionId::new("tower-sessions", "AAAAAAAAAAAAAAAAAAAAAA");
/// assert_eq!(id.key(), OldSessionId::new("tower-sessions", "AAAAAAAAAAAAAAAAAAAAAA").key());
/// assert_ne!(id.key(), OldSessionId::new("actix-session", "AAAAAAAAAAAAAAAAAAAAAA").key());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OldSessionId([u8; 32]);

impl OldSessionId {
    /// The session that `library` knows under `id`. Whoever imports and whoever reads cookies must
    /// give the library the same name.
    pub fn new(library: &str, id: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(b"cloakroom.old.1")
            .chain_update((library.len() as u64).to_be_bytes())
            .chain_update(library)
            .chain_update(id);
        Self(digest.finalize().into())
    }

    /// Where the imported session lies, before and after its visitor has a ticket.
    pub fn key(&self) -> SessionKey {
        self.token([0; 32]).key()
    }

    /// What the imported record must hold until its visitor has a ticket. No ticket proves itself
    /// with it.
    pub fn proof(&self) -> VerifierHash {
        VerifierHash::from_bytes(self.derive(b"cloakroom.old.proof.1"))
    }

    /// Where it is noted that the session was imported. An import leaves this mark before it writes
    /// the session, for as long as the old library can keep it; a mark without a session means that
    /// it has ended since and must not be written again.
    pub fn note_key(&self) -> MarkKey {
        MarkKey::derive(b"cloakroom.old.note.1", &self.0)
    }

    /// Where the salt of the first ticket lies for a moment.
    pub(crate) fn salt_key(&self) -> MarkKey {
        MarkKey::derive(b"cloakroom.old.salt.1", &self.0)
    }

    /// The first ticket of ours: the same one for all who show the same cookie while the salt exists,
    /// and nobody's without the salt.
    pub(crate) fn ticket(&self, cookie: &[u8; 32], salt: &[u8]) -> Ticket {
        let digest = Sha256::new()
            .chain_update(b"cloakroom.old.ticket.1")
            .chain_update(self.0)
            .chain_update(cookie)
            .chain_update(salt);
        Ticket::new(self.token(digest.finalize().into()))
    }

    fn token(&self, verifier: [u8; 32]) -> Token {
        let mut selector = [0; 16];
        selector.copy_from_slice(&self.derive(b"cloakroom.old.selector.1")[..16]);
        Token::from_parts(selector, verifier)
    }

    fn derive(&self, domain: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(domain).chain_update(self.0).finalize().into()
    }
}

impl fmt::Debug for OldSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OldSessionId({})", self.key().public_id())
    }
}

/// Recognises the cookie of the library that an application has left, so that its visitors stay
/// signed in. Given to [`EngineBuilder::old_cookie`](crate::EngineBuilder::old_cookie); requests of
/// an engine without one pay nothing.
///
/// - It counts only in a request without a ticket of ours.
/// - The first request that shows it and asks for the session gives the session its first ticket; the
///   answer hands it out and takes the old cookie away. For one minute from then on, requests that
///   were sent with the old cookie are served and handed *the same* ticket, on every node: so
///   requests in flight together, and answers that were lost, sign nobody out.
/// - After that minute, after the next rotation, and after a sign-in or a sign-out at once, the old
///   cookie opens nothing.
/// - What is opened so is not a fresh sign-in: `require_fresh_auth` refuses it until the next one.
/// - A cookie that is refused here is no cookie. One that is accepted and opens nothing, because the
///   session is not imported yet or is over, is left where it is until a ticket takes its place.
///
/// ```
/// use cloakroom::{Engine, MemorySessionStorage, OldCookie, OldSessionId};
///
/// /// A library whose cookie holds the session's id and nothing else.
/// struct Plain;
///
/// impl OldCookie for Plain {
///     fn name(&self) -> &str {
///         "sid"
///     }
///
///     fn read(&self, value: &[u8]) -> Option<OldSessionId> {
///         let id = str::from_utf8(value).ok().filter(|id| id.len() == 32)?;
///         Some(OldSessionId::new("plain", id))
///     }
/// }
///
/// let engine = Engine::builder(MemorySessionStorage::new()).old_cookie(Plain).build()?;
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
pub trait OldCookie: Send + Sync + 'static {
    /// The cookie's name.
    fn name(&self) -> &str;

    /// The session that a cookie of this name belongs to, if its value is genuine: where the library
    /// signs or encrypts, that must be checked here. Called on the request's path.
    fn read(&self, value: &[u8]) -> Option<OldSessionId>;

    /// The `Path` that the cookie was set with (default: `/`). With another one browsers do not let
    /// go of it.
    fn path(&self) -> &str {
        "/"
    }

    /// The `Domain` that the cookie was set with (default: none).
    fn domain(&self) -> Option<&str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_derived_from_an_id_is_different_and_repeatable() {
        let id = OldSessionId::new("library", "id");
        assert_ne!(id.note_key(), id.salt_key());
        assert_ne!(id.note_key(), OldSessionId::new("library", "di").note_key());
        assert_ne!(id, OldSessionId::new("librar", "yid"), "the border counts");
        let ticket = id.ticket(&[1; 32], b"salt");
        assert_eq!(ticket.key(), id.key());
        assert!(ticket.proof() == id.ticket(&[1; 32], b"salt").proof());
        assert!(ticket.proof() != id.ticket(&[2; 32], b"salt").proof(), "another cookie");
        assert!(ticket.proof() != id.ticket(&[1; 32], b"salz").proof(), "another salt");
        assert!(ticket.proof() != id.proof());
    }
}
