//! [`Visitor`]: a browser without a browser. It shows its cookie, and keeps what it is given.

use std::net::{IpAddr, Ipv4Addr};

use cloakroom::{Answer, Engine, Finished, RequestFacts, Session, SessionError, SetCookie};

/// A visitor with or without a ticket.
#[derive(Clone, Default)]
pub struct Visitor {
    cookie: Option<String>,
}

impl Visitor {
    /// A visitor with the cookie that another one has.
    pub fn with_cookie(cookie: &str) -> Self {
        Self { cookie: Some(cookie.to_owned()) }
    }

    /// A visitor whose session holds what `fill` puts into it.
    pub async fn arriving(engine: &Engine, fill: impl FnOnce(&Session)) -> Self {
        let mut visitor = Self::default();
        let handed_out = visitor.request(engine, fill).await.expect("a new session is stored");
        visitor.keep(&handed_out.expect("a new session has a ticket"));
        visitor
    }

    /// The name and value of the cookie.
    pub fn cookie(&self) -> &str {
        self.cookie.as_deref().unwrap_or_default()
    }

    /// One whole request: begin, load, handle, finish.
    pub async fn request(
        &self,
        engine: &Engine,
        handle: impl FnOnce(&Session),
    ) -> Result<Option<SetCookie>, SessionError> {
        let scope = engine.begin(self);
        handle(&scope.handle().load().await?);
        scope.finish(Answer::Ordinary).await.map(Finished::into_cookie)
    }

    /// Whether the visitor's ticket still opens a session.
    pub async fn is_known(&self, engine: &Engine) -> bool {
        let scope = engine.begin(self);
        let session = scope.handle().load_existing().await;
        session.expect("the storage answers").is_some()
    }

    /// Keeps a cookie as a browser does.
    pub fn keep(&mut self, header: &SetCookie) {
        let value = header.value();
        self.cookie = Some(value.split(';').next().unwrap_or_default().to_owned());
    }
}

impl RequestFacts for Visitor {
    fn headers(&self, name: &str, read: &mut dyn FnMut(&[u8])) {
        match (name, &self.cookie) {
            ("cookie", Some(cookie)) => read(cookie.as_bytes()),
            ("user-agent", _) => read(b"Mozilla/5.0 (X11; Linux x86_64) Figures/1.0"),
            _ => {}
        }
    }

    fn peer(&self) -> Option<IpAddr> {
        Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)))
    }
}
