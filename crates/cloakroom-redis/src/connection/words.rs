//! [`Words`]: what two `PING`s around a command are sent with. Whoever reads what does not say itself
//! what it answers asks between them: where both come back in their places, what stands in their
//! midst is the answer.

use cloakroom::{Nonce, Operation, StorageError, StorageErrorKind};
use redis::{Cmd, Value};

/// Two words that nobody else has drawn.
#[derive(Clone, Copy)]
pub(crate) struct Words(Nonce);

impl Words {
    /// # Errors
    /// [`StorageErrorKind::Unavailable`] where the operating system gives no random bytes.
    pub(crate) fn draw(operation: Operation) -> Result<Self, StorageError> {
        let random = |_| {
            let message = "the operating system gives no random bytes";
            StorageError::new(StorageErrorKind::Unavailable, operation, message)
        };
        Nonce::generate().map(Self).map_err(random)
    }

    /// The commands to be sent before and after what is asked.
    pub(crate) fn pings(&self) -> [Cmd; 2] {
        self.both().map(|word| {
            let mut ping = redis::cmd("PING");
            ping.arg(word);
            ping
        })
    }

    /// Whether these are the answers to them.
    pub(crate) fn came_back(&self, answers: [&Value; 2]) -> bool {
        let is_word = |(word, answer): (&[u8], &Value)| matches!(answer, Value::BulkString(answer) if answer == word);
        self.both().into_iter().zip(answers).all(is_word)
    }

    fn both(&self) -> [&[u8]; 2] {
        let (first, last) = self.0.as_bytes().split_at(8);
        [first, last]
    }
}
