//! Reads URLs, with one host or several:
//!
//! ```text
//! redis://[user:password@]host[:6379][/database]       rediss:// with TLS; also valkey://, valkeys://
//! redis+sentinel://[user:password@]h1[:26379],h2/MASTER[/database]
//! redis+cluster://[user:password@]h1[:6379],h2
//! unix:///path/to.sock[?db=database&user=..&pass=..]
//! ```
//!
//! No message repeats any part of the URL: one character out of place, and the password is taken
//! for something else.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use cloakroom::{ConfigError, ConfigErrorKind};
use percent_encoding::percent_decode_str;
use redis::ProtocolVersion;

use super::host::{HostPort, HostProblem};
use super::secret::{Credentials, Secret};
use super::sketch::{Place, Sketch, Target};
use super::{SENTINEL_PORT, SERVER_PORT};
use crate::config::{Plaintext, TlsConfig};
use crate::tls::Encryption;

const SERVER_EXAMPLE: &str = "write a Redis URL such as redis://localhost:6379, with a user and password \
                              redis://user:password@host:6379/0, for a socket unix:///path";
const SENTINEL_EXAMPLE: &str = "write redis+sentinel://user:password@host1:26379,host2:26379/NAME, \
                                with the name that stands in sentinel.conf";
const CLUSTER_EXAMPLE: &str = "write redis+cluster://user:password@host1:6379,host2:6379";
const SOCKET_EXAMPLE: &str = "write unix:///path/to.sock, with a database, user and password \
                              unix:///path/to.sock?db=0&user=name&pass=password";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Server,
    Socket,
    Sentinel,
    Cluster,
}

/// What stands behind the question mark.
#[derive(Default)]
struct Query {
    plaintext: Plaintext,
    protocol: Option<ProtocolVersion>,
    database: Option<u32>,
    socket: Credentials,
    sentinel: Credentials,
    tls: TlsConfig,
}

impl Sketch {
    /// Reads a URL of any form.
    pub(crate) fn from_url(text: &str) -> Result<Self, ConfigError> {
        read(text)
    }
}

