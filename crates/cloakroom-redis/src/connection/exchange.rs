//! [`Exchange`]: the `tracing` span around one exchange with one server, from the choice of a
//! connection to the answer, with the repetition that may be needed. The pool makes one for each.
//!
//! Its name and fields are those of OpenTelemetry's semantic conventions for Redis clients, and the
//! `otel.` fields tell `tracing-opentelemetry` the rest. It holds the command's name and never its
//! arguments, so no key, owner or value. Where nobody listens to spans of the level `DEBUG` there is
//! none, and an exchange costs one look at a number.

use std::future::Future;

#[cfg(feature = "tracing")]
use cloakroom::StorageError;

use super::failure::Failure;
use super::node::Node;
use super::pool::Reply;
use super::question::Inquiry;
#[cfg(feature = "tracing")]
use crate::error::ClientError;

/// An exchange's span; without the feature `tracing` nothing at all.
pub(super) struct Exchange {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

#[cfg(feature = "tracing")]
impl Exchange {
    pub(super) fn begin(node: &Node, inquiry: &Inquiry<'_>) -> Self {
        use tracing::field::Empty;
        use tracing::level_filters::LevelFilter;

        if LevelFilter::current() < LevelFilter::DEBUG {
            return Self { span: tracing::Span::none() };
        }
        let question = &inquiry.question;
        let (address, command) = (node.address(), question.name());
        let (host, port) = host_and_port(&address);
        // A database's number in it would be confusing, say the conventions.
        let target = port.map(|_| format!(" {address}")).unwrap_or_default();
        let span = tracing::debug_span!(
            "redis_exchange",
            otel.name = format_args!("{command}{target}"),
            otel.kind = "client",
            db.system.name = "redis",
            db.namespace = %node.connector.database(),
            db.operation.name = &*command,
            db.operation.batch.size = question.batch_size(),
            db.response.status_code = Empty,
            server.address = host,
            server.port = port,
            cloakroom.operation = inquiry.operation().name(),
            "error.type" = Empty,
            otel.status_code = Empty,
        );
        Self { span }
    }

    /// Carries the exchange out within the span.
    pub(super) fn around<F: Future>(&self, exchange: F) -> impl Future<Output = F::Output> {
        tracing::Instrument::instrument(exchange, self.span.clone())
    }

    /// Notes why there was no answer.
    pub(super) fn end(self, answer: &Result<Reply, Failure>) {
        if let Err(failure) = answer {
            let code = status_code(&failure.error);
            self.span.record("db.response.status_code", code);
            self.span.record("error.type", code.unwrap_or(failure.error.kind().name()));
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

#[cfg(not(feature = "tracing"))]
impl Exchange {
    pub(super) fn begin(_: &Node, _: &Inquiry<'_>) -> Self {
        Self {}
    }

    pub(super) fn around<F: Future>(&self, exchange: F) -> impl Future<Output = F::Output> {
        exchange
    }

    pub(super) fn end(self, _: &Result<Reply, Failure>) {}
}

/// The first word of the server's error, where it is the server that has refused.
#[cfg(feature = "tracing")]
fn status_code(error: &StorageError) -> Option<&str> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<ClientError>()?.code()
}

/// A server's address in two parts. A socket's path is all address, and so is what cannot be read.
#[cfg(feature = "tracing")]
fn host_and_port(address: &str) -> (&str, Option<u16>) {
    let parts = address.rsplit_once(':');
    match parts.and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => (host.trim_matches(['[', ']']), Some(port)),
        None => (address, None),
    }
}

#[cfg(all(test, feature = "tracing"))]
mod tests {
    use super::*;
    use crate::connection::Question;

    #[test]
    fn an_address_is_taken_apart_as_far_as_it_has_parts() {
        for (address, parts) in [
            ("cache.example:6379", ("cache.example", Some(6379))),
            ("[::1]:6380", ("::1", Some(6380))),
            ("/run/redis.sock", ("/run/redis.sock", None)),
            ("C:/redis.sock", ("C:/redis.sock", None)),
        ] {
            assert_eq!(host_and_port(address), parts);
        }
    }

    #[test]
    fn a_question_is_called_by_its_command() {
        let mut get = redis::cmd("GET");
        get.arg("cloakroom:session:1");
        assert_eq!(Question::Command(&get).name(), "GET");
        let mut pipeline = redis::pipe();
        pipeline.add_command(get.clone());
        let name_and_size = |pipeline: &redis::Pipeline| {
            let question = Question::Pipeline(pipeline);
            (question.name().into_owned(), question.batch_size())
        };
        assert_eq!(name_and_size(&pipeline), ("GET".to_owned(), None), "one is no batch");
        pipeline.add_command(get);
        assert_eq!(name_and_size(&pipeline), ("PIPELINE GET".to_owned(), Some(2)));
        pipeline.add_command(redis::cmd("TIME"));
        assert_eq!(name_and_size(&pipeline), ("PIPELINE".to_owned(), Some(3)));
    }
}
