//! The faults of [`FaultProxy`] that strike whole commands and replies.

use std::sync::Arc;

use super::FaultProxy;
use super::answer::Answer;
use super::error_reply::ErrorReply;
use super::on::{On, Times};
use super::push::Push;
use super::rule::FaultRule;
use super::rules::{Fault, ReplyFault};
use super::scope::{End, Scope};

/// A rule chooses commands when they come to the proxy, and its fault strikes their replies. Of
/// several rules the oldest that strikes has the command.
impl FaultProxy {
    /// Answers commands with an error in the server's place; the server does not see them. The
    /// error comes in its turn, behind the replies to earlier commands.
    ///
    /// Inside of `MULTI` the server does not know of the refusal, and its `EXEC` carries out the
    /// other commands.
    pub fn refuse_commands(&self, on: On, error: ErrorReply, times: Times) -> FaultRule {
        self.rule(on, Fault::Refuse(error.frame()), times)
    }

    /// Answers commands with a value in the server's place, otherwise like
    /// [`refuse_commands`](Self::refuse_commands): a replica that says it is the primary, a
    /// Sentinel that names an address behind another proxy.
    pub fn answer_commands(&self, on: On, answer: &Answer, times: Times) -> FaultRule {
        self.rule(on, Fault::Refuse(answer.frame()), times)
    }

    /// Lets the server carry commands out, and answers an error in place of its replies.
    pub fn replace_replies(&self, on: On, error: ErrorReply, times: Times) -> FaultRule {
        self.rule(on, Fault::Reply(ReplyFault::Replace(error.frame())), times)
    }

    /// Lets the server carry commands out, and loses its replies. The next reply on the connection
    /// then comes where the client expects this one.
    pub fn drop_replies(&self, on: On, times: Times) -> FaultRule {
        self.rule(on, Fault::Reply(ReplyFault::Drop), times)
    }

    /// Hands replies on twice.
    pub fn duplicate_replies(&self, on: On, times: Times) -> FaultRule {
        self.rule(on, Fault::Reply(ReplyFault::Duplicate), times)
    }

    /// Hands the next reply of the connection on first. Until there is one, this one waits, also
    /// beyond the end of the rule.
    pub fn swap_replies(&self, on: On, times: Times) -> FaultRule {
        self.rule(on, Fault::Reply(ReplyFault::SwapWithNext), times)
    }

    /// Holds replies, and whatever comes behind them on their connections, until the rule ends.
    pub fn hold_replies(&self, on: On, times: Times) -> FaultRule {
        self.rule(on, Fault::Reply(ReplyFault::Hold), times)
    }

    /// Holds commands, and whatever comes behind them on their connections, before the server sees
    /// them. When the rule ends they arrive, also when the client has left meanwhile: that is a write
    /// which was on its way for long.
    pub fn hold_requests(&self, on: On, times: Times) -> FaultRule {
        self.rule(on, Fault::HoldRequest, times)
    }

    /// Hands on the first `after` bytes of each reply, and ends the connection. A reply that is not
    /// longer passes unharmed and does not count as struck, so a test can raise `after` from 0 until
    /// nothing is struck any more, and has then cut at every byte.
    pub fn cut_replies(&self, on: On, after: usize, end: End, times: Times) -> FaultRule {
        self.rule(on, Fault::Reply(ReplyFault::Cut { after, end }), times)
    }

    /// Hands on the first `after` bytes of each request, and ends the connection, otherwise like
    /// [`cut_replies`](Self::cut_replies).
    pub fn cut_requests(&self, on: On, after: usize, end: End, times: Times) -> FaultRule {
        self.rule(on, Fault::CutRequest { after, end }, times)
    }

    /// Sends a push right before each reply, on connections that speak RESP3.
    pub fn push_before_replies(&self, on: On, push: &Push, times: Times) -> FaultRule {
        self.rule(on, Fault::Reply(ReplyFault::PushBefore(push.frame())), times)
    }

    /// Sends a push now on each of these connections that speaks RESP3, between two replies, and
    /// says on how many.
    pub fn push(&self, scope: Scope, push: &Push) -> usize {
        let links = self.inside.links.open_in(scope);
        links.iter().filter(|link| link.pairing().push(push.frame(), &link.client)).count()
    }

    fn rule(&self, on: On, fault: Fault, times: Times) -> FaultRule {
        let connections = self.inside.links.connections(on.scope());
        let tally = self.inside.rules.add(on, connections, fault, times);
        FaultRule::new(Arc::clone(&self.inside), tally)
    }
}
