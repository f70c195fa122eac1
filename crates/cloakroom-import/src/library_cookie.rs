//! [`LibraryCookie`]: the cookies of other libraries, checked as those libraries check them.
//!
//! An application gives one to its engine. Keys and secrets are those that the old library was given.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use cloakroom::{ConfigError, ConfigErrorKind, OldCookie, OldSessionId};
use cookie::{Cookie, CookieJar, Key};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode;
use sha2::Sha256;

use crate::library::Library;

/// The cookie of a library that an application has left.
///
/// ```
/// use cloakroom::{Engine, MemorySessionStorage};
/// use cloakroom_import::{LibraryCookie, Seal};
///
/// let key = [7; 64]; // what the old application gave to `with_signed`
/// let cookie = LibraryCookie::tower_sessions(Seal::signed(&key)?).named("sid");
/// let engine = Engine::builder(MemorySessionStorage::new()).old_cookie(cookie).build()?;
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct LibraryCookie {
    library: Library,
    check: Check,
    name: String,
    path: String,
    domain: Option<String>,
}

/// How the `cookie` crate has protected a cookie, for tower-sessions and actix-session.
#[derive(Clone)]
pub struct Seal(Sealed);

#[derive(Clone)]
enum Sealed {
    Signed(Key),
    Private(Key),
}

#[derive(Clone)]
enum Check {
    /// The id alone, where there is none.
    Seal(Option<Seal>),
    Express {
        secrets: Vec<Vec<u8>>,
    },
    Spring {
        route: String,
    },
}

impl Seal {
    /// Signed with this key.
    ///
    /// # Errors
    /// Where the key has less than 64 bytes.
    pub fn signed(key: &[u8]) -> Result<Self, ConfigError> {
        Ok(Self(Sealed::Signed(read_key(key)?)))
    }

    /// Encrypted with this key, as actix-session has it unless told otherwise.
    ///
    /// # Errors
    /// Where the key has less than 64 bytes.
    pub fn private(key: &[u8]) -> Result<Self, ConfigError> {
        Ok(Self(Sealed::Private(read_key(key)?)))
    }

    fn open(&self, name: &str, value: &str) -> Option<String> {
        let cookie = Cookie::new(name.to_owned(), value.to_owned());
        let opened = match &self.0 {
            Sealed::Signed(key) => CookieJar::new().signed(key).verify(cookie)?,
            Sealed::Private(key) => CookieJar::new().private(key).decrypt(cookie)?,
        };
        Some(opened.value().to_owned())
    }
}

impl LibraryCookie {
    /// The cookie of tower-sessions; its name is `id` unless told otherwise. `None`: the id alone, as
    /// tower-sessions has it unless told otherwise.
    pub fn tower_sessions(seal: impl Into<Option<Seal>>) -> Self {
        Self::new(Library::TowerSessions, "id", Check::Seal(seal.into()))
    }

    /// The cookie of actix-session; its name is `id` unless told otherwise.
    pub fn actix_session(seal: Seal) -> Self {
        Self::new(Library::ActixSession, "id", Check::Seal(Some(seal)))
    }

    /// The cookie of express-session, with its secrets; its name is `connect.sid` unless told
    /// otherwise.
    ///
    /// # Errors
    /// Where there is no secret, or one of them is empty: with that anybody could sign. A variable
    /// that is not set is often read as an empty text.
    pub fn express_session<S: AsRef<[u8]>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        let secrets: Vec<_> = secrets.into_iter().map(|it| it.as_ref().to_vec()).collect();
        if secrets.is_empty() || secrets.iter().any(Vec::is_empty) {
            let message =
                "express-session signs with a secret; give all that are in use, none empty";
            return Err(ConfigError::new(ConfigErrorKind::Invalid, "secrets", message));
        }
        Ok(Self::new(Library::ConnectRedis, "connect.sid", Check::Express { secrets }))
    }

    /// The cookie of Spring Session; its name is `SESSION` unless told otherwise. Spring does not
    /// sign it.
    pub fn spring_session() -> Self {
        Self::new(Library::SpringSession, "SESSION", Check::Spring { route: String::new() })
    }

    /// The same with what Spring was told as `jvmRoute`.
    pub fn spring_session_on_route(route: &str) -> Self {
        Self { check: Check::Spring { route: format!(".{route}") }, ..Self::spring_session() }
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same with another `Path` than `/`.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same with a `Domain`.
    #[must_use]
    pub fn with_domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    fn new(library: Library, name: &str, check: Check) -> Self {
        Self { library, check, name: name.to_owned(), path: "/".to_owned(), domain: None }
    }

    /// The id in a cookie's value; `None` where the value is not genuine.
    fn id(&self, value: &[u8]) -> Option<String> {
        let value = percent_decode(value).decode_utf8().ok()?;
        match &self.check {
            Check::Seal(Some(seal)) => seal.open(&self.name, &value),
            Check::Seal(None) => Some(value.into_owned()),
            Check::Express { secrets } => express_id(value, secrets),
            Check::Spring { route } => {
                let id = String::from_utf8(STANDARD.decode(value.as_bytes()).ok()?).ok()?;
                Some(id.strip_suffix(route.as_str()).unwrap_or(&id).to_owned())
            }
        }
    }
}

impl OldCookie for LibraryCookie {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, value: &[u8]) -> Option<OldSessionId> {
        let id = self.id(value)?;
        let is_one = self.library.id_in(id.as_bytes(), "").is_some();
        is_one.then(|| self.library.session_id(&id))
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }
}

impl fmt::Debug for LibraryCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LibraryCookie")
            .field("library", &self.library)
            .field("name", &self.name)
            .field("path", &self.path)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Sealed::Signed(_) => "Seal(signed)",
            Sealed::Private(_) => "Seal(private)",
        })
    }
}

/// `s:ID.SIGNATURE`; several secrets are tried, because old ones may still be in use.
fn express_id(value: Cow<'_, str>, secrets: &[Vec<u8>]) -> Option<String> {
    let (id, signature) = value.strip_prefix("s:")?.rsplit_once('.')?;
    let signature = STANDARD_NO_PAD.decode(signature).ok()?;
    let signs = |secret: &Vec<u8>| {
        let mac = Hmac::<Sha256>::new_from_slice(secret).ok();
        // The comparison takes the same time for every signature.
        mac.is_some_and(|mac| mac.chain_update(id).verify_slice(&signature).is_ok())
    };
    secrets.iter().any(signs).then(|| id.to_owned())
}

fn read_key(key: &[u8]) -> Result<Key, ConfigError> {
    Key::try_from(key).map_err(|_| {
        let message = "the key of a signed or private cookie has 64 bytes at least";
        ConfigError::new(ConfigErrorKind::Invalid, "key", message)
    })
}
