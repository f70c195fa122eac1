//! [`FakeRequest`]: a request without a web framework, for tests that call the engine as an adapter
//! would.

use std::net::IpAddr;

use cloakroom::{RequestFacts, SetCookie};

/// What a browser sends, as far as the engine looks at it.
///
/// ```
/// use cloakroom_testkit::FakeRequest;
///
/// let request = FakeRequest::new().peer("192.0.2.7").user_agent("Browser/1");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct FakeRequest {
    cookies: Vec<Vec<u8>>,
    user_agent: Option<String>,
    peer: Option<IpAddr>,
    forwarded_for: Vec<String>,
}

impl FakeRequest {
    /// A request without a cookie from nowhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// The request of a browser that has kept this cookie.
    pub fn with(set_cookie: &SetCookie) -> Self {
        Self::new().cookie(cookie_pair(set_cookie))
    }

    /// The `Cookie` headers, each as its bytes.
    pub fn cookies(mut self, headers: Vec<Vec<u8>>) -> Self {
        self.cookies = headers;
        self
    }

    /// One more `Cookie` header.
    pub fn cookie(mut self, header: &str) -> Self {
        self.cookies.push(header.as_bytes().to_vec());
        self
    }

    /// The `User-Agent` header.
    pub fn user_agent(mut self, user_agent: &str) -> Self {
        self.user_agent = Some(user_agent.to_owned());
        self
    }

    /// The address that the connection comes from; what is no address leaves it unknown.
    pub fn peer(mut self, address: &str) -> Self {
        self.peer = address.parse().ok();
        self
    }

    /// One more `X-Forwarded-For` header.
    pub fn forwarded_for(mut self, header: &str) -> Self {
        self.forwarded_for.push(header.to_owned());
        self
    }
}

impl RequestFacts for FakeRequest {
    fn headers(&self, name: &str, read: &mut dyn FnMut(&[u8])) {
        match name {
            "cookie" => self.cookies.iter().for_each(|header| read(header)),
            "user-agent" => self.user_agent.iter().for_each(|header| read(header.as_bytes())),
            "x-forwarded-for" => {
                self.forwarded_for.iter().for_each(|header| read(header.as_bytes()));
            }
            _ => {}
        }
    }

    fn peer(&self) -> Option<IpAddr> {
        self.peer
    }
}

/// The `name=ticket` that a browser sends back.
pub fn cookie_pair(set_cookie: &SetCookie) -> &str {
    set_cookie.value().split(';').next().unwrap_or_default()
}

/// The ticket's text; empty where the header takes the ticket away.
pub fn ticket_in(set_cookie: &SetCookie) -> &str {
    cookie_pair(set_cookie).split_once('=').map_or("", |(_, ticket)| ticket)
}
