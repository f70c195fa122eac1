//! [`ErrorReply`]: what a server in trouble answers, in the words of a real one.

use std::fmt;

use bytes::Bytes;

/// An error that the proxy answers in the server's place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorReply {
    /// `-LOADING`: the server has started and still reads its data.
    Loading,
    /// `-OOM`: the server's memory is full.
    Oom,
    /// `-MISCONF`: the server cannot save to its disk and accepts no writes.
    Misconf,
    /// `-READONLY`: this is a replica.
    ReadOnly,
    /// `-NOREPLICAS`: fewer replicas than required are connected.
    NoReplicas,
    /// `-MOVED`: another node of the cluster owns the slot.
    Moved(Redirect),
    /// `-ASK`: for this one command, another node of the cluster has the slot.
    Ask(Redirect),
    /// `-TRYAGAIN`: the slot is on its way between two nodes.
    TryAgain,
    /// `-CLUSTERDOWN`: the cluster cannot serve the slot.
    ClusterDown,
    /// `-NOAUTH`: nobody has signed in on this connection.
    NoAuth,
    /// `-NOSCRIPT`: the server has forgotten its scripts.
    NoScript,
    /// `-WRONGPASS`: the password is wrong, or the user is disabled.
    WrongPass,
    /// `-NOPERM`: the user may not do this.
    NoPerm,
    /// `-BUSY`: a script does not end.
    Busy,
    /// `-MASTERDOWN`: the replica has lost its primary and may not serve old data.
    MasterDown,
    /// Any other error, from its code on. Line breaks become spaces.
    Other(String),
}

/// Where a cluster sends a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redirect {
    /// The slot, 0 to 16383.
    pub slot: u16,
    /// The other node's name or address.
    pub host: String,
    /// The other node's port.
    pub port: u16,
}

impl ErrorReply {
    /// A redirection of `slot` to another node for good.
    pub fn moved(slot: u16, host: impl Into<String>, port: u16) -> Self {
        Self::Moved(Redirect { slot, host: host.into(), port })
    }

    /// A redirection of one command.
    pub fn ask(slot: u16, host: impl Into<String>, port: u16) -> Self {
        Self::Ask(Redirect { slot, host: host.into(), port })
    }

    /// The reply's bytes.
    pub(super) fn frame(&self) -> Bytes {
        Bytes::from(format!("-{}\r\n", self.to_string().replace(['\r', '\n'], " ")))
    }
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Loading => "LOADING Redis is loading the dataset in memory",
            Self::Oom => "OOM command not allowed when used memory > 'maxmemory'.",
            Self::Misconf => {
                "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to \
                 persist to disk. Commands that may modify the data set are disabled, because this \
                 instance is configured to report errors during writes if RDB snapshotting fails \
                 (stop-writes-on-bgsave-error option). Please check the Redis logs for details \
                 about the RDB error."
            }
            Self::ReadOnly => "READONLY You can't write against a read only replica.",
            Self::NoReplicas => "NOREPLICAS Not enough good replicas to write.",
            Self::Moved(Redirect { slot, host, port }) => {
                return write!(to, "MOVED {slot} {host}:{port}");
            }
            Self::Ask(Redirect { slot, host, port }) => {
                return write!(to, "ASK {slot} {host}:{port}");
            }
            Self::TryAgain => "TRYAGAIN Multiple keys request during rehashing of slot",
            Self::ClusterDown => "CLUSTERDOWN The cluster is down",
            Self::NoAuth => "NOAUTH Authentication required.",
            Self::NoScript => "NOSCRIPT No matching script. Please use EVAL.",
            Self::WrongPass => "WRONGPASS invalid username-password pair or user is disabled.",
            Self::NoPerm => "NOPERM this user has no permissions to run this command",
            Self::Busy => {
                "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN \
                 NOSAVE."
            }
            Self::MasterDown => {
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
            }
            Self::Other(line) => line,
        })
    }
}
