//! [`Signals`]: what the connections of a storage tell the rest of it. Observers hear events; the
//! journal hears that a server is back, or that its history is another one.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use cloakroom::{Event, Observer};

/// Wants to know when a server can be used again.
pub(crate) trait Outage: Send + Sync {
    /// A server answers that did not, or takes writes that it refused.
    fn server_is_back(&self);

    /// Another server has become the primary, or the same one was restarted: what was written last
    /// may be missing.
    fn history_changed(&self);
}

/// One per storage; its connections share it.
#[derive(Default)]
pub(crate) struct Signals {
    observer: RwLock<Option<Arc<dyn Observer>>>,
    outage: OnceLock<Weak<dyn Outage>>,
}

impl Signals {
    pub(crate) fn observe_with(&self, observer: Arc<dyn Observer>) {
        *self.observer.write().unwrap_or_else(PoisonError::into_inner) = Some(observer);
    }

    /// Names the one who hears of outages. Only the first call counts.
    pub(crate) fn watch_outages(&self, outage: Weak<dyn Outage>) {
        let _ = self.outage.set(outage);
    }

    pub(crate) fn emit(&self, event: &Event<'_>) {
        // Cloned, so that an observer may do what it likes without holding the lock.
        let observer = self.observer.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(observer) = observer {
            observer.observe(event);
        }
    }

    pub(crate) fn server_is_back(&self) {
        if let Some(outage) = self.outage.get().and_then(Weak::upgrade) {
            outage.server_is_back();
        }
    }

    pub(crate) fn history_changed(&self) {
        if let Some(outage) = self.outage.get().and_then(Weak::upgrade) {
            outage.history_changed();
        }
    }
}

impl std::fmt::Debug for Signals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signals").finish_non_exhaustive()
    }
}
