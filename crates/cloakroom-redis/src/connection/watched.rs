//! [`Watched`]: the servers as somebody sees them who has to know over which connection each question
//! goes out. The near-cache does.

use std::sync::Arc;

use bytes::Bytes;
use cloakroom::{Operation, StorageError};

use super::deadline::Deadline;
use super::question::{Inquiry, Question};
use super::servers::{Answer, Servers};
use crate::near_cache::Coverage;

/// Is told of each connection that a question is about to be sent over, once per time it is sent.
pub(crate) trait Watch: Sync {
    /// With the connection's coverage; without one where it does not hear of changes.
    fn sending(&self, on: Option<&Arc<Coverage>>);

    /// What was sent last has been written, in one step in which the key was read before the write and
    /// behind it. These are the bytes.
    fn written(&self, content: Bytes) {
        let _ = content;
    }
}

/// Servers, and who watches the questions to them.
#[derive(Clone, Copy)]
pub(crate) struct Watched<'a> {
    servers: &'a Servers,
    watch: Option<&'a dyn Watch>,
}

impl Servers {
    /// The same servers, watched by somebody.
    pub(crate) fn watched<'a>(&'a self, watch: Option<&'a dyn Watch>) -> Watched<'a> {
        Watched { servers: self, watch }
    }
}

impl<'a> Watched<'a> {
    /// Whether somebody relies on hearing of what happens to the key after the question.
    pub(crate) fn is_watched(self) -> bool {
        self.watch.is_some()
    }

    /// Says that a record was written in the form that [`Watch::written`] describes.
    pub(crate) fn written(self, content: impl FnOnce() -> Bytes) {
        if let Some(watch) = self.watch {
            watch.written(content());
        }
    }

    /// As [`Servers::ask`].
    pub(crate) fn ask<'q>(
        self,
        key: &'q [u8],
        operation: Operation,
        question: Question<'q>,
    ) -> impl Future<Output = Result<Answer<'a>, StorageError>>
    where
        'a: 'q,
    {
        self.ask_until(key, question, self.servers.deadline(operation))
    }

    /// As [`Servers::ask_until`].
    pub(crate) fn ask_until<'q>(
        self,
        key: &'q [u8],
        question: Question<'q>,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Answer<'a>, StorageError>>
    where
        'a: 'q,
    {
        let inquiry: Inquiry<'q> =
            Inquiry { watch: self.watch, ..Inquiry::new(question, deadline) };
        async move { self.servers.put(key, &inquiry).await }
    }
}
