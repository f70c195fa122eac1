//! [`Line`]: how the testkit itself talks to a server: through the unix socket in the server's own
//! folder, so that it works whatever the server does on its port (TLS, another program's server),
//! and without a client library, so that a test sees the server and not a client's view of it.

use std::io;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::Reply;

/// The way to one server.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) socket: PathBuf,
    /// The password of the default user, where it has one.
    pub(super) password: Option<String>,
}

impl Line {
    /// Sends one command on a connection of its own and answers the raw reply.
    pub(super) async fn exchange(&self, words: &[&[u8]]) -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        if let Some(password) = &self.password {
            let reply = say(&mut stream, &[b"AUTH", password.as_bytes()]).await?;
            if reply.starts_with(b"-") {
                return Ok(reply);
            }
        }
        say(&mut stream, words).await
    }

    /// Sends one command and answers the reply.
    pub(super) async fn ask(&self, words: &[&[u8]]) -> io::Result<Reply> {
        let reply = self.exchange(words).await?;
        Reply::parse(&reply)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

async fn say(stream: &mut UnixStream, words: &[&[u8]]) -> io::Result<Vec<u8>> {
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    stream.write_all(&request).await?;
    let mut reply = Vec::new();
    loop {
        let read = stream.read_buf(&mut reply).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if Reply::parse(&reply)?.is_some() {
            return Ok(reply);
        }
    }
}
