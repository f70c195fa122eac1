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
            "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        let path = target.split('?').next().unwrap_or(target).to_owned();
        Self { path, head: head.into_bytes(), body }
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
    pub async fn send(mut self, node: SocketAddr) -> io::Result<InFlight> {
        let mut stream = TcpStream::connect(node).await?;
        self.head.extend_from_slice(b"\r\n");
        self.head.append(&mut self.body);
        let sent = tokio::time::timeout(LIMIT, stream.write_all(&self.head)).await?;
        drop(sent);
        Ok(InFlight { stream })
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
