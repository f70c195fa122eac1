//! Reads the server's URL, and says how the sockets to it are set up.

use std::time::Duration;

use cloakroom::{ConfigError, ConfigErrorKind};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{Client, IntoConnectionInfo};

/// After so much silence the operating system asks whether the other side is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TRIES: u32 = 3;

/// For how long what was sent may stay without the other side's receipt.
#[cfg(any(target_os = "linux", target_os = "android"))]
const RECEIPT_LIMIT: Duration = Duration::from_secs(5);

/// A client for a URL such as `redis://user:password@host:6379/0`.
pub(super) fn client(url: &str) -> Result<Client, ConfigError> {
    if is_encrypted(url) {
        return Err(invalid(
            "encrypted connections (rediss://) are not built in yet; use redis://, over a tunnel \
             where the network is not your own",
        ));
    }
    let client = url
        .into_connection_info()
        .map(|info| info.set_tcp_settings(tcp_settings()))
        .and_then(Client::open);
    client.map_err(|error| {
        // The client tells this by its text alone. The text may hold parts of the URL, so that it
        // is looked at and not passed on.
        if error.to_string().starts_with("Invalid database number") {
            return invalid(
                "the database at the end of the URL is not a number; write \
                 redis://localhost:6379/0, or leave it out",
            );
        }
        invalid(
            "not a Redis URL; write redis://localhost:6379, with a user and password \
             redis://user:password@host:6379/0, for a socket unix:///path",
        )
    })
}

fn is_encrypted(url: &str) -> bool {
    let scheme = url.trim_start().split(':').next().unwrap_or_default();
    ["rediss", "valkeys"].iter().any(|encrypted| scheme.eq_ignore_ascii_case(encrypted))
}

fn invalid(message: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Invalid, "url", message)
}

/// A connection whose other side has vanished without a word ends in seconds, not in the quarter of
/// an hour that operating systems take by default.
fn tcp_settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_TRIES);
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let settings = settings.set_user_timeout(RECEIPT_LIMIT);
    settings
}
