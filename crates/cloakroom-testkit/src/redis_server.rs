//! [`RedisServer`]: a real `redis-server` process for one test, on a free port, in a folder of its
//! own. It dies with the value, and also when the test process is killed.

mod access;
mod builder;
mod data;
mod faults;
mod line;
mod port;
mod process;
mod reply;
mod settings;
mod tls;

use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

pub use access::ACL_RULES;
pub(crate) use access::Access;
pub use builder::RedisServerBuilder;
pub use data::{Persistence, Snapshot};
use line::Line;
pub use process::SERVER_PROGRAM;
use process::{Process, Role};
pub use reply::Reply;
pub(crate) use settings::Setting;
pub use tls::{Certificates, ClientCertificate};

const SETTINGS: &str = "redis.conf";
const LOG: &str = "log";
const ORDER_LIMIT: Duration = Duration::from_secs(1);

/// A running Redis server that belongs to the test.
///
/// ```no_run
/// # // Starts real servers; the tests of this crate do the same.
/// use cloakroom_testkit::RedisServer;
///
/// # async fn example() -> std::io::Result<()> {
/// let server = RedisServer::start().await?;
/// server.ask(["SET", "key", "value"]).await?;
/// let yesterday = server.snapshot().await?;
/// server.ask(["DEL", "key"]).await?;
/// server.restart_from(&yesterday).await?;
/// assert_eq!(server.ask(["GET", "key"]).await?.text(), "value");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RedisServer {
    // Ended before the folder is removed, for fields go in this order.
    process: Mutex<Option<Process>>,
    port: u16,
    role: Role,
    line: Line,
    access: Access,
    first_orders: Vec<Vec<String>>,
    persistence: Persistence,
    certificates: Option<Certificates>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server without persistence, and waits until it answers.
    ///
    /// # Errors
    /// Where the program is missing or does not answer within 10 s.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Starts a server with more settings, each a name as in `redis.conf` and its value.
    ///
    /// # Errors
    /// Where the program is missing or does not answer within 10 s.
    pub async fn start_with(settings: &[(&str, &str)]) -> io::Result<Self> {
        let with = |builder: RedisServerBuilder, (name, value): &(&str, &str)| {
            builder.setting(name, value)
        };
        settings.iter().fold(Self::builder(), with).start().await
    }

    /// Starts a server on a port that another one has used before.
    ///
    /// # Errors
    /// Where the port is taken or the server does not answer within 10 s.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        Self::builder().port(port).start().await
    }

    /// A server that has yet to be set up: users, TLS, persistence, settings.
    pub fn builder() -> RedisServerBuilder {
        RedisServerBuilder::new()
    }

    /// The port that the server listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's URL, with the login of the user that tests are meant to be: the first that the
    /// server was started with, else the one of [`ACL_RULES`], else the default user.
    pub fn url(&self) -> String {
        self.url_with(&self.access.login())
    }

    /// The server's URL with the login of the default user, who may do everything.
    pub fn plain_url(&self) -> String {
        self.url_with(&self.access.plain_login())
    }

    /// The server's URL with the login of anybody, for example with a wrong password.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        self.url_with(&access::credentials(user, password))
    }

    /// The URL of the server's unix socket, with the same login as [`url`](Self::url).
    pub fn unix_url(&self) -> String {
        format!("redis+unix://{}{}", self.socket().display(), self.access.query())
    }

    /// The server's unix socket.
    pub fn socket(&self) -> &Path {
        &self.line.socket
    }

    /// The certificates of a server that speaks TLS.
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// Sends one command and answers the raw reply, as a person with a terminal would.
    ///
    /// It comes from the default user, through the unix socket, whatever the server's port expects.
    ///
    /// # Errors
    /// Where the server cannot be reached or hangs up.
    pub async fn command(&self, words: &[&[u8]]) -> io::Result<Vec<u8>> {
        self.line.exchange(words).await
    }

    /// Sends one command as [`command`](Self::command) does, and answers the reply.
    ///
    /// # Errors
    /// Where the server cannot be reached, hangs up or answers what cannot be read.
    pub async fn ask(
        &self,
        words: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> io::Result<Reply> {
        let words: Vec<_> = words.into_iter().map(|word| word.as_ref().to_vec()).collect();
        let words: Vec<_> = words.iter().map(Vec::as_slice).collect();
        self.line.ask(&words).await
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

    /// One field of the server's `INFO`; empty where it has none of that name.
    ///
    /// # Errors
    /// Where the server cannot be reached or does not answer within 1 s.
    pub async fn info(&self, section: &str, field: &str) -> io::Result<String> {
        let info = self.order(["INFO", section]).await?.text();
        let field = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        Ok(field.unwrap_or_default().trim().to_owned())
    }

    /// Sends a command that has to be carried out, within 1 s: a refusal is an error.
    pub(crate) async fn order(
        &self,
        words: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> io::Result<Reply> {
        match tokio::time::timeout(ORDER_LIMIT, self.ask(words)).await? {
            Ok(Reply::Error(error)) => Err(io::Error::other(error)),
            reply => reply,
        }
    }

    /// What stands before the hosts in the URL of a set of which this server is a member.
    pub(crate) fn login(&self) -> String {
        self.access.login()
    }

    /// The same for the default user.
    pub(crate) fn plain_login(&self) -> String {
        self.access.plain_login()
    }

    /// The password of the default user, where the builder was given one.
    pub fn password(&self) -> Option<&str> {
        self.access.password.as_deref()
    }

    fn url_with(&self, login: &str) -> String {
        let scheme = if self.certificates.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://{login}127.0.0.1:{}", self.port)
    }
}
