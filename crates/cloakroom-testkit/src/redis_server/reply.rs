//! [`Reply`]: what a Redis server answers, read without a client library, so that a test sees the
//! server and not a client's view of it.

use std::collections::BTreeMap;
use std::io;

/// One answer of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// There is no value.
    Nil,
    /// A number.
    Number(i64),
    /// A short text such as `OK`.
    Status(String),
    /// A refusal, beginning with its code.
    Error(String),
    /// A value.
    Bytes(Vec<u8>),
    /// Several answers.
    Many(Vec<Reply>),
}

impl Reply {
    /// Reads one answer; `None` where it has not arrived as a whole.
    pub(super) fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        Ok(split(bytes)?.map(|(reply, _)| reply))
    }

    /// The answer's number; zero where it is none.
    pub fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).parse().unwrap_or(0),
            _ => 0,
        }
    }

    /// The answer as text, whatever it is; several answers stand on a line each.
    pub fn text(&self) -> String {
        match self {
            Self::Nil => String::new(),
            Self::Number(number) => number.to_string(),
            Self::Status(text) | Self::Error(text) => text.clone(),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Many(replies) => replies.iter().map(Self::text).collect::<Vec<_>>().join("\n"),
        }
    }

    /// The value's bytes; `None` where there is none.
    pub fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The names and values of an answer that alternates between them.
    pub fn fields(self) -> BTreeMap<String, String> {
        let texts: Vec<_> = self.many().iter().map(Self::text).collect();
        texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    }

    /// The answers of which this one is made; empty where it is a single one.
    pub fn many(self) -> Vec<Reply> {
        match self {
            Self::Many(replies) => replies,
            _ => Vec::new(),
        }
    }
}

/// The first answer, and what follows it.
fn split(bytes: &[u8]) -> io::Result<Option<(Reply, &[u8])>> {
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let (line, mut rest) = (&bytes[..end], &bytes[end + 2..]);
    let Some((kind, line)) = line.split_first() else { return Err(malformed()) };
    let text = String::from_utf8_lossy(line).into_owned();
    let number = || text.parse::<i64>().map_err(|_| malformed());
    let reply = match kind {
        b'+' => Reply::Status(text),
        b'-' => Reply::Error(text),
        b':' => Reply::Number(number()?),
        b'$' => {
            let Ok(length) = usize::try_from(number()?) else {
                return Ok(Some((Reply::Nil, rest)));
            };
            let Some((value, after)) = rest.split_at_checked(length + 2) else { return Ok(None) };
            rest = after;
            Reply::Bytes(value[..length].to_vec())
        }
        b'*' => {
            let mut replies = Vec::new();
            for _ in 0..number()? {
                let Some((reply, after)) = split(rest)? else { return Ok(None) };
                replies.push(reply);
                rest = after;
            }
            Reply::Many(replies)
        }
        _ => return Err(malformed()),
    };
    Ok(Some((reply, rest)))
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the server's answer cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_whole_and_not_before() {
        let whole = b"*3\r\n$4\r\na\r\nb\r\n*2\r\n:7\r\n$-1\r\n+OK\r\n";
        for end in 0..whole.len() {
            assert_eq!(Reply::parse(&whole[..end]).unwrap(), None, "cut at {end}");
        }
        let inner = Reply::Many(vec![Reply::Number(7), Reply::Nil]);
        let read = vec![Reply::Bytes(b"a\r\nb".to_vec()), inner, Reply::Status("OK".to_owned())];
        assert_eq!(Reply::parse(whole).unwrap(), Some(Reply::Many(read)));
    }

    #[test]
    fn names_and_values_are_told_apart() {
        let bytes = |text: &str| Reply::Bytes(text.as_bytes().to_vec());
        let fields = Reply::Many(vec![bytes("port"), bytes("1"), bytes("flags"), Reply::Nil]);
        let expected = [("flags", ""), ("port", "1")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(fields.fields(), BTreeMap::from(expected));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        assert!(Reply::parse(b"HTTP/1.1 200 OK\r\n").is_err());
    }
}
