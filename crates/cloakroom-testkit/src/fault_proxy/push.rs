//! [`Push`]: a message that nobody has asked for, as RESP3 servers send between two replies.

use bytes::Bytes;

/// A push frame to inject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push(Bytes);

impl Push {
    /// A push of a kind, such as `message`, with its values.
    pub fn new(kind: &str, values: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        let mut frame = format!(">{}\r\n", values.len() + 1).into_bytes();
        bulk(&mut frame, kind.as_bytes());
        for value in &values {
            bulk(&mut frame, value.as_ref());
        }
        Self(frame.into())
    }

    /// The message of client-side caching that these keys have changed.
    pub fn invalidate(keys: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut frame = b">2\r\n$10\r\ninvalidate\r\n".to_vec();
        frame.extend_from_slice(format!("*{}\r\n", keys.len()).as_bytes());
        for key in &keys {
            bulk(&mut frame, key.as_ref());
        }
        Self(frame.into())
    }

    /// The message of client-side caching that everything may have changed (after `FLUSHALL`).
    pub fn invalidate_all() -> Self {
        Self(Bytes::from_static(b">2\r\n$10\r\ninvalidate\r\n_\r\n"))
    }

    pub(super) fn frame(&self) -> Bytes {
        self.0.clone()
    }
}

pub(super) fn bulk(frame: &mut Vec<u8>, value: &[u8]) {
    frame.extend_from_slice(format!("${}\r\n", value.len()).as_bytes());
    frame.extend_from_slice(value);
    frame.extend_from_slice(b"\r\n");
}
