//! [`Hearing`]: whether a new connection hears of changes (`CLIENT TRACKING`), and why not.

use std::sync::Arc;

use redis::{RedisError, Value};

use crate::address::Link;
use crate::error::is_denied;
use crate::near_cache::Coverage;

/// What a new connection has come to.
pub(super) enum Hearing {
    /// There is no near-cache.
    NotWanted,
    /// What changes is told over it.
    Well(Arc<Coverage>),
    /// It carries commands and nothing else.
    Deaf(Deaf),
}

/// Why a server does not tell of changes. Sessions are kept all the same, and nothing is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deaf {
    /// It, or what stands before it, speaks RESP2 only.
    OldProtocol,
    /// It does not let the user ask for it.
    NotAllowed,
    /// It does not know, or does not take, the command.
    Refused,
}

impl Hearing {
    pub(super) fn coverage(&self) -> Option<Arc<Coverage>> {
        match self {
            Self::Well(coverage) => Some(coverage.clone()),
            Self::NotWanted | Self::Deaf(_) => None,
        }
    }

    pub(super) fn deaf(&self) -> Option<Deaf> {
        match self {
            Self::Deaf(deaf) => Some(*deaf),
            Self::NotWanted | Self::Well(_) => None,
        }
    }
}

impl Deaf {
    /// What somebody should look at.
    pub(crate) fn warning(self, host: &str) -> String {
        format!("the near-cache holds nothing of Redis at {host}: {}", self.remedy())
    }

    /// What it is, and what to do about it.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::OldProtocol => {
                "it needs RESP3; take protocol=resp2 out of the URL, connect without the proxy that \
                 does not know HELLO, or leave the near-cache out"
            }
            Self::NotAllowed => {
                "the user may not send CLIENT TRACKING; add +client|tracking to the user's rights \
                 (cloakroom acl prints them), or leave the near-cache out"
            }
            Self::Refused => {
                "the server or a proxy before it does not take CLIENT TRACKING; connect to Redis 6 \
                 or newer directly, or leave the near-cache out"
            }
        }
    }
}

/// Asks the server to tell of changes to whatever is read on a connection, those included that are
/// made on it.
///
/// `NOLOOP` would leave those out, and with them what the server forgets or evicts while it carries out
/// a command of this connection, of which nobody else would tell.
pub(super) async fn begin(connection: &mut Link) -> Result<(), Answered> {
    let mut tracking = redis::cmd("CLIENT");
    tracking.arg("TRACKING").arg("ON");
    match tracking.query_async::<Value>(&mut **connection).await {
        Ok(_) => Ok(()),
        Err(error) if is_denied(&error) => Err(Answered::No(Deaf::NotAllowed)),
        Err(error) if error.code().is_some() => Err(Answered::No(Deaf::Refused)),
        Err(error) => Err(Answered::Nothing(error)),
    }
}

/// What came instead of a consent.
pub(super) enum Answered {
    No(Deaf),
    Nothing(RedisError),
}
