//! [`readings`]: text as it is, and what it stands for where it writes bytes in other ways: escapes, as
//! `MONITOR` and the debug form of texts have them, and lists of numbers, as the debug form of bytes.

/// All ways to read something.
pub(crate) fn readings(bytes: &[u8]) -> [Vec<u8>; 3] {
    [bytes.to_vec(), unescaped(bytes), lists(bytes)]
}

/// With each `\x41`, `\u{41}` and the like as the byte that it stands for.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            plain.push(*byte);
            continue;
        }
        let Some((kind, after)) = rest.split_first() else { break };
        let (value, length) = match kind {
            b'n' => (b'\n', 0),
            b'r' => (b'\r', 0),
            b't' => (b'\t', 0),
            b'a' => (7, 0),
            b'b' => (8, 0),
            b'0' => (0, 0),
            b'x' => match hex(after.get(..2)) {
                Some(value) => (value, 2),
                None => (*kind, 0),
            },
            b'u' => {
                let digits =
                    after.strip_prefix(b"{").and_then(|it| it.split(|it| *it == b'}').next());
                match hex(digits) {
                    Some(value) => (value, digits.map_or(0, <[u8]>::len) + 2),
                    None => (*kind, 0),
                }
            }
            other => (*other, 0),
        };
        plain.push(value);
        rest = after.get(length..).unwrap_or_default();
    }
    plain
}

fn hex(digits: Option<&[u8]>) -> Option<u8> {
    u8::from_str_radix(str::from_utf8(digits?).ok()?, 16).ok()
}

/// The numbers of all lists such as `[65, 66]`, as bytes; everything else is left out.
fn lists(bytes: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let numbers = bytes.split(|byte| !byte.is_ascii_digit() && !b", \n".contains(byte));
    for list in numbers.filter(|list| list.contains(&b',')) {
        let text = String::from_utf8_lossy(list);
        let items = text.split(',').map(|item| item.trim().parse::<u8>().ok());
        found.extend(items.flatten());
        // So that two lists are never read as one.
        found.extend_from_slice(b"--------");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_what_they_stand_for() {
        for (written, meant) in [
            (&br#""GET" "a\x00\xffB\"\\""#[..], &b"\"GET\" \"a\x00\xffB\"\\\""[..]),
            (br"\u{1f}x\n\r\t", b"\x1fx\n\r\t"),
            (br"\xg1\", b"xg1"),
        ] {
            let read = unescaped(written);
            assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(meant));
        }
    }

    #[test]
    fn lists_are_read_as_bytes() {
        let text = format!("key: {:?}, {:#?} and 7", b"AB\xff", b"CD");
        let read = lists(text.as_bytes());
        let has = |wanted: &[u8]| read.windows(wanted.len()).any(|window| window == wanted);
        assert!(has(b"AB\xff") && has(b"CD"), "{read:?}");
    }
}
