//! [`Answer`]: a value that the proxy answers in the server's place.

use bytes::Bytes;

use super::push::bulk;

/// A reply that is no error; for errors see [`ErrorReply`](super::ErrorReply).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer(Bytes);

impl Answer {
    /// A short text such as `OK`. Line breaks become spaces.
    pub fn status(text: &str) -> Self {
        Self(format!("+{}\r\n", text.replace(['\r', '\n'], " ")).into())
    }

    /// A number.
    pub fn number(number: i64) -> Self {
        Self(format!(":{number}\r\n").into())
    }

    /// The word for "there is no value", in the form that RESP2 and RESP3 clients understand.
    pub fn nil() -> Self {
        Self(Bytes::from_static(b"$-1\r\n"))
    }

    /// A value.
    pub fn value(value: impl AsRef<[u8]>) -> Self {
        let mut frame = Vec::new();
        bulk(&mut frame, value.as_ref());
        Self(frame.into())
    }

    /// Several answers in one.
    pub fn list(answers: impl IntoIterator<Item = Self>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        let mut frame = format!("*{}\r\n", answers.len()).into_bytes();
        for answer in &answers {
            frame.extend_from_slice(&answer.0);
        }
        Self(frame.into())
    }

    pub(super) fn frame(&self) -> Bytes {
        self.0.clone()
    }
}
