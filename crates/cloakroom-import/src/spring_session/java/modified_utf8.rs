//! The texts of a stream, which Java writes in a UTF-8 of its own (JVM Specification, 4.4.7).

/// Reads a text: a NUL takes two bytes, and what is beyond 16 bits takes two halves of three.
pub(super) fn modified_utf8(bytes: &[u8]) -> Option<String> {
    let (mut units, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    let low = |byte: u8| (byte & 0xc0 == 0x80).then_some(u16::from(byte & 0x3f));
    while let Some((&first, next)) = rest.split_first() {
        let (unit, next) = match (first, next) {
            (0..0x80, next) => (u16::from(first), next),
            (0xc0..0xe0, [second, next @ ..]) => {
                (u16::from(first & 0x1f) << 6 | low(*second)?, next)
            }
            (0xe0..0xf0, [second, third, next @ ..]) => {
                (u16::from(first & 0x0f) << 12 | low(*second)? << 6 | low(*third)?, next)
            }
            _ => return None,
        };
        units.push(unit);
        rest = next;
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_and_what_is_beyond_16_bits_are_read() {
        assert_eq!(modified_utf8(b"a\xc3\xa9").as_deref(), Some("a\u{e9}"));
        assert_eq!(modified_utf8(b"\xc0\x80").as_deref(), Some("\0"));
        let halves = b"\xed\xa0\xbd\xed\xb8\x80";
        assert_eq!(modified_utf8(halves).as_deref(), Some("\u{1f600}"));
    }

    #[test]
    fn half_a_character_is_no_text() {
        for bytes in [&b"\xc3"[..], b"\xe2\x82", b"\xed\xa0\xbd", b"\xff", b"\xc3a"] {
            assert_eq!(modified_utf8(bytes), None, "{bytes:x?}");
        }
    }
}