fn read(text: &str) -> Result<Sketch, ConfigError> {
    let text = text.trim();
    let (scheme, rest) =
        text.split_once(':').ok_or_else(|| Form::Server.wrong("not a Redis URL"))?;
    let (form, encrypted) =
        scheme_of(scheme).ok_or_else(|| Form::Server.wrong("not a Redis URL"))?;
    let rest = match rest.strip_prefix("//") {
        Some(rest) => rest,
        None if form == Form::Socket => rest,
        None => return Err(form.wrong("after the scheme comes ://")),
    };
    if rest.contains('#') {
        return Err(form.wrong(
            "there is no such thing as #insecure or another fragment here; certificates are always \
             checked, a private authority is named with ?ca=/path, and a # in a password is written \
             as %23",
        ));
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query = Query::read(form, query)?;
    if !encrypted && !query.tls.is_empty() {
        return Err(form.wrong("ca, cert and key are for encrypted connections; write rediss://"));
    }
    if form == Form::Socket {
        return socket(rest, query);
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (who, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let credentials = credentials(form, who)?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let (place, database) = match form {
        Form::Sentinel => {
            let (master, database) = path.split_once('/').unwrap_or((path, ""));
            let master = decoded(form, master)?.into_owned();
            if master.is_empty() {
                return Err(form.wrong("the primary's name is missing"));
            }
            let sentinels = host_list(form, hosts, SENTINEL_PORT)?;
            (Place::Sentinel { sentinels, master, credentials: query.sentinel }, database)
        }
        Form::Cluster => {
            if !path.is_empty() && path != "0" {
                return Err(form.wrong("a Cluster has no databases but number 0"));
            }
            (Place::Cluster(host_list(form, hosts, SERVER_PORT)?), "")
        }
        Form::Server | Form::Socket => {
            if hosts.contains(',') {
                return Err(form.wrong(
                    "several hosts need redis+sentinel:// or redis+cluster://, so that it is known \
                     what they are to each other",
                ));
            }
            let host = HostPort::read(hosts, SERVER_PORT).map_err(|it| form.host(it))?;
            (Place::Server(Target::Tcp(host)), path)
        }
    };
    let database = match database {
        "" => 0,
        text => database_of(form, text)?,
    };
    let encryption = if encrypted { Encryption::Tls(query.tls) } else { Encryption::Off };
    let (plaintext, protocol) = (query.plaintext, query.protocol);
    Ok(Sketch { place, credentials, database, encryption, plaintext, protocol })
}

fn scheme_of(scheme: &str) -> Option<(Form, bool)> {
    let scheme = scheme.to_ascii_lowercase();
    let (product, form) = scheme.split_once('+').unwrap_or((&scheme, ""));
    let encrypted = match product {
        "redis" | "valkey" => false,
        "rediss" | "valkeys" => true,
        "unix" if form.is_empty() => return Some((Form::Socket, false)),
        _ => return None,
    };
    match form {
        "" if !scheme.contains('+') => Some((Form::Server, encrypted)),
        "unix" if !encrypted => Some((Form::Socket, false)),
        "sentinel" => Some((Form::Sentinel, encrypted)),
        "cluster" => Some((Form::Cluster, encrypted)),
        _ => None,
    }
}

fn socket(path: &str, query: Query) -> Result<Sketch, ConfigError> {
    let form = Form::Socket;
    if !path.starts_with('/') {
        return Err(
            form.wrong("the socket's path begins with a /, so that there are three of them")
        );
    }
    let path = PathBuf::from(decoded(form, path)?.into_owned());
    Ok(Sketch {
        place: Place::Server(Target::Socket(path.into())),
        credentials: checked(form, query.socket)?,
        database: query.database.unwrap_or(0),
        encryption: Encryption::Off,
        plaintext: query.plaintext,
        protocol: query.protocol,
    })
}

fn host_list(form: Form, hosts: &str, port: u16) -> Result<Vec<HostPort>, ConfigError> {
    let hosts = hosts.split(',').map(|host| HostPort::read(host, port));
    hosts.map(|host| host.map_err(|problem| form.host(problem))).collect()
}

fn credentials(form: Form, who: &str) -> Result<Credentials, ConfigError> {
    let (user, password) = match who.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (who, None),
    };
    let user = decoded(form, user)?;
    let user = (!user.is_empty()).then(|| user.as_ref().into());
    let password = password.filter(|password| user.is_some() || !password.is_empty());
    let password = password.map(|password| decoded(form, password)).transpose()?;
    let password = password.map(|password| Secret::new(&password));
    checked(form, Credentials { user, password })
}

fn checked(form: Form, who: Credentials) -> Result<Credentials, ConfigError> {
    if who.user.is_some() && who.password.is_none() {
        return Err(form.wrong(
            "a user is named without a password; a user who needs none has an empty one, as in \
             user:@host",
        ));
    }
    Ok(who)
}

fn database_of(form: Form, text: &str) -> Result<u32, ConfigError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.filter(|number| *number <= i32::MAX as u32).ok_or_else(|| {
        form.wrong("the database at the end is not a number such as 0, or leave it out")
    })
}

fn decoded(form: Form, text: &str) -> Result<Cow<'_, str>, ConfigError> {
    let broken =
        || form.wrong("after a % come two hexadecimal digits, and %25 stands for % itself");
    let hexadecimal =
        |part: &str| part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(hexadecimal) {
        return Err(broken());
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| broken())?;
    if text.contains('\0') {
        return Err(broken());
    }
    Ok(text)
}

impl Query {
    fn read(form: Form, text: &str) -> Result<Self, ConfigError> {
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
        query.sentinel = checked(form, query.sentinel)?;
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

impl Form {
    fn wrong(self, what: &str) -> ConfigError {
        ConfigError::new(ConfigErrorKind::Invalid, "url", format!("{what}; {}", self.example()))
    }

    fn host(self, problem: HostProblem) -> ConfigError {
        self.wrong(problem.remedy())
    }

    fn example(self) -> &'static str {
        match self {
            Self::Server => SERVER_EXAMPLE,
            Self::Socket => SOCKET_EXAMPLE,
            Self::Sentinel => SENTINEL_EXAMPLE,
            Self::Cluster => CLUSTER_EXAMPLE,
        }
    }

    fn parameters(self) -> &'static str {
        match self {
            Self::Server => {
                "an unknown parameter; there are plaintext, protocol, ca, cert and key, and the \
                 database stands behind the host, as in /0"
            }
            Self::Socket => "an unknown parameter; there are db, user, pass and protocol",
            Self::Sentinel => {
                "an unknown parameter; there are sentinel_user, sentinel_password, plaintext, \
                 protocol, ca, cert and key"
            }
            Self::Cluster => {
                "an unknown parameter; there are plaintext, protocol, ca, cert and key"
            }
        }
    }
}
