//! [`RedisServer`]: a real `redis-server` process for one test, on a free port, in a folder of its
//! own. It dies with the value, and also when the test process is killed.

mod reply;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub use reply::Reply;

/// Names the server's program; the default is `redis-server` from the path.
pub const SERVER_PROGRAM: &str = "CLOAKROOM_TEST_REDIS_SERVER";

/// Ends the server as soon as the pipe from the test process is closed, however that ends.
const GUARD: &str = r#""$@" </dev/null & server=$!; read -r _; kill -9 $server; wait $server"#;

const START_LIMIT: Duration = Duration::from_secs(10);

/// A running Redis server that belongs to the test.
#[derive(Debug)]
pub struct RedisServer {
    guard: Child,
    server: u32,
    port: u16,
    _folder: TempDir,
}

impl RedisServer {
    /// Starts a server without persistence, and waits until it answers.
    ///
    /// # Errors
    /// Where the program is missing or does not answer within 10 s.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(&[]).await
    }

    /// Starts a server with more settings, each a name as in `redis.conf` and its value.
    ///
    /// # Errors
    /// Where the program is missing or does not answer within 10 s.
    pub async fn start_with(settings: &[(&str, &str)]) -> io::Result<Self> {
        // Between finding a free port and using it somebody else may take it.
        let mut tries = 0;
        loop {
            match Self::try_start(settings).await {
                Err(_) if tries < 3 => tries += 1,
                started => return started,
            }
        }
    }

    /// Starts a server on a port that another one has used before.
    ///
    /// # Errors
    /// Where the port is taken or the server does not answer within 10 s.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        Self::launch(port, &[]).await
    }

    /// The port that the server listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Stops the server's process without ending it: it accepts connections and answers nothing.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Ends the server at once, as a power cut would.
    pub fn kill(mut self) {
        self.end();
    }

    /// Sends one command and answers the raw reply, as a person with a terminal would.
    ///
    /// # Errors
    /// Where the server cannot be reached or hangs up.
    pub async fn command(&self, words: &[&[u8]]) -> io::Result<Vec<u8>> {
        exchange(self.port, words).await
    }

    /// Sends one command and answers the reply.
    ///
    /// # Errors
    /// Where the server cannot be reached, hangs up or answers what cannot be read.
    pub async fn ask(
        &self,
        words: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> io::Result<Reply> {
        let words: Vec<_> = words.into_iter().map(|word| word.as_ref().to_vec()).collect();
        let words: Vec<_> = words.iter().map(Vec::as_slice).collect();
        let reply = self.command(&words).await?;
        Reply::parse(&reply)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// How often the server has carried out a command since its start, from `INFO commandstats`.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub async fn calls(&self, command: &str) -> io::Result<u64> {
        let info = self.command(&[b"INFO", b"commandstats"]).await?;
        let info = String::from_utf8_lossy(&info).into_owned();
        let start = format!("cmdstat_{command}:calls=");
        let line = info.lines().find_map(|line| line.strip_prefix(&start));
        let calls = line.and_then(|line| line.split(',').next());
        Ok(calls.and_then(|calls| calls.parse().ok()).unwrap_or(0))
    }

    async fn try_start(settings: &[(&str, &str)]) -> io::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        Self::launch(port, settings).await
    }

    async fn launch(port: u16, settings: &[(&str, &str)]) -> io::Result<Self> {
        let folder = TempDir::new()?;
        let guard = guarded(folder.path(), port, settings)?;
        let mut server = Self { guard, server: 0, port, _folder: folder };
        let start = Instant::now();
        loop {
            match exchange(port, &[b"INFO", b"server"]).await {
                Ok(reply) => {
                    let reply = String::from_utf8_lossy(&reply).into_owned();
                    let process = reply.lines().find_map(|line| line.strip_prefix("process_id:"));
                    server.server = process.and_then(|id| id.trim().parse().ok()).unwrap_or(0);
                    // A server that wants a password answers too, without telling its process.
                    return Ok(server);
                }
                Err(_) if start.elapsed() < START_LIMIT && server.guard.try_wait()?.is_none() => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn signal(&self, signal: &str) {
        if self.server > 0 {
            let _ =
                Command::new("kill").args([format!("-{signal}"), self.server.to_string()]).status();
        }
    }

    fn end(&mut self) {
        self.thaw();
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        // The number may belong to another process from now on.
        self.server = 0;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn guarded(folder: &Path, port: u16, settings: &[(&str, &str)]) -> io::Result<Child> {
    let program = std::env::var(SERVER_PROGRAM).unwrap_or_else(|_| "redis-server".to_owned());
    let mut command = Command::new("sh");
    command.args(["-c", GUARD, "sh", &program, "--port", &port.to_string()]);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.args(["--daemonize", "no", "--loglevel", "warning"]).arg("--dir").arg(folder);
    for (name, value) in settings {
        command.arg(format!("--{name}")).args(value.split(' '));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

async fn exchange(port: u16, words: &[&[u8]]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
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
