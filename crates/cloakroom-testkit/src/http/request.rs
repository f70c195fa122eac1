//! [`HttpRequest`]: one request as bytes, fair or foul, and [`InFlight`], the wait for its answer.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::HttpAnswer;

/// A server that has not answered by then never will.
const LIMIT: Duration = Duration::from_secs(20);

/// One HTTP/1.1 request. Header values are bytes, so that they can be what no browser would send.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct HttpRequest {
    path: String,
    connection: &'static str,
    head: Vec<u8>,
    body: Vec<u8>,
}

impl HttpRequest {
    /// A `GET`.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target, Vec::new())
    }

    /// A `POST` of form fields, as a browser sends them.
    pub fn form(target: &str, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
            .collect();
        let request = Self::new("POST", target, pairs.join("&").into_bytes());
        request.header("content-type", "application/x-www-form-urlencoded")
    }

    fn new(method: &str, target: &str, body: Vec<u8>) -> Self {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n",
            body.len()
        );
        let path = target.split('?').next().unwrap_or(target).to_owned();
        Self { path, connection: "close", head: head.into_bytes(), body }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Adds a header; the value is sent as it is.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.head.extend_from_slice(name.as_bytes());
        self.head.extend_from_slice(b": ");
        self.head.extend_from_slice(value.as_ref());
        self.head.extend_from_slice(b"\r\n");
        self
    }

    /// Sends the request and does not wait for the answer.
    ///
    /// # Errors
    /// Where the server cannot be reached. That it hangs up while the request is being sent is
    /// found out by [`InFlight::answer`], as it may have answered before.
    pub async fn send(self, node: SocketAddr) -> io::Result<InFlight> {
        let mut stream = TcpStream::connect(node).await?;
        let sent = tokio::time::timeout(LIMIT, stream.write_all(&self.into_bytes())).await?;
        drop(sent);
        Ok(InFlight { stream })
    }

    /// Sends requests one after the other over one connection, as a proxy does with those of several
    /// visitors.
    ///
    /// # Errors
    /// Where the server cannot be reached, or hangs up before all answers are complete.
    pub async fn ask_in_turn(requests: Vec<Self>, node: SocketAddr) -> io::Result<Vec<HttpAnswer>> {
        let mut stream = TcpStream::connect(node).await?;
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let request = Self { connection: "keep-alive", ..request };
            stream.write_all(&request.into_bytes()).await?;
            let mut bytes = Vec::new();
            let answer = loop {
                let read = tokio::time::timeout(LIMIT, stream.read_buf(&mut bytes)).await??;
                match HttpAnswer::parse(&bytes) {
                    Some(answer) => break answer,
                    None if read == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    None => {}
                }
            };
            answers.push(answer);
        }
        Ok(answers)
    }

    fn into_bytes(mut self) -> Vec<u8> {
        let connection = format!("connection: {}\r\n\r\n", self.connection);
        self.head.extend_from_slice(connection.as_bytes());
        self.head.append(&mut self.body);
        self.head
    }

    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    /// Where the server cannot be reached, or hangs up before the answer is complete.
    pub async fn ask(self, node: SocketAddr) -> io::Result<HttpAnswer> {
        self.send(node).await?.answer().await
    }
}

/// A request that was sent. Dropping it hangs up, as a visitor who closes the page.
#[derive(Debug)]
#[must_use = "dropping it hangs up"]
pub struct InFlight {
    stream: TcpStream,
}

impl InFlight {
    /// Waits for the answer.
    ///
    /// # Errors
    /// Where the server hangs up before the answer is complete.
    pub async fn answer(mut self) -> io::Result<HttpAnswer> {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(LIMIT, self.stream.read_to_end(&mut bytes)).await?;
        // A server may answer and then reset a connection that it has not read to the end.
        match (HttpAnswer::parse(&bytes), read) {
            (Some(answer), _) => Ok(answer),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn percent_encode(text: impl Display) -> String {
    let mut encoded = String::new();
    for byte in text.to_string().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
