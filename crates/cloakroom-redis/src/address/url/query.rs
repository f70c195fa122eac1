//! [`Query`]: what stands behind a URL's question mark. Whatever is not known is refused, because a
//! setting that is misspelt would be missing without a word.

use std::path::Path;

use cloakroom::ConfigError;
use redis::ProtocolVersion;

use super::form::{Form, database_of, decoded};
use crate::address::secret::{Credentials, Secret};
use crate::config::{Plaintext, TlsConfig};

/// What stands behind the question mark.
#[derive(Default)]
pub(super) struct Query {
    pub(super) plaintext: Plaintext,
    pub(super) protocol: Option<ProtocolVersion>,
    pub(super) database: Option<u32>,
    pub(super) socket: Credentials,
    pub(super) sentinel: Credentials,
    pub(super) tls: TlsConfig,
}

impl Query {
    pub(super) fn read(form: Form, text: &str) -> Result<Self, ConfigError> {
        let mut query = Self::default();
        let mut seen = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if seen.contains(&name) {
                return Err(form.wrong("a parameter stands twice behind the question mark"));
            }
            seen.push(name);
            query.set(form, name, decoded(form, value)?.as_ref())?;
        }
        Ok(query)
    }

    fn set(&mut self, form: Form, name: &str, value: &str) -> Result<(), ConfigError> {
        let text = || (!value.is_empty()).then(|| value.into());
        let path = || (!value.is_empty()).then(|| Path::new(value).to_owned());
        match (name, form) {
            ("plaintext", _) => {
                self.plaintext = match value {
                    "allow" => Plaintext::Allow,
                    "loopback" => Plaintext::Loopback,
                    _ => return Err(form.wrong("plaintext is allow or loopback")),
                }
            }
            ("protocol", _) => {
                self.protocol = Some(match value {
                    "2" | "resp2" => ProtocolVersion::RESP2,
                    "3" | "resp3" => ProtocolVersion::RESP3,
                    _ => return Err(form.wrong("protocol is resp2 or resp3")),
                });
            }
            ("db", Form::Socket) => self.database = Some(database_of(form, value)?),
            ("user", Form::Socket) => self.socket.user = text(),
            ("pass", Form::Socket) => self.socket.password = Some(Secret::new(value)),
            ("sentinel_user", Form::Sentinel) => self.sentinel.user = text(),
            ("sentinel_password", Form::Sentinel) => {
                self.sentinel.password = Some(Secret::new(value));
            }
            ("ca", Form::Server | Form::Sentinel | Form::Cluster) => self.tls.ca_file = path(),
            ("cert", Form::Server | Form::Sentinel | Form::Cluster) => self.tls.cert_file = path(),
            ("key", Form::Server | Form::Sentinel | Form::Cluster) => self.tls.key_file = path(),
            _ => return Err(form.wrong(form.parameters())),
        }
        Ok(())
    }
}
