//! [`Endpoint`]: one server, and everything that is needed to get in. [`Access`] is the same without
//! the address, for servers whose address is learnt from others.

use std::sync::Arc;

use cloakroom::{ConfigError, ConfigErrorKind};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo, RedisError};

use super::host::HostPort;
use super::secret::Credentials;
use super::sketch::Target;
use super::socket::{self, Link};
use crate::tls::Wire;

/// One server to connect to. Clones share everything. It has no debug form: it knows the password.
#[derive(Clone)]
pub(crate) struct Endpoint(Arc<Known>);

struct Known {
    name: String,
    target: Target,
    access: Access,
}

/// How to get in at any server of one deployment.
#[derive(Clone)]
pub(crate) struct Access(Arc<Manners>);

struct Manners {
    credentials: Credentials,
    database: u32,
    wire: Wire,
    protocol: Option<ProtocolVersion>,
}

impl Endpoint {
    /// The host and port, or the socket's path; never credentials.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// How to get in at this server, to be used at another one.
    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    /// The same server for somebody who introduces nobody and shows no certificate.
    ///
    /// # Errors
    /// Where the authorities that it trusts cannot be read any more.
    pub(crate) fn as_a_stranger(&self) -> Result<Self, ConfigError> {
        let manners = &self.0.access.0;
        let wire = manners.wire.without_certificate()?;
        Access::new(Credentials::default(), 0, wire, manners.protocol).to(self.0.target.clone())
    }

    /// Opens a connection: socket, encryption, introduction, database.
    ///
    /// It waits as long as the server takes; whoever calls sets the limit. What a failure means to a
    /// person is told by [`crate::tls::TlsProblem::of`] where encryption is the matter.
    pub(crate) async fn connect(
        &self,
        protocol: ProtocolVersion,
        config: AsyncConnectionConfig,
    ) -> Result<Link, RedisError> {
        let stream = socket::open(&self.0.target, &self.0.access.0.wire).await?;
        let introduction = self.0.access.introduction(protocol);
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&introduction, stream, config).await?;
        Ok(Link::new(connection, driver, &self.0.name))
    }
}

impl Access {
    pub(super) fn new(
        credentials: Credentials,
        database: u32,
        wire: Wire,
        protocol: Option<ProtocolVersion>,
    ) -> Self {
        Self(Arc::new(Manners { credentials, database, wire, protocol }))
    }

    /// The server at an address that another server has told: a Sentinel or a Cluster's node.
    ///
    /// # Errors
    /// Where the address is none, or lies beyond this machine and nobody has allowed plain text.
    pub(crate) fn at(&self, host: &str, port: u16) -> Result<Endpoint, ConfigError> {
        let target = HostPort::new(host, port).map_err(|problem| {
            let message = format!("a server named an address of no use: {}", problem.remedy());
            ConfigError::new(ConfigErrorKind::Unreachable, "url", message)
        })?;
        self.to(Target::Tcp(target))
    }

    /// The protocol that the URL asks for; `None` where it leaves that to us.
    pub(crate) fn protocol(&self) -> Option<ProtocolVersion> {
        self.0.protocol
    }

    /// Whether what is sent is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.wire.is_encrypted()
    }

    /// The number of the database.
    pub(crate) fn database(&self) -> u32 {
        self.0.database
    }

    /// What else to check where a server accepts a connection and says nothing.
    pub(crate) fn when_silent(&self) -> &'static str {
        if self.is_encrypted() { ", and that it speaks TLS on this port" } else { "" }
    }

    pub(super) fn to(&self, target: Target) -> Result<Endpoint, ConfigError> {
        if let Target::Tcp(address) = &target {
            self.0.wire.check(address)?;
        }
        let name = match &target {
            Target::Tcp(address) => address.to_string(),
            Target::Socket(path) => path.display().to_string(),
        };
        Ok(Endpoint(Arc::new(Known { name, target, access: self.clone() })))
    }

    /// The client does not name itself: older servers and users with few rights refuse that, and
    /// keep a record of each refusal.
    pub(super) fn introduction(&self, protocol: ProtocolVersion) -> RedisConnectionInfo {
        let manners = &self.0;
        let mut introduction = RedisConnectionInfo::default()
            .set_db(i64::from(manners.database))
            .set_protocol(protocol)
            .set_skip_set_lib_name();
        if let Some(user) = &manners.credentials.user {
            introduction = introduction.set_username(user);
        }
        if let Some(password) = &manners.credentials.password {
            introduction = introduction.set_password(password.reveal());
        }
        introduction
    }
}
