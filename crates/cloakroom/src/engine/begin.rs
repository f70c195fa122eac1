//! The beginning of a request: from its headers to a [`RequestScope`], without any I/O.

use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;

use super::{Engine, RequestScope, client_address};
use crate::cookie::Candidates;
use crate::event::Event;
use crate::fingerprint::{Address, FingerprintMode, SessionFingerprint};
use crate::handle::Visit;
use crate::session::State;

/// What an adapter tells the engine about a request.
pub trait RequestFacts {
    /// Calls `read` with the value of each header of that name, in order. Names are lower case.
    fn headers(&self, name: &str, read: &mut dyn FnMut(&[u8]));

    /// The address that the connection comes from.
    fn peer(&self) -> Option<IpAddr>;
}

impl Engine {
    /// Begins a request. Nothing is asked of the storage yet.
    pub fn begin(&self, request: &impl RequestFacts) -> RequestScope {
        let mut candidates = Candidates::default();
        let name = &self.inner.cookie_name;
        request.headers("cookie", &mut |header| candidates.read(header, name));
        if candidates.has_malformed() {
            self.emit(&Event::MalformedTicket);
        }
        if candidates.has_ignored() {
            self.emit(&Event::TooManyCookies);
        }
        let moving_in = self.inner.moving_in.as_ref();
        let arrival = moving_in.and_then(|from| from.look(request, &candidates));
        RequestScope::new(Arc::new(Visit {
            engine: self.clone(),
            candidates,
            arrival,
            fingerprint: self.fingerprint(request),
            loaded: OnceCell::new(),
            is_copy: AtomicBool::new(false),
            reloaded: OnceCell::new(),
            state: Mutex::new(State::anonymous(self.limits())),
        }))
    }

    /// The address of the visitor who makes a request: the peer's, or what the policy's
    /// [`trusted_proxies`](crate::Policy::trusted_proxies) say of who came before them. `None` where
    /// the peer is not known or a trusted proxy names something that is no address.
    ///
    /// ```
    /// use cloakroom::{Engine, MemorySessionStorage, Policy};
    /// use cloakroom_testkit::FakeRequest;
    ///
    /// let mut policy = Policy::default();
    /// policy.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    /// let engine = Engine::builder(MemorySessionStorage::new()).policy(policy).build()?;
    /// let request = FakeRequest::new().peer("10.0.0.1").forwarded_for("198.51.100.7");
    /// assert_eq!(engine.client_address(&request), "198.51.100.7".parse().ok());
    /// # Ok::<(), cloakroom::ConfigError>(())
    /// ```
    pub fn client_address(&self, request: &impl RequestFacts) -> Option<IpAddr> {
        match client_address::find(request, &self.policy().trusted_proxies)? {
            Address::Ip(address) => Some(address),
            Address::Text(_) => None,
        }
    }

    fn fingerprint(&self, request: &impl RequestFacts) -> Option<SessionFingerprint> {
        let policy = self.policy();
        if policy.fingerprint_mode() == FingerprintMode::Disabled {
            return None;
        }
        let address = client_address::find(request, &policy.trusted_proxies);
        let mut fingerprint = SessionFingerprint::from_address(address);
        request.headers("user-agent", &mut |header| {
            match str::from_utf8(header) {
                Ok(user_agent) => fingerprint.set_user_agent(user_agent),
                // Several times as slow, and rare.
                Err(_) => fingerprint.set_user_agent(&String::from_utf8_lossy(header)),
            }
        });
        (fingerprint != SessionFingerprint::default()).then_some(fingerprint)
    }
}
