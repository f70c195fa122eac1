//! [`Form`]: which of the forms a URL has, and what is said to one that is wrong.

use std::borrow::Cow;

use cloakroom::{ConfigError, ConfigErrorKind};
use percent_encoding::percent_decode_str;

use crate::address::host::HostProblem;

const SERVER_EXAMPLE: &str = "write a Redis URL such as redis://localhost:6379, with a user and password \
                              redis://user:password@host:6379/0, for a socket unix:///path";
const SENTINEL_EXAMPLE: &str = "write redis+sentinel://user:password@host1:26379,host2:26379/NAME, \
                                with the name that stands in sentinel.conf";
const CLUSTER_EXAMPLE: &str = "write redis+cluster://user:password@host1:6379,host2:6379";
const SOCKET_EXAMPLE: &str = "write unix:///path/to.sock, with a database, user and password \
                              unix:///path/to.sock?db=0&user=name&pass=password";

/// What a URL leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Server,
    Socket,
    Sentinel,
    Cluster,
}

impl Form {
    pub(super) fn wrong(self, what: &str) -> ConfigError {
        ConfigError::new(ConfigErrorKind::Invalid, "url", format!("{what}; {}", self.example()))
    }

    pub(super) fn host(self, problem: HostProblem) -> ConfigError {
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

    pub(super) fn parameters(self) -> &'static str {
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

/// The form that a scheme stands for, and whether it encrypts.
pub(super) fn scheme_of(scheme: &str) -> Option<(Form, bool)> {
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

/// A number as `SELECT` takes it.
pub(super) fn database_of(form: Form, text: &str) -> Result<u32, ConfigError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.filter(|number| *number <= i32::MAX as u32).ok_or_else(|| {
        form.wrong("the database at the end is not a number such as 0, or leave it out")
    })
}

/// What a part means after percent-decoding.
pub(super) fn decoded(form: Form, text: &str) -> Result<Cow<'_, str>, ConfigError> {
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
