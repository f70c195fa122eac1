//! [`AdminPage`]: the last place with choices, and all routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use cloakroom::{Clock, ConfigError, Engine, SystemClock};
use cloakroom_axum::SessionLayer;

use crate::app::App;
use crate::audit::{Audit, Trail};
use crate::census::Census;
use crate::door::{Door, Gate, Terms, Transport};
use crate::guard::{AnyGuard, Guard};
use crate::mount::Mount;
use crate::observer::AdminObserver;
use crate::operators::Operators;
use crate::seal::Seal;
use crate::under_way::UnderWay;
use crate::{admission, api, assets, headers, pages, sign_in};

/// Builds the page. There is no way to build one that is open.
///
/// Serve the application with `into_make_service_with_connect_info::<SocketAddr>()`, so that wrong
/// passwords are counted by network and the audit trail names addresses. Behind a proxy these are the
/// visitors' own where the engine's policy names the proxy
/// ([`Policy::trusted_proxies`](cloakroom::Policy::trusted_proxies)).
#[must_use]
pub struct AdminPage {
    engine: Engine,
    way_in: WayIn,
    observer: Option<AdminObserver>,
    audit: Option<Box<dyn Audit>>,
    installation: Option<String>,
    transport: Transport,
    origins: Vec<String>,
    secret: Option<Vec<u8>>,
    clock: Arc<dyn Clock>,
    path: Option<String>,
    under_way: UnderWay,
}

enum WayIn {
    Operators(Operators),
    Guard(Box<dyn AnyGuard>),
}

impl AdminPage {
    /// What the page's own addresses begin with. Where a proxy may take a path away or leave it, that
    /// path begins with none of them, for both would be meant.
    pub const OWN_PATHS: [&str; 8] =
        ["api", "assets", "audit", "before", "owner", "sessions", "sign-in", "sign-out"];

    /// A page for people with a password. They sign in with a form, over HTTPS; the cookie is
    /// `__Host-cloakroom-admin`, and a sign-in ends after 15 minutes without use and after 8 hours in
    /// any case. Sign-ins lie in this process's memory. A network has 5 wrong passwords and one more
    /// every 10 s; beyond that 100 a second are looked at, of all networks together.
    ///
    /// Programs send a password as `Authorization: Bearer` to the addresses below `/api/`.
    pub fn for_operators(engine: Engine, operators: Operators) -> Self {
        Self::new(engine, WayIn::Operators(operators))
    }

    /// A page behind the application's own sign-in.
    pub fn behind(engine: Engine, guard: impl Guard) -> Self {
        Self::new(engine, WayIn::Guard(Box::new(guard)))
    }

    fn new(engine: Engine, way_in: WayIn) -> Self {
        Self {
            engine,
            way_in,
            observer: None,
            audit: None,
            installation: None,
            transport: Transport::Https,
            origins: Vec::new(),
            secret: None,
            clock: Arc::new(SystemClock),
            path: None,
            under_way: UnderWay::default(),
        }
    }

