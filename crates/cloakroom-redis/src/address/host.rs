//! [`HostPort`]: one address as people write it, and whether what is sent there leaves the machine.

use std::fmt;
use std::net::IpAddr;

/// A host, by name or number, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    host: Box<str>,
    port: u16,
}

/// What is wrong with an address. It never repeats the address: where a URL was cut in the wrong
/// place, that may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostProblem {
    Missing,
    Port,
    Brackets,
    Wildcard,
    Characters,
}

impl HostPort {
    /// An address that a server has told.
    pub(crate) fn new(host: &str, port: u16) -> Result<Self, HostProblem> {
        let host = host.strip_suffix('.').filter(|host| !host.is_empty()).unwrap_or(host);
        if host.is_empty() {
            return Err(HostProblem::Missing);
        }
        if port == 0 {
            return Err(HostProblem::Port);
        }
        match host.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() => return Err(HostProblem::Wildcard),
            Ok(_) => {}
            Err(_) if host.bytes().all(is_name_byte) => {}
            Err(_) => return Err(HostProblem::Characters),
        }
        Ok(Self { host: host.into(), port })
    }

    /// Reads `host`, `host:port`, `[::1]` or `[::1]:port`.
    pub(crate) fn read(text: &str, default_port: u16) -> Result<Self, HostProblem> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(HostProblem::Brackets)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| HostProblem::Brackets)?;
                let port = match port {
                    "" => None,
                    port => Some(port.strip_prefix(':').ok_or(HostProblem::Port)?),
                };
                (host, port)
            }
            None => match text.split_once(':') {
                Some((_, port)) if port.contains(':') => return Err(HostProblem::Brackets),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            None | Some("") => default_port,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().map_err(|_| HostProblem::Port)?
            }
            Some(_) => return Err(HostProblem::Port),
        };
        Self::new(host, port)
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether what is sent there stays on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        }
    }
}

impl HostProblem {
    /// What to write instead.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::Missing => "a host is missing",
            Self::Port => "the port is not a number from 1 to 65535",
            Self::Brackets => "an IPv6 address stands in brackets, for example [::1]:6379",
            Self::Wildcard => {
                "0.0.0.0 and :: are addresses to listen on; name the host to connect to"
            }
            Self::Characters => {
                "the host is no host name; in a user name or password write %40 for @, %2F for /, \
                 %3A for :, %3F for ?, %23 for # and %25 for %"
            }
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Names inside of containers have underscores.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}
