//! [`AclRule::check`]: whether a server would accept a rule. It asks and changes nothing.

use std::fmt;
use std::time::Duration;

use cloakroom::{ConfigError, ConfigErrorKind};
use redis::{AsyncConnectionConfig, ProtocolVersion, RedisError, Value};

use super::AclRule;
use crate::address::{Endpoint, Topology};
use crate::config::RedisConfig;
use crate::error::ClientError;
use crate::server_info::ServerInfo;

/// What a server has said to a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AclCheck {
    /// The server's product and version, for example `Valkey 9.0.4`.
    pub server: String,
    /// The rule's commands that the server does not know. With one of them it refuses the rule.
    pub unknown: Vec<&'static str>,
    /// Whether the server has said which commands it knows. Where the user may not ask, with
    /// `COMMAND`, it is not known whether the server accepts the rule.
    pub is_told: bool,
}

impl AclRule {
    /// Asks a server whether it knows everything that the rule names, within a limit. The server is
    /// not changed.
    ///
    /// # Errors
    /// Where the server cannot be reached, does not let the caller in, or is too old.
    pub async fn check(
        &self,
        server: &RedisConfig,
        limit: Duration,
    ) -> Result<AclCheck, ConfigError> {
        let endpoint = match server.topology()? {
            Topology::Standalone(endpoint) => endpoint,
            Topology::Cluster(seeds) => seeds.nodes.into_iter().next().ok_or_else(no_server)?,
            Topology::Sentinel(_) if self.keys.is_some() => {
                let message = "Sentinels do not know the commands of the servers that hold the \
                               data; name one of those";
                return Err(ConfigError::new(ConfigErrorKind::Invalid, "url", message));
            }
            Topology::Sentinel(group) => {
                group.sentinels.into_iter().next().ok_or_else(no_server)?
            }
        };
        let name = endpoint.name().to_owned();
        let asked = tokio::time::timeout(limit, self.ask(&endpoint)).await;
        let asked = asked.map_err(|_| {
            let message = format!("the server at {name} did not answer within {limit:?}");
            ConfigError::new(ConfigErrorKind::Timeout, "url", message)
        })?;
        let (info, unknown) = asked.map_err(|error| {
            let error = ClientError::new(&error);
            let message = format!("the server at {name} could not be asked: {error}");
            ConfigError::new(ConfigErrorKind::Unreachable, "url", message).with_source(error)
        })?;
        if self.keys.is_some() {
            info.check(&name)?;
        }
        let server = format!("{} {}", info.product, info.version);
        let is_told = unknown.is_some();
        Ok(AclCheck { server, unknown: unknown.unwrap_or_default(), is_told })
    }

    async fn ask(
        &self,
        endpoint: &Endpoint,
    ) -> Result<(ServerInfo, Option<Vec<&'static str>>), RedisError> {
        let config = AsyncConnectionConfig::new();
        let mut link = endpoint.connect(ProtocolVersion::RESP2, config).await?;
        let info: Value = ServerInfo::ask().query_async(&mut *link).await?;
        let info = ServerInfo::read(&info).unwrap_or_default();
        // Older servers describe whole commands only.
        let names = self.rights.iter().map(|right| whole(right.command));
        let known = redis::cmd("COMMAND").arg("INFO").arg(names.collect::<Vec<_>>()).to_owned();
        let known = match known.query_async::<Vec<Value>>(&mut *link).await {
            Ok(known) => known,
            Err(error) if error.code().is_some() => return Ok((info, None)),
            Err(error) => return Err(error),
        };
        let pairs = self.rights.iter().zip(known);
        let unknown = pairs.filter(|(_, it)| *it == Value::Nil).map(|(it, _)| it.command).collect();
        Ok((info, Some(unknown)))
    }
}

impl fmt::Display for AclCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_told {
            return write!(
                f,
                "whether {} accepts this rule could not be checked: the user may not send COMMAND",
                self.server
            );
        }
        if self.unknown.is_empty() {
            return write!(f, "{} accepts this rule", self.server);
        }
        write!(f, "{} does not know {}", self.server, self.unknown.join(", "))
    }
}

fn whole(command: &str) -> &str {
    command.split('|').next().unwrap_or(command)
}

fn no_server() -> ConfigError {
    ConfigError::new(ConfigErrorKind::Invalid, "url", "the URL names no server")
}
