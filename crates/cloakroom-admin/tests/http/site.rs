//! The page mounted in an application, and a browser without JavaScript.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use cloakroom::{Answer, Engine, MemorySessionStorage, PublicId};
use cloakroom_admin::{AdminObserver, AdminPage, Operators};
use cloakroom_testkit::FakeRequest;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

pub const PASSWORD: &str = "a password that was drawn";
pub const HOST: &str = "admin.example";
const COOKIE: &str = "__Host-cloakroom-admin";

/// An application with the page under `/admin`.
pub struct Site {
    pub engine: Engine,
    pub router: Router,
}

/// What was answered.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// A browser: one cookie, the headers that browsers send, and the token of the last page.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub cookie: Option<String>,
    pub token: String,
    peer: SocketAddr,
}

pub fn operators() -> Operators {
    Operators::new("ada", PASSWORD).unwrap()
}

impl Site {
    pub fn new() -> Self {
        Self::on(|observer| {
            Engine::builder(MemorySessionStorage::new()).observer(observer).build().unwrap()
        })
    }

    pub fn on(engine: impl FnOnce(AdminObserver) -> Engine) -> Self {
        let observer = AdminObserver::new();
        let engine = engine(observer.clone());
        let page = AdminPage::for_operators(engine.clone(), operators()).observer(observer);
        let router = Router::new().nest("/admin", page.router().unwrap());
        Self { engine, router }
    }

    pub fn browser(&self) -> Browser {
        Browser::of(&self.router)
    }

    /// A browser that has signed in.
    pub async fn operator(&self) -> Browser {
        let mut browser = self.browser();
        let got = browser.sign_in("ada", PASSWORD).await;
        assert_eq!((got.status, got.header("location")), (StatusCode::SEE_OTHER, "/admin"));
        // Its token.
        browser.get("/admin").await;
        browser
    }

    /// Somebody with a session in the application; signed in, where there is a name.
    pub async fn visit(&self, owner: Option<&str>, user_agent: &str) -> PublicId {
        visit(&self.engine, owner, user_agent).await
    }

    pub async fn lives(&self, id: PublicId) -> bool {
        self.engine.session(id).await.unwrap().session().is_some()
    }
}

pub async fn visit(engine: &Engine, owner: Option<&str>, user_agent: &str) -> PublicId {
    visit_for_a_ticket(engine, owner, user_agent).await.0
}

/// The same, and the ticket that the visitor's cookie holds.
pub async fn visit_for_a_ticket(
    engine: &Engine,
    owner: Option<&str>,
    user_agent: &str,
) -> (PublicId, String) {
    let request = FakeRequest::new().peer("192.0.2.7").user_agent(user_agent);
    let scope = engine.begin(&request);
    let session = scope.handle().load().await.unwrap();
    session.insert("secret", "a value that nobody may see").unwrap();
    if let Some(owner) = owner {
        session.set_owner(owner).unwrap();
    }
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    let cookie = finished.cookie().unwrap().value().split(';').next().unwrap();
    (session.public_id().unwrap(), cookie.split_once('=').unwrap().1.to_owned())
}

impl Browser {
    pub fn of(router: &Router) -> Self {
        let peer = "198.51.100.9:5000".parse().unwrap();
        Self { router: router.clone(), cookie: None, token: String::new(), peer }
    }

    pub async fn get(&mut self, path: &str) -> Got {
        self.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form from one of the page's own pages, with the token.
    pub async fn post(&mut self, path: &str, form: &str) -> Got {
        let form = format!("token={}&{form}", self.token);
        self.post_bare(path, &form).await
    }

    /// The same without the token.
    pub async fn post_bare(&mut self, path: &str, form: &str) -> Got {
        let request = self
            .request("POST", path)
            .header("origin", format!("https://{HOST}"))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// A change by the JSON interface, as the page's script asks for one.
    pub async fn order(&mut self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self
            .request("POST", path)
            .header("origin", format!("https://{HOST}"))
            .header("x-cloakroom-token", &self.token)
            .header("content-type", "application/json");
        let got = self.send(request.body(Body::from(body.to_string())).unwrap()).await;
        (got.status, got.json())
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Got {
        self.post_bare("/admin/sign-in", &format!("name={name}&password={password}")).await
    }

    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let mut request =
            Request::builder().method(method).uri(path).extension(ConnectInfo(self.peer));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("theme=dark; {COOKIE}={cookie}"));
        }
        request.header("host", HOST).header("user-agent", "Browser/1")
    }

    pub async fn send(&mut self, request: Request<Body>) -> Got {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(bytes.to_vec()).unwrap();
        let got = Got { status: parts.status, headers: parts.headers, body };
        for cookie in got.headers.get_all("set-cookie") {
            let (pair, rest) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert_eq!(name, COOKIE);
            for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
                assert!(rest.contains(attribute), "{rest}");
            }
            self.cookie = (!rest.contains("Max-Age=0")).then(|| value.to_owned());
        }
        if let Some((_, rest)) = got.body.split_once("name=\"token\" value=\"") {
            self.token = rest.split('"').next().unwrap().to_owned();
        }
        got
    }
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The visible text after a mark, up to the next tag.
    pub fn text_after(&self, mark: &str) -> &str {
        let (_, rest) = self.body.split_once(mark).unwrap_or_else(|| panic!("{mark}: {self:?}"));
        rest.split('<').next().unwrap()
    }
}
