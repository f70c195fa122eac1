//! [`Asking`]: the `tracing` span around one question to the storage, with everything that the
//! storage tries for it. The engine makes one for each.
//!
//! Where nobody listens to spans of the level `DEBUG` there is none, and asking costs one look at a
//! number. A span holds no key, owner or value.

use std::future::Future;

use crate::error::{Operation, StorageError};
use crate::storage::AnyStorage;
#[cfg(feature = "tracing")]
use crate::storage::SessionStorage;

/// A question's span; without the feature `tracing` nothing at all.
pub(super) struct Asking {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

#[cfg(feature = "tracing")]
impl Asking {
    /// The fields have OpenTelemetry's names where it has some.
    pub(super) fn begin(operation: Operation, storage: &AnyStorage) -> Self {
        let span = tracing::debug_span!(
            "session_storage",
            otel.name = format_args!("session {operation}"),
            otel.kind = "internal",
            cloakroom.operation = operation.name(),
            cloakroom.storage = storage.backend_name(),
            "error.type" = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        );
        Self { span }
    }

    /// Carries the question out within the span.
    pub(super) fn around<F: Future>(&self, question: F) -> impl Future<Output = F::Output> {
        tracing::Instrument::instrument(question, self.span.clone())
    }

    /// Notes why the storage could not say.
    pub(super) fn end(self, error: Option<&StorageError>) {
        if let Some(error) = error {
            self.span.record("error.type", error.kind().name());
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

#[cfg(not(feature = "tracing"))]
impl Asking {
    pub(super) fn begin(_: Operation, _: &AnyStorage) -> Self {
        Self {}
    }

    pub(super) fn around<F: Future>(&self, question: F) -> impl Future<Output = F::Output> {
        question
    }

    pub(super) fn end(self, _: Option<&StorageError>) {}
}
