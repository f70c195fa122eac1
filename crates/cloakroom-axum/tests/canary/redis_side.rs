//! What a Redis server sees and holds: every command that it is sent, by `MONITOR`, and every key with
//! what lies under it.

use std::path::Path;
use std::time::{Duration, Instant};

use cloakroom_testkit::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::AbortHandle;

use crate::log::Text;

/// Said to a server at the end, to know that everything before it was heard.
const LAST_WORD: &str = "everything was heard";

/// Listens to one server until it is dropped or the server dies.
pub(crate) struct Monitor {
    heard: Text,
    task: AbortHandle,
}

impl Monitor {
    pub(crate) async fn start(socket: &Path, all: &Text) -> Self {
        let mut stream = UnixStream::connect(socket).await.unwrap();
        stream.write_all(b"MONITOR\r\n").await.unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"+OK\r\n");
        let (heard, all) = (Text::default(), all.clone());
        let own = heard.clone();
        let task = tokio::spawn(async move {
            let mut bytes = Vec::new();
            while stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {
                own.append(&bytes);
                all.append(&bytes);
                bytes.clear();
            }
        });
        Self { heard, task: task.abort_handle() }
    }

    /// Waits until everything was heard that the server was told before.
    pub(crate) async fn has_heard_all(&self, redis: &RedisServer) {
        redis.ask(["ECHO", LAST_WORD]).await.unwrap();
        let start = Instant::now();
        while !String::from_utf8_lossy(&self.heard.so_far()).contains(LAST_WORD) {
            assert!(start.elapsed() < Duration::from_secs(10), "MONITOR keeps silent");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Notes down all names of keys, and all that lies under them: records, and owners' indexes.
pub(crate) async fn dump(redis: &RedisServer, names: &Text, contents: &Text) {
    for name in redis.ask(["KEYS", "*"]).await.unwrap().many() {
        let Some(name) = name.bytes() else { continue };
        names.append(&name);
        names.append(b"\n");
        let kind = redis.ask([b"TYPE".as_slice(), &name]).await.unwrap().text();
        let found = match kind.as_str() {
            "string" => vec![redis.ask([b"GET".as_slice(), &name]).await.unwrap()],
            "zset" => redis.ask([b"ZRANGE".as_slice(), &name, b"0", b"-1"]).await.unwrap().many(),
            // It has expired meanwhile.
            "none" => continue,
            kind => panic!("nobody has looked into a key of the type {kind}"),
        };
        contents.append(format!("\n{kind} ").as_bytes());
        for content in found {
            contents.append(&content.bytes().unwrap_or_default());
            contents.append(b"\n");
        }
    }
}
