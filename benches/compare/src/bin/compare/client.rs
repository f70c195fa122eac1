//! One HTTP request on a connection of its own, by hand: no pool, no retry and no patience beyond a
//! limit, so that what is seen is the application.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a visitor waits.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answered(Answer),
    /// The connection ended without an answer.
    HungUp,
    /// There was no answer within the patience.
    Silent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<String>,
    pub body: String,
}

impl Outcome {
    /// Whether the answer is one of success; a sign-out may be answered with 202.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Answered(answer) if (200..300).contains(&answer.status))
    }

    /// The body of a 200.
    pub fn body(&self) -> Option<&str> {
        match self {
            Self::Answered(answer) if answer.status == 200 => Some(&answer.body),
            _ => None,
        }
    }

    /// The body of a 200, as a number.
    pub fn number(&self) -> Option<u64> {
        self.body()?.parse().ok()
    }

    /// The status, or what there was in its place.
    pub fn label(&self) -> String {
        match self {
            Self::Answered(answer) => answer.status.to_string(),
            Self::HungUp => "hung up".to_owned(),
            Self::Silent => "no answer".to_owned(),
        }
    }
}

/// Sends a GET with a value of `Cookie`, which may be empty.
pub async fn get(port: u16, path: &str, cookies: &str) -> Outcome {
    match tokio::time::timeout(PATIENCE, exchange(port, path, cookies)).await {
        Ok(Ok(bytes)) => read(&bytes).map_or(Outcome::HungUp, Outcome::Answered),
        Ok(Err(_)) => Outcome::HungUp,
        Err(_) => Outcome::Silent,
    }
}

async fn exchange(port: u16, path: &str, cookies: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {cookies}\r\n") };
    let head = "Host: 127.0.0.1\r\nConnection: close";
    let request = format!("GET {path} HTTP/1.1\r\n{head}\r\n{cookies}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

fn read(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let cookies = headers
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, value)| value.trim().to_owned())
        .collect();
    Some(Answer { status, cookies, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_off_is_none() {
        let whole = b"HTTP/1.1 200 OK\r\nset-cookie: id=1; Path=/\r\ncontent-length: 1\r\n\r\n7";
        let answer = Answer { status: 200, cookies: vec!["id=1; Path=/".into()], body: "7".into() };
        assert_eq!(read(whole), Some(answer.clone()));
        assert_eq!(Outcome::Answered(answer).number(), Some(7));
        assert_eq!(read(b"HTTP/1.1 200 OK\r\nset-coo"), None);
        assert_eq!(read(b""), None);
    }
}
