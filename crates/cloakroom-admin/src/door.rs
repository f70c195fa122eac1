//! [`Door`]: who a request comes from. There are two kinds, and none that is open: the operators'
//! passwords, or the application's own guard.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use cloakroom::{
    ConfigError, CookiePolicy, Engine, Event, Handle, MemorySessionStorage, Policy, SameSite,
    Session, SessionError,
};

use crate::activity;
use crate::guard::{AnyGuard, Operator, Refusal};
use crate::operators::Operators;
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
    pub(crate) async fn admit(&self, request: &Parts) -> Result<Admitted, Closed> {
        match self {
            Self::Operators(gate) => gate.admit(request).await,
            Self::Guard(guard) => {
                let operator = guard.ask(request).await.map_err(Closed::Refused)?;
                let binding = format!("guard {}", operator.name());
                Ok(Admitted { operator, address: address(request), way: Way::Guard, binding })
            }
        }
    }
}

impl Gate {
    pub(crate) fn new(operators: Operators, transport: Transport) -> Result<Self, ConfigError> {
        let storage = MemorySessionStorage::builder().max_sessions(MOST).build()?;
        let mut policy = Policy::default();
        policy.cookie = CookiePolicy::default();
        policy.cookie.name = "__Host-cloakroom-admin".to_owned();
        policy.cookie.same_site = SameSite::Strict;
        policy.idle_timeout = activity::IDLE;
        policy.absolute_timeout = ABSOLUTE;
        policy.local_plain_http = transport == Transport::LoopbackHttp;
        // Requests for any other host than this machine are refused, so there is nobody to warn.
        let engine =
            Engine::builder(storage).policy(policy).observer(|_: &Event<'_>| {}).build()?;
        Ok(Self { operators, throttle: Throttle::default(), engine })
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

    async fn admit(&self, request: &Parts) -> Result<Admitted, Closed> {
        let address = address(request);
        if let Some(password) = bearer(&request.headers) {
            let find = || self.operators.find_by_password(password);
            let found = self.throttle.check(address, find).map_err(Closed::Slow)?;
            let operator = found.ok_or(Closed::Wrong)?;
            return Ok(Admitted { operator, address, way: Way::Bearer, binding: String::new() });
        }
        let handle = request.extensions.get::<Handle>().ok_or(Closed::SignIn)?;
        let signed_in = self.signed_in(handle, request).await.unwrap_or(None);
        let (operator, binding) = signed_in.ok_or(Closed::SignIn)?;
        Ok(Admitted { operator, address, way: Way::Form, binding })
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
        if !activity::goes_on(&session, request.uri.path())? {
            session.destroy()?;
            return Ok(None);
        }
        Ok(Some((Operator::named(owner), format!("session {id}"))))
    }
}

/// Signs an operator in.
pub(crate) fn sign_in(session: &Session, operator: &Operator) -> Result<(), SessionError> {
    session.set_owner(operator.name())?;
    activity::begin(session)
}

/// The address that a request comes from, where the application tells it.
pub(crate) fn address(request: &Parts) -> Option<IpAddr> {
    request.extensions.get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip().to_canonical())
}

/// The password in a request's header. Other schemes are somebody else's: a proxy's before the page.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, password) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
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