    /// Where the figures per second and minute come from: the observer that the engine was built
    /// with (default: none, and the page says what it cannot know).
    pub fn observer(mut self, observer: AdminObserver) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Who keeps the audit trail (default: nobody; the page shows the newest 500 actions and 100
    /// refusals from its memory).
    pub fn audit(mut self, audit: impl Audit) -> Self {
        self.audit = Some(Box::new(audit));
        self
    }

    /// What these sessions are called, such as `production` (default: nothing). It stands in the header
    /// of each page and in each question, so that nobody who has two pages open ends the wrong ones.
    pub fn installation(mut self, name: impl Into<String>) -> Self {
        self.installation = Some(name.into());
        self
    }

    /// An origin such as `https://ops.example` that changes may come from. Needed where a proxy
    /// changes the `Host` header; otherwise an origin must have the same host as the request.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// A secret that the tokens in forms are made with, where several processes serve one page
    /// [behind](AdminPage::behind) a guard (default: each process draws its own).
    pub fn shared_secret(mut self, secret: &[u8]) -> Self {
        self.secret = Some(secret.to_vec());
        self
    }

    /// Serves people on this very machine without HTTPS: the cookie is not `Secure`, and requests for
    /// another host than `localhost`, `127.0.0.1` or `[::1]` are refused. Listen on a loopback
    /// address only.
    pub fn plain_http_on_loopback(mut self) -> Self {
        self.transport = Transport::LoopbackHttp;
        self
    }

    /// The path below which browsers find the page, such as `/ops/sessions` (default: the one at which
    /// it is nested). Needed where a proxy changes paths.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The clock by which sign-ins and forms' tokens end (default: [`SystemClock`]), for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What operators have begun on this page and is not done, to be waited for when the process ends.
    pub fn under_way(&self) -> UnderWay {
        self.under_way.clone()
    }

    /// The page as a router, to be mounted with `nest` or served as it is. Call it in the runtime that
    /// serves the requests.
    ///
    /// # Errors
    /// [`ConfigError`] where a secret is shorter than 32 bytes, a path is none, or the operating system
    /// gives no random bytes.
    pub fn router(self) -> Result<Router, ConfigError> {
        let seal = match &self.secret {
            Some(secret) if secret.len() < 32 => return Err(too_short()),
            Some(secret) => Seal::of(secret, self.clock.clone()),
            None => Seal::draw(self.clock.clone())?,
        };
        let door = match self.way_in {
            WayIn::Operators(operators) => {
                let application = self.engine.policy().clone();
                let terms = Terms { transport: self.transport, clock: self.clock, application };
                Door::Operators(Gate::new(operators, terms)?)
            }
            WayIn::Guard(guard) => Door::Guard(guard),
        };
        Ok(routes(Arc::new(App {
            engine: self.engine,
            observer: self.observer,
            installation: self.installation,
            census: Census::new(),
            trail: Trail::new(self.audit),
            door,
            seal,
            origins: self.origins,
            transport: self.transport,
            mount: self.path.as_deref().map(Mount::named).transpose()?,
            under_way: self.under_way,
        })))
    }
}

fn routes(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .route("/", get(pages::overview::show))
        .route("/sessions", get(pages::sessions::list))
        .route("/sessions/{id}", get(pages::session::show))
        .route("/sessions/{id}/end", get(pages::end::ask_one).post(pages::end::one))
        .route("/sessions/{id}/end-others", get(pages::end::ask_others).post(pages::end::others))
        .route("/owner/end", get(pages::end::ask_owner).post(pages::end::owner))
        .route("/before", get(pages::before::show))
        .route("/before/end", get(pages::before::ask).post(pages::before::end))
        .route("/audit", get(pages::audit::show))
        .route("/sign-out", post(sign_in::leave))
        .route("/api/overview", get(api::overview))
        .route("/api/sessions", get(api::sessions))
        .route("/api/sessions/{id}", get(api::session))
        .route("/api/sessions/{id}/revoke", post(api::revoke))
        .route("/api/sessions/{id}/revoke-others", post(api::revoke_others))
        .route("/api/revoke-owner", post(api::revoke_owner))
        .route("/api/revoke-before", post(api::revoke_before))
        .route("/api/audit", get(api::audit))
        .fallback(pages::answer::not_found)
        .method_not_allowed_fallback(pages::answer::wrong_method)
        .layer(from_fn_with_state(app.clone(), admission::guard));
    let mut router = Router::new().route("/assets/{name}", get(assets::serve));
    if let Door::Operators(gate) = &app.door {
        let sign_in = get(sign_in::show).post(sign_in::enter);
        router = router.route("/sign-in", sign_in).merge(guarded);
        router = router.layer(SessionLayer::new(gate.engine().clone()));
    } else {
        router = router.merge(guarded);
    }
    router
        .layer(from_fn_with_state(app.clone(), admission::only_here))
        .layer(from_fn(headers::add))
        .with_state(app)
}

fn too_short() -> ConfigError {
    let kind = cloakroom::ConfigErrorKind::Invalid;
    ConfigError::new(kind, "shared_secret", "use 32 random bytes at least")
}

impl std::fmt::Debug for AdminPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminPage").field("engine", &self.engine).finish_non_exhaustive()
    }
}
