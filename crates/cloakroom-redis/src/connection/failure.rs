//! [`Failure`]: why a question to a server brought no answer, in the form in which retries, breakers
//! and redirections look at it.

use cloakroom::{Operation, Side, StorageError, StorageErrorKind};
use redis::RedisError;

use super::node::is_write;
use super::question::Sent;
use crate::error::{code, is_broken, storage_error};

/// A question that was not answered.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: StorageError,
    pub(crate) cause: Cause,
    /// Whether nobody knows any more what has become of the question: it was sent twice, or it may
    /// have been carried out.
    pub(crate) sent: Sent,
}

/// What to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The connection broke. Whether the server got the question nobody knows.
    Broken,
    /// There is no connection.
    Unreachable,
    /// No answer came in time.
    TimedOut,
    /// It was not sent, to protect the server.
    Rejected,
    /// The server will be ready in a moment; nothing was done.
    NotReady,
    /// The Cluster has nobody who serves this key at present; nothing was done.
    ClusterDown,
    /// The server is a replica; nothing was done.
    ReadOnly,
    /// The server takes no writes at present; nothing was done.
    NoWrites,
    /// The key lies on another node; nothing was done.
    Moved { host: Box<str>, port: u16 },
    /// The key may be on its way to another node, which has to be asked this once.
    Ask { host: Box<str>, port: u16 },
    /// The answer belongs to another question.
    OutOfStep,
    /// Anything else. Another try would end in the same way.
    Final,
}

impl Failure {
    /// What a client's error means.
    pub(super) fn new(error: &RedisError, operation: Operation, host: &str) -> Self {
        let cause = if is_broken(error) {
            Cause::Broken
        } else {
            match code(error) {
                Some("MOVED") => redirection(error, |host, port| Cause::Moved { host, port }),
                Some("ASK") => redirection(error, |host, port| Cause::Ask { host, port }),
                Some("LOADING" | "MASTERDOWN" | "TRYAGAIN") => Cause::NotReady,
                Some("CLUSTERDOWN") => Cause::ClusterDown,
                Some("READONLY") => Cause::ReadOnly,
                Some("OOM" | "MISCONF" | "NOREPLICAS") => Cause::NoWrites,
                // It is busy with somebody's script: more of the same would make it worse.
                Some("BUSY") => Cause::Rejected,
                _ => Cause::Final,
            }
        };
        Self::because(cause, storage_error(error, operation, host))
    }

    /// Not sent: the server has to be protected.
    pub(super) fn rejected(operation: Operation, message: String) -> Self {
        let error = StorageError::new(StorageErrorKind::Rejected, operation, message);
        Self::because(Cause::Rejected, error)
    }

    /// A question that was sent no more than once.
    pub(super) fn because(cause: Cause, error: StorageError) -> Self {
        Self { error, cause, sent: Sent::Once }
    }

    /// Nobody can be asked.
    pub(super) fn unreachable(error: StorageError) -> Self {
        Self::because(Cause::Unreachable, error)
    }

    pub(super) fn timed_out(error: StorageError) -> Self {
        Self::because(Cause::TimedOut, error)
    }

    /// What it means where there is no other node to turn to.
    pub(super) fn outside_of_a_cluster(self, operation: Operation) -> Self {
        if !matches!(self.cause, Cause::Moved { .. } | Cause::Ask { .. }) {
            return self;
        }
        let message = "the server is one of several nodes of a Cluster, and another one has this \
                       session; write redis+cluster:// in front of their hosts";
        Self::because(self.cause, StorageError::new(StorageErrorKind::Backend, operation, message))
    }

    /// What is told to whoever has asked. A write that was sent twice may have been carried out the
    /// first time: that it was refused the second time must not look as if nothing was written.
    pub(super) fn told(self, operation: Operation) -> StorageError {
        use StorageErrorKind::{Denied, Full, ReadOnly, Rejected};
        let is_refused = matches!(self.error.kind(), Denied | Full | ReadOnly | Rejected);
        if self.sent == Sent::Once || !is_write(operation) || !is_refused {
            return self.error;
        }
        let message = format!(
            "the connection broke during it, so nobody can tell whether it was carried out; the second \
             try was refused ({})",
            self.error
        );
        StorageError::new(StorageErrorKind::Unavailable, operation, message).with_source(self.error)
    }

    /// Whether it says that reads, or writes, to this server are in trouble.
    ///
    /// A server that takes no writes still serves reads, so what holds up only writes must not
    /// count against reads.
    pub(super) fn counts_against(&self, side: Side, operation: Operation) -> bool {
        match self.cause {
            Cause::Broken | Cause::Unreachable | Cause::ClusterDown | Cause::OutOfStep => true,
            Cause::TimedOut | Cause::NotReady => (side == Side::Writes) == is_write(operation),
            Cause::ReadOnly | Cause::NoWrites => side == Side::Writes,
            Cause::Rejected | Cause::Moved { .. } | Cause::Ask { .. } | Cause::Final => false,
        }
    }

    /// Whether the server has answered, if only with a refusal.
    pub(super) fn is_an_answer(&self) -> bool {
        !matches!(
            self.cause,
            Cause::Broken | Cause::Unreachable | Cause::TimedOut | Cause::Rejected
        )
    }
}

/// Where a redirection leads; an empty host means the node that has answered.
fn redirection(error: &RedisError, cause: impl FnOnce(Box<str>, u16) -> Cause) -> Cause {
    let Some((host, port)) = error.redirect_node().and_then(|(node, _)| node.rsplit_once(':'))
    else {
        return Cause::Final;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    port.parse().map_or(Cause::Final, |port| cause(host.into(), port))
}
