//! [`EngineBuilder`]: the last place with choices; everything behind it is decided.

use std::io::Write;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::{Background, Engine, Inner, Lanes, MovingIn, Takings};
use crate::error::ConfigError;
use crate::event::{Event, Observer};
use crate::old_session::OldCookie;
use crate::policy::Policy;
use crate::storage::{AnyStorage, SessionStorage};

/// Builds an [`Engine`].
#[must_use]
pub struct EngineBuilder {
    storage: AnyStorage,
    policy: Option<Policy>,
    observer: Option<Arc<dyn Observer>>,
    moving_in: Option<MovingIn>,
}

impl EngineBuilder {
    pub(super) fn new(storage: AnyStorage) -> Self {
        Self { storage, policy: None, observer: None, moving_in: None }
    }

    /// The policy. Without one it is [`Policy::default`] with the storage's own default TTL as its
    /// idle timeout; with one, the policy's idle timeout counts. A policy that names no fingerprint
    /// mode takes the storage's.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Who is told what happens (default: nobody, except that an engine with `local_plain_http`
    /// says so on the standard error output).
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Lets visitors in who still hold the cookie of another library, whose sessions were imported
    /// into this storage (default: nobody). The first request with it gets a ticket of ours, and the
    /// old cookie is taken away; [`OldCookie`] says what holds. `cloakroom-import` has one for each
    /// library that it reads.
    pub fn old_cookie(mut self, cookie: impl OldCookie) -> Self {
        self.moving_in = Some(MovingIn::new(cookie));
        self
    }

    /// Builds the engine. Call it in the runtime that serves the requests: what goes on after them
    /// goes on there. For requests that are served in another runtime, as each of actix-web's workers
    /// has one, the engine starts a thread with a runtime of its own.
    ///
    /// # Errors
    /// [`ConfigError`] with all problems of the policy.
    pub fn build(self) -> Result<Engine, ConfigError> {
        let mut policy = self.policy.unwrap_or_else(|| {
            let idle_timeout = self.storage.default_ttl();
            let mut policy = Policy { idle_timeout, ..Policy::default() };
            policy.absolute_timeout = policy.absolute_timeout.max(idle_timeout);
            policy
        });
        policy.fingerprint.get_or_insert_with(|| self.storage.fingerprint_mode());
        policy.check()?;
        if let Some(observer) = &self.observer {
            self.storage.observe_with(observer.clone());
        }
        let policy = policy.effective();
        let engine = Engine {
            inner: Arc::new(Inner {
                storage: self.storage,
                cookie_name: Finder::new(&policy.cookie.name).into_owned(),
                policy,
                observer: self.observer,
                moving_in: self.moving_in,
                lanes: Arc::new(Lanes::default()),
                background: Background::here(),
                takings: Takings::default(),
            }),
        };
        if engine.policy().local_plain_http {
            warn_of_plain_http(&engine);
        }
        Ok(engine)
    }
}

/// Nobody should find out from a stolen cookie: where no observer listens, a person is told.
fn warn_of_plain_http(engine: &Engine) {
    if engine.inner.observer.is_some() {
        return engine.emit(&Event::PlainHttp);
    }
    // Not `eprintln!`: a process whose standard error output is closed must start all the same.
    let _ = writeln!(
        std::io::stderr(),
        "cloakroom: WARNING: session cookies travel over plain HTTP (local_plain_http is on). \
         For development on your own machine only."
    );
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("storage", &self.storage)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
