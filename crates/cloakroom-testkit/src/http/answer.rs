//! [`HttpAnswer`]: one complete HTTP/1.1 answer.

/// A server's answer.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl HttpAnswer {
    /// Reads an answer from everything that a server has sent; `None` where something is missing.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = find(bytes, b"\r\n\r\n")?;
        let (head, rest) = (&bytes[..end], &bytes[end + 4..]);
        let mut lines = split_lines(head);
        let status_line = String::from_utf8_lossy(lines.next()?).into_owned();
        let status = status_line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let headers = lines.filter_map(header).collect();
        let mut answer = Self { status, headers, body: Vec::new() };
        answer.body = answer.read_body(rest)?;
        Some(answer)
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's values, in order.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let values = self.headers.iter().filter(|(found, _)| found == name);
        values.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// Whether one of a header's values, taken apart at commas, is that one.
    pub fn header_has(&self, name: &str, wanted: &str) -> bool {
        self.headers(name)
            .iter()
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(wanted))
    }

    fn read_body(&self, rest: &[u8]) -> Option<Vec<u8>> {
        if self.header_has("transfer-encoding", "chunked") {
            return unchunk(rest);
        }
        let Some(length) = self.headers("content-length").first().cloned() else {
            return Some(rest.to_vec());
        };
        rest.get(..length.parse().ok()?).map(<[u8]>::to_vec)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn split_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn header(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = find(line, b":")?;
    let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
    Some((name, line[colon + 1..].trim_ascii().to_vec()))
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(rest, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        let start = end + 2;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(start..start + size)?);
        rest = rest.get(start + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complete_answer_is_read() {
        let bytes =
            b"HTTP/1.1 200 OK\r\nVary: Cookie, Accept\r\nvary: x\r\ncontent-length: 2\r\n\r\nhi";
        let answer = HttpAnswer::parse(bytes).expect("it is complete");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "hi"));
        assert_eq!(answer.headers("vary"), ["Cookie, Accept", "x"]);
        assert!(answer.header_has("vary", "accept") && answer.header_has("vary", "x"));
        assert!(!answer.header_has("vary", "cook"));
    }

    #[test]
    fn chunks_are_put_together() {
        let bytes =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        assert_eq!(HttpAnswer::parse(bytes).expect("it is complete").text(), "abcd");
    }

    #[test]
    fn an_answer_that_was_cut_off_is_none() {
        for bytes in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        ] {
            assert!(HttpAnswer::parse(bytes.as_bytes()).is_none(), "{bytes:?}");
        }
    }
}
