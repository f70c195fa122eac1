//! [`Wire`]: what a connection's bytes travel in: TLS, or plain text where that is allowed.
//!
//! TLS is rustls with the `ring` provider, named explicitly: which provider an application has
//! installed for its process, before or after, makes no difference here and is not changed. The
//! server's certificate and name are always checked.

#[cfg(feature = "tls")]
mod client;
#[cfg(feature = "tls")]
mod files;
mod problem;

use std::io;

use cloakroom::{ConfigError, ConfigErrorKind};
use tokio::net::TcpStream;

use crate::address::{HostPort, Portions, Stream};
use crate::config::{Plaintext, TlsConfig};

#[cfg(feature = "tls")]
use client::TlsClient;
pub(crate) use problem::TlsProblem;

/// What was asked for.
pub(crate) enum Encryption {
    Off,
    Tls(TlsConfig),
}

/// What a connection's bytes travel in.
#[derive(Clone)]
pub(crate) enum Wire {
    Plain(Plaintext),
    #[cfg(feature = "tls")]
    Tls(TlsClient),
}

impl Wire {
    /// Reads the certificates, if there are any to be read.
    pub(crate) fn new(encryption: Encryption, plaintext: Plaintext) -> Result<Self, ConfigError> {
        match encryption {
            Encryption::Off => Ok(Self::Plain(plaintext)),
            #[cfg(feature = "tls")]
            Encryption::Tls(files) => TlsClient::new(files).map(Self::Tls),
            #[cfg(not(feature = "tls"))]
            Encryption::Tls(_) => Err(ConfigError::new(
                ConfigErrorKind::Invalid,
                "tls",
                "this build has no TLS; switch on the feature `tls` of cloakroom-redis",
            )),
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        !matches!(self, Self::Plain(_))
    }

    /// The same without a certificate of one's own.
    ///
    /// # Errors
    /// Where the authorities that it trusts cannot be read any more.
    pub(crate) fn without_certificate(&self) -> Result<Self, ConfigError> {
        match self {
            Self::Plain(plaintext) => Ok(Self::Plain(*plaintext)),
            #[cfg(feature = "tls")]
            Self::Tls(client) => client.without_certificate().map(Self::Tls),
        }
    }

    /// Whether this may lead to that host.
    ///
    /// # Errors
    /// Where it is plain text, the host is beyond this machine, and nobody has allowed that.
    pub(crate) fn check(&self, address: &HostPort) -> Result<(), ConfigError> {
        match self {
            Self::Plain(Plaintext::Loopback) if !address.is_loopback() => Err(ConfigError::new(
                ConfigErrorKind::Invalid,
                "plaintext",
                format!(
                    "sessions would travel to {address} unencrypted; write rediss:// (in a \
                     configuration tls = {{}}), or, where nobody can listen on the way, allow it: \
                     ?plaintext=allow in the URL, plaintext = \"allow\" in a configuration, \
                     .plaintext(Plaintext::Allow) in code"
                ),
            )),
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(_) => client::server_name(address.host()).map(|_| ()).map_err(|_| {
                let message = format!("a certificate cannot be made out to the name of {address}");
                ConfigError::new(ConfigErrorKind::Invalid, "tls", message)
            }),
        }
    }

    /// Begins the conversation on a socket to `host`.
    #[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "plain text has no names"))]
    pub(crate) async fn dress(&self, stream: TcpStream, host: &str) -> io::Result<Stream> {
        match self {
            Self::Plain(_) => Ok(Box::pin(Portions::of(stream))),
            #[cfg(feature = "tls")]
            Self::Tls(client) => {
                let stream = client.shake_hands(stream, host).await?;
                Ok(Box::pin(Portions::of(stream)))
            }
        }
    }
}
