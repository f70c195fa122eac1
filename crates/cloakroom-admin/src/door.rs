//! [`Door`]: who a request comes from. There are two kinds, and none that is open: the operators'
//! passwords, or the application's own guard.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use cloakroom::{
    Clock, ConfigError, CookiePolicy, Engine, Event, Handle, MemorySessionStorage, Policy,
    SameSite, Session, SessionError,
};

use crate::activity;
use crate::guard::{AnyGuard, Operator, Refusal};
use crate::operators::{Operators, random_key};
use crate::pages::answer::Audience;
use crate::throttle::Throttle;

/// How long a sign-in is good for.
const ABSOLUTE: Duration = Duration::from_secs(8 * 60 * 60);

/// How many sign-ins there may be at once.
const MOST: usize = 1000;

/// The way in.
pub(crate) enum Door {
    Operators(Gate),
    Guard(Box<dyn AnyGuard>),
}

/// The way in with a password: a form and a session of the page's own, or a bearer token.
pub(crate) struct Gate {
    operators: Operators,
    throttle: Throttle,
    engine: Engine,
    clock: Arc<dyn Clock>,
}

/// What the application has decided about the way in with a password.
pub(crate) struct Terms {
    pub(crate) transport: Transport,
    /// By which sign-ins end.
    pub(crate) clock: Arc<dyn Clock>,
    /// The policy of the application's own sessions, for the proxies that it trusts.
    pub(crate) application: Policy,
}

/// Where sign-ins travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Https,
    LoopbackHttp,
}

/// A request's operator.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    pub(crate) operator: Operator,
    pub(crate) address: Option<IpAddr>,
    pub(crate) way: Way,
    /// What this sign-in's tokens are made for.
    pub(crate) binding: String,
}

/// How an operator got in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// With the form.
    Form,
    /// With a password in a header, which no other site can make a browser send.
    Bearer,
    /// By the application's own guard.
    Guard,
}

/// Why nobody was let in.
#[derive(Debug)]
pub(crate) enum Closed {
    /// Nobody is signed in: the form is the way.
    SignIn,
    /// The password is wrong.
    Wrong,
    /// There were too many wrong ones; how long to wait.
    Slow(Duration),
    /// The guard's word.
    Refused(Refusal),
}

impl Door {
    pub(crate) async fn admit(
        &self,
        request: &Parts,
        address: Option<IpAddr>,
    ) -> Result<Admitted, Closed> {
        match self {
            Self::Operators(gate) => gate.admit(request, address).await,
            Self::Guard(guard) => {
                let operator = guard.ask(request).await.map_err(Closed::Refused)?;
                let binding = format!("guard {}", operator.name());
                Ok(Admitted { operator, address, way: Way::Guard, binding })
            }
        }
    }
}

impl Gate {
    pub(crate) fn new(operators: Operators, terms: Terms) -> Result<Self, ConfigError> {
        let Terms { transport, clock, application } = terms;
        let storage =
            MemorySessionStorage::builder().max_sessions(MOST).clock(clock.clone()).build()?;
        let mut policy = Policy::default();
        policy.cookie = CookiePolicy::default();
        policy.cookie.name = cookie_name(transport)?;
        policy.cookie.same_site = SameSite::Strict;
        policy.idle_timeout = activity::IDLE;
        policy.absolute_timeout = ABSOLUTE;
        policy.trusted_proxies = application.trusted_proxies;
        policy.local_plain_http = transport == Transport::LoopbackHttp;
        // Requests for any other host than this machine are refused, so there is nobody to warn.
        let engine =
            Engine::builder(storage).policy(policy).observer(|_: &Event<'_>| {}).build()?;
        Ok(Self { operators, throttle: Throttle::default(), engine, clock })
    }

    /// The engine of the operators' own sessions.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The operator with this name and password, where there is one and it may be tried.
    pub(crate) fn check(
        &self,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
    ) -> Result<Operator, Closed> {
        let found = self.throttle.check(from, || self.operators.find(name, password));
        found.map_err(Closed::Slow)?.ok_or(Closed::Wrong)
    }

    /// Who has given this name, for the audit trail.
    pub(crate) fn named(&self, name: &str) -> Operator {
        self.operators.named(name)
    }

    /// Signs an operator in.
    pub(crate) fn sign_in(
        &self,
        session: &Session,
        operator: &Operator,
    ) -> Result<(), SessionError> {
        session.set_owner(operator.name())?;
        activity::begin(session, self.clock.now())
    }

    async fn admit(&self, request: &Parts, address: Option<IpAddr>) -> Result<Admitted, Closed> {
        let handle = request.extensions.get::<Handle>();
        if let Some(handle) = handle
            && let Ok(Some((operator, binding))) = self.signed_in(handle, request).await
        {
            return Ok(Admitted { operator, address, way: Way::Form, binding });
        }
        let password = bearer(request).ok_or(Closed::SignIn)?;
        let found = self.throttle.check(address, || self.operators.find_by_password(password));
        let operator = found.map_err(Closed::Slow)?.ok_or(Closed::Wrong)?;
        Ok(Admitted { operator, address, way: Way::Bearer, binding: String::new() })
    }

    async fn signed_in(
        &self,
        handle: &Handle,
        request: &Parts,
    ) -> Result<Option<(Operator, String)>, SessionError> {
        let Some(session) = handle.load_existing().await? else { return Ok(None) };
        let (Some(owner), Some(id)) = (session.owner(), session.public_id()) else {
            return Ok(None);
        };
        if !activity::goes_on(&session, request.uri.path(), self.clock.now())? {
            session.destroy()?;
            return Ok(None);
        }
        // The id outlives a second sign-in in the same browser, and its moment does not.
        let since = session.signed_in_at().unwrap_or_default().as_millis();
        Ok(Some((Operator::named(owner), format!("session {id} {since}"))))
    }
}

/// Cookies know no ports, and several pages may be open on one machine, each through a tunnel of its
/// own: without a mark each would take away the others' sign-ins.
fn cookie_name(transport: Transport) -> Result<String, ConfigError> {
    let name = "__Host-cloakroom-admin".to_owned();
    if transport == Transport::Https {
        return Ok(name);
    }
    let mark = random_key()?;
    Ok(mark.iter().take(4).fold(name + "-", |name, byte| format!("{name}{byte:02x}")))
}

/// The password that a program sends. On pages for people such a header is a proxy's before us.
fn bearer(request: &Parts) -> Option<&str> {
    if Audience::of(request) == Audience::Person {
        return None;
    }
    let (scheme, password) = request.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| password.trim())
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Operators(gate) => f.debug_tuple("Operators").field(&gate.operators).finish(),
            Self::Guard(_) => f.write_str("Guard"),
        }
    }
}
