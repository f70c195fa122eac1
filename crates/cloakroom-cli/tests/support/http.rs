//! A visitor with one cookie and a plain HTTP/1.1 client: what is sent and received is all there is.
//! No answer may show a ticket of the visitor's, former ones too, outside of its cookie.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One browser without JavaScript. Clones begin with the same ticket.
#[derive(Clone, Debug)]
pub struct Visitor {
    port: u16,
    agent: Option<&'static str>,
    ticket: Option<String>,
    /// All that it ever had.
    tickets: Vec<String>,
}

/// What the demo has answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    head: String,
}

impl Visitor {
    /// A visitor without a ticket.
    pub fn of(port: u16) -> Self {
        Self { port, agent: None, ticket: None, tickets: Vec::new() }
    }

    /// The same visitor, who names a browser.
    pub fn with(self, agent: &'static str) -> Self {
        Self { agent: Some(agent), ..self }
    }

    /// The same visitor, with the same ticket, at another process.
    pub fn at(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    pub fn ticket(&self) -> Option<&str> {
        self.ticket.as_deref()
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub async fn post(&mut self, path: &str, form: &str) -> Answer {
        self.send("POST", path, form).await
    }

    /// Signs in, and follows the redirect to the page that greets.
    pub async fn sign_in(&mut self, name: &str) -> Answer {
        let answer = self.post("/sign-in", &format!("name={name}")).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
        self.get("/").await
    }

    async fn send(&mut self, method: &str, path: &str, form: &str) -> Answer {
        let cookie = match &self.ticket {
            Some(ticket) => format!("Cookie: theme=dark; id={ticket}\r\n"),
            None => String::new(),
        };
        let agent = self.agent.map(|agent| format!("User-Agent: {agent}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{agent}{cookie}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let answer = Answer::read(&text);
        if let Some(cookie) = answer.header("set-cookie") {
            let (value, attributes) = cookie.split_once(';').unwrap();
            let kept = !attributes.contains("Max-Age=0");
            self.ticket = kept.then(|| value.strip_prefix("id=").unwrap().to_owned());
            self.tickets.extend(self.ticket.clone());
        }
        let shown = answer.shown();
        for ticket in &self.tickets {
            assert!(!shown.contains(ticket), "{method} {path} shows a ticket");
        }
        answer
    }
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, body: body.to_owned(), head: head.to_owned() }
    }

    /// The first header of that name, which is lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|it| it.1)
    }

    /// The body, and every header that a visitor's cookie does not stand in.
    fn shown(&self) -> String {
        let heads = self.head.lines().filter(|line| {
            let name = line.split(':').next().unwrap_or_default();
            !name.eq_ignore_ascii_case("set-cookie")
        });
        heads.chain([self.body.as_str()]).collect::<Vec<_>>().join("\n")
    }

    /// What the request has asked of the storage, as `Server-Timing` tells it.
    pub fn cost(&self) -> &str {
        self.header("server-timing").unwrap().split('"').nth(1).unwrap()
    }

    /// The value of the first attribute of that name in the page.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("{name}=\""))?;
        rest.split('"').next()
    }

    /// The name that the page says is signed in.
    pub fn owner(&self) -> Option<&str> {
        let (_, rest) = self.body.split_once("<strong data-owner>")?;
        rest.split('<').next()
    }

    /// How many of an article are in the cart.
    pub fn count(&self, article: &str) -> u32 {
        let (_, rest) = self.body.split_once(&format!("data-article=\"{article}\"")).unwrap();
        rest.split('"').nth(1).unwrap().parse().unwrap()
    }
}
