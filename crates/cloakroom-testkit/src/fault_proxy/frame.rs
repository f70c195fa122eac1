//! [`Scanner`]: finds where a request or reply ends, without building it. Both pumps of a connection
//! feed it; it must need no more than a few steps per value, however long the value is, and go on
//! where it stopped when more has arrived.

/// Longer lines than this are no RESP.
const LONGEST_LINE: usize = 64 * 1024;

/// What came is not RESP, so nobody can say where it ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotResp;

/// How far the frame at the front of a buffer has been read.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// The bytes of it that need no second look.
    done: usize,
    /// The values that are still missing; 0 before the frame's first line.
    missing: u64,
}

impl Scanner {
    /// The length of the frame with which `bytes` begins, or `None` before it is whole. Once a
    /// length was returned, the next call is about the next frame.
    pub(super) fn reply(&mut self, bytes: &[u8]) -> Result<Option<usize>, NotResp> {
        if self.missing == 0 {
            (self.done, self.missing) = (0, 1);
        }
        while self.missing > 0 {
            let Some(line) = line(&bytes[self.done..])? else { return Ok(None) };
            let Some((kind, text)) = line.split_first() else { return Err(NotResp) };
            let after = self.done + line.len() + 2;
            match kind {
                b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => self.missing -= 1,
                b'$' | b'=' | b'!' => {
                    if let Some(length) = count(text)? {
                        let end = after + length as usize + 2;
                        if bytes.len() < end {
                            return Ok(None);
                        }
                        self.done = end;
                        self.missing -= 1;
                        continue;
                    }
                    self.missing -= 1;
                }
                b'*' | b'~' | b'>' => self.missing += count(text)?.unwrap_or(0),
                b'%' => self.missing += 2 * count(text)?.unwrap_or(0),
                // An attribute stands before a value and is none.
                b'|' => self.missing += 2 * count(text)?.unwrap_or(0) + 1,
                _ => return Err(NotResp),
            }
            if matches!(kind, b'*' | b'~' | b'>' | b'%' | b'|') {
                self.missing -= 1;
            }
            self.done = after;
        }
        Ok(Some(self.done))
    }

    /// The same for a request, which may also be a line of words, as a person types it.
    pub(super) fn request(&mut self, bytes: &[u8]) -> Result<Option<usize>, NotResp> {
        match bytes.first() {
            None => return Ok(None),
            Some(b'*') => return self.reply(bytes),
            Some(_) if self.missing > 0 => return self.reply(bytes),
            Some(_) => {}
        }
        match bytes.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n') {
            None if bytes.len() >= LONGEST_LINE => Err(NotResp),
            end => Ok(end.map(|end| end + 1)),
        }
    }
}

/// The words of a whole request.
pub(super) fn words(request: &[u8]) -> Vec<&[u8]> {
    if request.first() != Some(&b'*') {
        let words = request.split(u8::is_ascii_whitespace);
        return words.filter(|word| !word.is_empty()).collect();
    }
    let mut words = Vec::with_capacity(8);
    let Some((total, mut rest)) = prefix(request) else { return words };
    for _ in 0..total {
        let Some((length, after)) = prefix(rest) else { return words };
        let Some((word, after)) = after.split_at_checked(length as usize) else { return words };
        words.push(word);
        rest = after.get(2..).unwrap_or_default();
    }
    words
}

/// The first value of a whole push, which says what it is about.
pub(super) fn push_kind(push: &[u8]) -> Option<&[u8]> {
    let (_, values) = prefix(push)?;
    let (length, kind) = prefix(values)?;
    kind.get(..length as usize)
}

/// The number in the line at the front, behind its kind, and what follows the line.
fn prefix(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let line = line(bytes).ok()??;
    Some((count(line.get(1..)?).ok()??, &bytes[line.len() + 2..]))
}

/// The line at the front without its end; `None` before it is whole.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, NotResp> {
    match bytes.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n') {
        Some(end) if end > 0 && bytes[end - 1] == b'\r' => Ok(Some(&bytes[..end - 1])),
        Some(_) => Err(NotResp),
        None if bytes.len() >= LONGEST_LINE => Err(NotResp),
        None => Ok(None),
    }
}

/// The number behind a length prefix; `None` for the null that RESP2 writes as -1.
fn count(text: &[u8]) -> Result<Option<u64>, NotResp> {
    /// The longest value that Redis allows, and far more elements than any reply has.
    const MOST: u64 = 512 * 1024 * 1024;
    if text == b"-1" {
        return Ok(None);
    }
    let text = std::str::from_utf8(text).map_err(|_| NotResp)?;
    let count = text.parse().map_err(|_| NotResp)?;
    if count > MOST { Err(NotResp) } else { Ok(Some(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: &[&[u8]] = &[
        b"+OK\r\n",
        b"$-1\r\n",
        b"$0\r\n\r\n",
        b"$4\r\na\r\nb\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*3\r\n$1\r\na\r\n*2\r\n:7\r\n$-1\r\n+OK\r\n",
        b"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n",
        b"|1\r\n+ttl\r\n:3\r\n*2\r\n#t\r\n,1.5\r\n",
        b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n",
        b"=7\r\ntxt:a\r\n\r\n",
        b"~2\r\n(123\r\n!3\r\nERR\r\n",
    ];

    #[test]
    fn a_frame_ends_where_its_last_value_does_however_it_arrives() {
        let all = REPLIES.concat();
        for step in 1..all.len() {
            let (mut scanner, mut start, mut found) = (Scanner::default(), 0, Vec::new());
            for end in (0..all.len()).step_by(step).chain([all.len()]) {
                while start < end {
                    let Some(length) = scanner.reply(&all[start..end]).unwrap() else { break };
                    found.push(&all[start..start + length]);
                    start += length;
                }
            }
            assert_eq!(found, REPLIES, "in steps of {step}");
        }
    }

    #[test]
    fn what_is_no_resp_is_said_to_be_none() {
        for bytes in [b"HTTP/1.1\r\n".as_slice(), b"*x\r\n", b"$-2\r\n", b"\r\n", b"+OK\n"] {
            assert_eq!(Scanner::default().reply(bytes), Err(NotResp));
        }
    }

    #[test]
    fn requests_are_read_in_both_forms() {
        let request = b"*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\nPING now\r\n";
        let mut scanner = Scanner::default();
        let first = scanner.request(request).unwrap().unwrap();
        assert_eq!(words(&request[..first]), [b"GET".as_slice(), b"\r\n"]);
        let second = scanner.request(&request[first..]).unwrap().unwrap();
        assert_eq!(first + second, request.len());
        assert_eq!(words(&request[first..]), [b"PING".as_slice(), b"now"]);
    }
}
