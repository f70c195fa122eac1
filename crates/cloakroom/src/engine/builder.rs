//! [`EngineBuilder`]: the last place with choices; everything behind it is decided.

use std::sync::Arc;

use super::{Background, Engine, Inner, Lanes};
use crate::error::ConfigError;
use crate::event::{Event, Observer};
use crate::policy::Policy;
use crate::storage::{AnyStorage, SessionStorage};

/// Builds an [`Engine`].
#[must_use]
pub struct EngineBuilder {
    storage: AnyStorage,
    policy: Option<Policy>,
    observer: Option<Arc<dyn Observer>>,
}

impl EngineBuilder {
    pub(super) fn new(storage: AnyStorage) -> Self {
        Self { storage, policy: None, observer: None }
    }

    /// The policy. Without one it is [`Policy::default`] with the storage's own default TTL and
    /// fingerprint mode.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Who is told what happens (default: nobody).
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Builds the engine.
    ///
    /// # Errors
    /// [`ConfigError`] with all problems of the policy.
    pub fn build(self) -> Result<Engine, ConfigError> {
        let policy = self.policy.unwrap_or_else(|| {
            let idle_timeout = self.storage.default_ttl();
            let mut policy = Policy { idle_timeout, ..Policy::default() };
            policy.absolute_timeout = policy.absolute_timeout.max(idle_timeout);
            policy.fingerprint = self.storage.fingerprint_mode();
            policy
        });
        policy.check()?;
        let engine = Engine {
            inner: Arc::new(Inner {
                storage: self.storage,
                policy: policy.effective(),
                observer: self.observer,
                lanes: Arc::new(Lanes::default()),
                background: Arc::new(Background::default()),
            }),
        };
        if engine.policy().local_plain_http {
            engine.emit(&Event::PlainHttp);
        }
        Ok(engine)
    }
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("storage", &self.storage)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
