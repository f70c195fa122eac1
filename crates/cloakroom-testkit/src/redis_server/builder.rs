//! [`RedisServerBuilder`]: everything about a server that has to be known before it starts.

use std::io;
use std::sync::Mutex;

use tempfile::TempDir;

use super::access::{Access, User};
use super::data::Persistence;
use super::line::Line;
use super::process::Role;
use super::settings::{self, Setting};
use super::tls::{Certificates, ClientCertificate};
use super::{RedisServer, port};

const TRIES: usize = 4;

/// Sets a server up; made by [`RedisServer::builder`].
///
/// ```no_run
/// # // Starts real servers; the tests of this crate do the same.
/// use cloakroom_testkit::{Persistence, RedisServer};
///
/// # async fn example() -> std::io::Result<()> {
/// let server = RedisServer::builder()
///     .setting("maxmemory", "16mb")
///     .user("app", "secret", "~cloakroom:* +@all")
///     .persistence(Persistence::EverySecond)
///     .start()
///     .await?;
/// assert!(server.url().starts_with("redis://app:secret@127.0.0.1:"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a server is started by `start`"]
pub struct RedisServerBuilder {
    settings: Vec<Setting>,
    access: Access,
    persistence: Persistence,
    tls: Option<(Certificates, ClientCertificate)>,
    port: Option<u16>,
    role: Role,
    first_orders: Vec<Vec<String>>,
}

impl RedisServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            settings: Vec::new(),
            access: Access::default(),
            persistence: Persistence::default(),
            tls: None,
            port: None,
            role: Role::Data,
            first_orders: Vec::new(),
        }
    }

    /// Adds a setting: its name as in `redis.conf`, and its value, whose words are parted by single
    /// spaces.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push(Setting::new(name, value));
        self
    }

    /// Gives the default user a password. [`RedisServer::url`] and [`RedisServer::ask`] use it.
    pub fn password(mut self, password: &str) -> Self {
        self.access.password = Some(password.to_owned());
        self
    }

    /// Adds a user with a password and ACL rules such as `~cloakroom:* +@all`.
    ///
    /// [`RedisServer::url`] logs in as the user that was added first; [`RedisServer::ask`] remains
    /// the default user, who may do everything.
    pub fn user(mut self, name: &str, password: &str, rules: &str) -> Self {
        let (name, password, rules) = (name.to_owned(), password.to_owned(), rules.to_owned());
        self.access.users.push(User { name, password, rules });
        self
    }

    /// Sets how often data is written to disk; the default is never.
    pub fn persistence(mut self, persistence: Persistence) -> Self {
        self.persistence = persistence;
        self
    }

    /// Makes the server speak TLS, and nothing else, on its port. The unix socket stays plain.
    pub fn tls(mut self, certificates: &Certificates, clients: ClientCertificate) -> Self {
        self.tls = Some((certificates.clone(), clients));
        self
    }

    /// Sets the port; the default is one that is free, and stays free while the server is down.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Starts the server, and waits until it answers.
    ///
    /// # Errors
    /// Where the program is missing, refuses a setting, finds its port taken or does not answer
    /// within 10 s; the message holds what the program said last.
    pub async fn start(self) -> io::Result<RedisServer> {
        // Between finding a free port and using it somebody else may take it.
        let tries = if self.port.is_some() { 1 } else { TRIES };
        let mut outcome = Err(io::ErrorKind::AddrInUse.into());
        for _ in 0..tries {
            outcome = self.clone().launch().await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Makes a Sentinel of it, which has neither data nor users for tests to log in as.
    pub(crate) fn sentinel(mut self) -> Self {
        self.role = Role::Sentinel;
        self
    }

    /// Adds settings that hold unless the caller has set them.
    pub(crate) fn defaults(mut self, settings: impl IntoIterator<Item = Setting>) -> Self {
        self.settings = settings.into_iter().chain(self.settings).collect();
        self
    }

    /// Lets replicas follow within milliseconds rather than a second.
    pub(crate) fn replicating(self) -> Self {
        self.defaults([
            Setting::new("repl-diskless-sync", "no"),
            // A server without persistence must not find after a restart the dump that it once
            // made for a replica.
            Setting::new("rdb-del-sync-files", "yes"),
            Setting::new("repl-ping-replica-period", "1"),
            Setting::new("hz", "50"),
        ])
    }

    /// Adds a command that is sent after each start. Older servers may refuse it.
    pub(crate) fn first_order(mut self, words: &[&str]) -> Self {
        self.first_orders.push(words.iter().map(|&word| word.to_owned()).collect());
        self
    }

    /// Makes it one of several servers: each takes a free port.
    pub(crate) fn on_any_port(mut self) -> Self {
        self.port = None;
        self
    }

    /// The password of the default user.
    pub(crate) fn default_password(&self) -> Option<&str> {
        self.access.password.as_deref()
    }

    async fn launch(mut self) -> io::Result<RedisServer> {
        let port = self.port.map_or_else(port::free, Ok)?;
        let users = ["requirepass", "user", "aclfile"];
        let brings_users = self.settings.iter().any(|own| users.iter().any(|user| own.is(user)));
        if self.role == Role::Data && !brings_users {
            self.access = self.access.or_from_environment();
        }
        let folder = TempDir::new()?;
        let socket = folder.path().join("redis.sock");
        let mut all = self.listening(port);
        all.push(Setting::words(["dir", &folder.path().to_string_lossy()]));
        all.push(Setting::words(["unixsocket", &socket.to_string_lossy()]));
        all.extend(self.access.settings());
        if self.role == Role::Data {
            all.extend(self.persistence.settings());
        }
        all.append(&mut self.settings);
        settings::write(&all, &folder.path().join(super::SETTINGS))?;
        let server = RedisServer {
            process: Mutex::new(None),
            port,
            role: self.role,
            line: Line { socket, password: self.access.password.clone() },
            access: self.access,
            first_orders: self.first_orders,
            persistence: self.persistence,
            certificates: self.tls.map(|(certificates, _)| certificates),
            folder,
        };
        server.run(&[]).await?;
        Ok(server)
    }

    fn listening(&self, port: u16) -> Vec<Setting> {
        let port = port.to_string();
        let mut settings = vec![
            Setting::new("bind", "127.0.0.1"),
            Setting::new("daemonize", "no"),
            Setting::new("loglevel", "warning"),
        ];
        let Some((certificates, clients)) = &self.tls else {
            settings.push(Setting::new("port", &port));
            return settings;
        };
        let asked = match clients {
            ClientCertificate::Ignored => "no",
            ClientCertificate::Required => "yes",
        };
        let files = [
            ("tls-ca-cert-file", certificates.authority()),
            ("tls-cert-file", certificates.server()),
            ("tls-key-file", certificates.server_key()),
        ];
        let files = files.map(|(name, file)| Setting::words([name, &file.to_string_lossy()]));
        settings.extend(files);
        settings.push(Setting::new("port", "0"));
        settings.push(Setting::new("tls-port", &port));
        settings.push(Setting::new("tls-auth-clients", asked));
        settings.push(Setting::new("tls-replication", "yes"));
        settings.push(Setting::new("tls-cluster", "yes"));
        settings
    }
}
