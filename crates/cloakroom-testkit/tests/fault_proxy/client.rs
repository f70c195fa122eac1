//! A Redis client that is a socket: it sends bytes and shows which bytes come back.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;

use cloakroom_testkit::{FaultProxy, RedisServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// So long a busy machine may take; only a broken proxy reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// So long nothing must come where nothing may come.
const QUIET: Duration = Duration::from_millis(60);

pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// How the proxy has ended a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Closed,
    Reset,
}

pub(crate) async fn start() -> (RedisServer, FaultProxy) {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    (server, proxy)
}

impl Client {
    pub(crate) async fn connect(proxy: &FaultProxy) -> Self {
        Self::try_connect(proxy).await.unwrap()
    }

    pub(crate) async fn try_connect(proxy: &FaultProxy) -> std::io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, unread: Vec::new() })
    }

    pub(crate) async fn connect_with_resp3(proxy: &FaultProxy) -> Self {
        let mut client = Self::connect(proxy).await;
        assert!(client.ask("HELLO 3").await.starts_with("%7\r\n"));
        client
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends a command on a connection that may be over.
    pub(crate) async fn try_command(&mut self, line: &str) {
        let _ = self.stream.write_all(&request(line)).await;
    }

    /// Sends a command of words without spaces.
    pub(crate) async fn command(&mut self, line: &str) {
        self.send(request(line)).await;
    }

    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.command(line).await;
        self.reply().await
    }

    /// The next whole reply or push, as it came.
    pub(crate) async fn reply(&mut self) -> String {
        let bytes = self.reply_bytes().await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) async fn reply_bytes(&mut self) -> Vec<u8> {
        loop {
            if let Some(length) = length(&self.unread) {
                return self.unread.drain(..length).collect();
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
            assert!(read.unwrap().unwrap() > 0, "ended after {:?}", self.unread);
        }
    }

    /// Checks that nothing comes.
    pub(crate) async fn hears_nothing(&mut self) {
        assert!(self.unread.is_empty(), "{:?}", String::from_utf8_lossy(&self.unread));
        let mut byte = [0];
        let read = timeout(QUIET, self.stream.read(&mut byte)).await;
        assert!(read.is_err(), "{read:?}, {byte:?}");
    }

    /// Everything that comes until the connection ends, and how it does.
    pub(crate) async fn rest(mut self) -> (Vec<u8>, Ended) {
        let mut all = std::mem::take(&mut self.unread);
        loop {
            match timeout(PATIENCE, self.stream.read_buf(&mut all)).await.unwrap() {
                Ok(0) => return (all, Ended::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return (all, Ended::Reset);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The bytes of the next read, at most `most`.
    pub(crate) async fn piece(&mut self, most: usize) -> Vec<u8> {
        let mut piece = vec![0; most];
        let read = timeout(PATIENCE, self.stream.read(&mut piece)).await.unwrap().unwrap();
        piece.truncate(read);
        piece
    }

    /// Says that no more requests will come.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }
}

pub(crate) fn request(line: &str) -> Vec<u8> {
    let words: Vec<_> = line.split(' ').map(str::as_bytes).collect();
    request_of(&words)
}

pub(crate) fn request_of(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The length of the frame at the front, written down anew so that no fault of the proxy's own
/// reading can hide here.
fn length(bytes: &[u8]) -> Option<usize> {
    let line = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let number = || -> i64 { String::from_utf8_lossy(&bytes[1..line]).trim().parse().unwrap() };
    let values = match bytes[0] {
        b'$' | b'=' if number() >= 0 => {
            let end = line + number() as usize + 2;
            return (bytes.len() >= end).then_some(end);
        }
        b'*' | b'>' | b'~' => number(),
        b'%' => 2 * number(),
        _ => 0,
    };
    let mut end = line;
    for _ in 0..values {
        end += length(&bytes[end..])?;
    }
    Some(end)
}
