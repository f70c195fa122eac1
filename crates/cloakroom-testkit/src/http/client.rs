//! [`HttpClient`]: a visitor with a browser, small enough to be read.

use std::io;
use std::net::SocketAddr;

use cloakroom::Policy;

use super::{Cookie, CookieJar, HttpAnswer, HttpRequest, InFlight};

/// A visitor. Clones are the same visitor's further tabs: they start with the same cookies.
#[derive(Clone, Debug)]
pub struct HttpClient {
    node: SocketAddr,
    jar: CookieJar,
    user_agent: String,
    cookie_name: String,
}

impl HttpClient {
    /// A visitor without cookies, who knows the ticket under the default policy's name.
    pub fn new(node: SocketAddr) -> Self {
        let cookie_name = Policy::default().cookie.name;
        let user_agent = "Testkit/1.0".to_owned();
        Self { node, jar: CookieJar::default(), user_agent, cookie_name }
    }

    /// The same visitor where the ticket has another name.
    #[must_use]
    pub fn with_cookie_name(mut self, name: &str) -> Self {
        self.cookie_name = name.to_owned();
        self
    }

    /// The same visitor with another browser that holds the same cookies.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: &str) -> Self {
        self.user_agent = user_agent.to_owned();
        self
    }

    /// The same visitor, whose requests go to another node.
    #[must_use]
    pub fn at(&self, node: SocketAddr) -> Self {
        Self { node, ..self.clone() }
    }

    /// The same visitor with that ticket and no other cookie.
    #[must_use]
    pub fn with_ticket(&self, ticket: &str) -> Self {
        let mut jar = CookieJar::default();
        jar.take(&format!("{}={ticket}; Path=/; Secure", self.cookie_name));
        Self { jar, ..self.clone() }
    }

    /// The same visitor, whose browser was given one more cookie by somebody else.
    #[must_use]
    pub fn holding(mut self, set_cookie: &str) -> Self {
        self.jar.take(set_cookie);
        self
    }

    /// The same visitor without any cookie.
    #[must_use]
    pub fn without_cookies(&self) -> Self {
        Self { jar: CookieJar::default(), ..self.clone() }
    }

    /// The ticket that the visitor holds.
    pub fn ticket(&self) -> Option<&str> {
        self.jar.value(&self.cookie_name)
    }

    /// The `Cookie` header that the visitor sends with every request.
    pub fn cookie_header(&self) -> String {
        self.jar.header("/").unwrap_or_default()
    }

    /// Closes the browser and opens it again.
    pub fn close_browser(&mut self) {
        self.jar.close_browser();
    }

    /// Asks for a page and takes notice of the answer's cookies.
    ///
    /// # Panics
    /// Where no complete answer comes.
    pub async fn get(&mut self, target: &str) -> HttpAnswer {
        match self.try_ask(HttpRequest::get(target)).await {
            Ok(answer) => answer,
            Err(error) => panic!("no answer to GET {target}: {error}"),
        }
    }

    /// Asks for a page that must answer with 200, and gives its text.
    ///
    /// # Panics
    /// Where no complete answer comes, or one with another status.
    pub async fn text(&mut self, target: &str) -> String {
        let answer = self.get(target).await;
        assert_eq!(answer.status(), 200, "GET {target} answered {:?}", answer.text());
        answer.text()
    }

    /// Sends a form, as a browser does, and takes notice of the answer's cookies.
    ///
    /// # Panics
    /// Where no complete answer comes.
    pub async fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> HttpAnswer {
        match self.try_ask(HttpRequest::form(target, fields)).await {
            Ok(answer) => answer,
            Err(error) => panic!("no answer to POST {target}: {error}"),
        }
    }

    /// Sends a request with the visitor's cookies and takes notice of the answer's.
    ///
    /// # Errors
    /// Where no complete answer comes.
    pub async fn try_ask(&mut self, request: HttpRequest) -> io::Result<HttpAnswer> {
        let answer = self.dress(request).ask(self.node).await?;
        self.take(&answer);
        Ok(answer)
    }

    /// Takes notice of the cookies of an answer that came some other way.
    pub fn take(&mut self, answer: &HttpAnswer) {
        for header in answer.headers("set-cookie") {
            self.jar.take(&header);
        }
    }

    /// Sends a request for a page and does not wait for the answer.
    ///
    /// # Panics
    /// Where the server cannot be reached.
    pub async fn begin(&self, target: &str) -> InFlight {
        match self.dress(HttpRequest::get(target)).send(self.node).await {
            Ok(in_flight) => in_flight,
            Err(error) => panic!("GET {target} could not be sent: {error}"),
        }
    }

    /// What an answer says about the ticket, if anything.
    pub fn ticket_cookie(&self, answer: &HttpAnswer) -> Option<Cookie> {
        let cookies = answer.headers("set-cookie");
        let mut ours = cookies
            .iter()
            .filter_map(|header| Cookie::parse(header))
            .filter(|cookie| cookie.name == self.cookie_name);
        let first = ours.next();
        assert!(ours.next().is_none(), "an answer speaks of the ticket once");
        first
    }

    /// A request with the visitor's cookies and browser.
    pub fn dress(&self, request: HttpRequest) -> HttpRequest {
        let request = request.header("user-agent", &self.user_agent);
        match self.jar.header(request.path()) {
            Some(cookies) => request.header("cookie", cookies),
            None => request,
        }
    }
}
