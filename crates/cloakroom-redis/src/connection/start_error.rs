//! What a failed start means to a person: the host, never the password, and the remedy.

use std::time::Duration;

use cloakroom::{ConfigError, ConfigErrorKind};

use super::open_error::OpenError;
use crate::error::ClientError;

/// The error of a storage that could not be started. `when_silent` is what else a person may look at
/// where no answer came.
pub(crate) fn config_error(
    error: OpenError,
    host: &str,
    timeout: Duration,
    when_silent: &str,
) -> ConfigError {
    let invalid = |message: String| ConfigError::new(ConfigErrorKind::Invalid, "url", message);
    let unreachable =
        |message: String| ConfigError::new(ConfigErrorKind::Unreachable, "url", message);
    match error {
        OpenError::TimedOut { elapsed } => ConfigError::new(
            ConfigErrorKind::Timeout,
            "connection_timeout",
            format!(
                "Redis at {host} did not answer within the connection timeout of {timeout:?} \
                 (elapsed: {elapsed:?}); check that the server is running and reachable{when_silent}"
            ),
        ),
        OpenError::Denied(error) => ConfigError::new(
            ConfigErrorKind::Denied,
            "url",
            format!("Redis at {host} refused the credentials; check user name, password and ACL"),
        )
        .with_source(error),
        OpenError::Failed(ClientError::Refused(code)) if code == "DENIED" => ConfigError::new(
            ConfigErrorKind::Denied,
            "url",
            format!(
                "Redis at {host} is in protected mode and refuses other machines ({code}); on its \
                 own machine give it a password, `CONFIG SET requirepass PASSWORD`, and connect \
                 with that"
            ),
        )
        .with_source(ClientError::Refused(code)),
        OpenError::Failed(ClientError::Refused(code)) => ConfigError::new(
            ConfigErrorKind::Denied,
            "url",
            format!(
                "Redis at {host} refused the connection ({code}); check the number of the \
                 database, that the server is ready, and that it takes more connections"
            ),
        )
        .with_source(ClientError::Refused(code)),
        OpenError::Failed(error) => {
            unreachable(format!("Redis at {host} cannot be reached ({error}); {}", error.remedy()))
                .with_source(error)
        }
        OpenError::NoSentinel(error) => unreachable(format!(
            "no Sentinel of {host} can be reached ({error}); check their hosts and ports, and that \
             they are running"
        ))
        .with_source(error),
        OpenError::SentinelDenied(error) => ConfigError::new(
            ConfigErrorKind::Denied,
            "url",
            format!(
                "a Sentinel of {host} refused the credentials ({error}); check the user name and \
                 password for the Sentinels, which are not those of the data"
            ),
        )
        .with_source(error),
        OpenError::NotSentinel(address) => invalid(format!(
            "what answers at {address} is no Sentinel; check host and port, and for a server that \
             no Sentinel watches write redis://{address}"
        )),
        OpenError::NotAllowed(command) => ConfigError::new(
            ConfigErrorKind::Denied,
            "url",
            format!(
                "Redis at {host} does not let the user send {command}; give the user the rights \
                 that sessions need, +{} among them",
                command.to_lowercase().replace(' ', "|")
            ),
        ),
        OpenError::NoSlots => invalid(format!(
            "{host} serves no hash slot: the Cluster has not been set up yet, or it is another one"
        )),
        OpenError::NoPrimary => invalid(format!(
            "no Sentinel knows {host}; check the name, as `sentinel monitor NAME` has it"
        )),
        OpenError::NotPrimary => unreachable(format!(
            "the server that the Sentinels call {host} is not a primary at present; try again in a \
             few seconds"
        )),
        OpenError::Unsupported(lack) => invalid(format!("Redis at {host}: {lack}")),
        OpenError::Forbidden(problem) => invalid(problem),
        OpenError::Lost => {
            unreachable(format!("the connection to Redis at {host} broke at once; try again"))
        }
    }
}
