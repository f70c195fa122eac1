//! [`Fields`]: the names and values of a record, walked in place without an allocation.
//!
//! Each field is one byte of name length, the name (UTF-8), four bytes of value length
//! (big-endian), the value (JSON).

/// The longest field name in bytes.
pub(crate) const FIELD_NAME_LIMIT: usize = 255;

/// An iterator over the fields of a record whose bytes have been checked.
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Whether the bytes are whole fields to the end, each with a name that can be read.
    pub(crate) fn check(bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() {
            match split_field(rest) {
                Some((_, _, after)) => rest = after,
                None => return false,
            }
        }
        true
    }

    /// Appends one field.
    pub(crate) fn write(into: &mut Vec<u8>, name: &str, value: &[u8]) {
        debug_assert!(!name.is_empty() && name.len() <= FIELD_NAME_LIMIT);
        into.push(name.len() as u8);
        into.extend_from_slice(name.as_bytes());
        into.extend_from_slice(&(value.len() as u32).to_be_bytes());
        into.extend_from_slice(value);
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value, rest) = split_field(self.rest)?;
        self.rest = rest;
        Some((name, value))
    }
}

fn split_field(bytes: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (&name_length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(name_length))?;
    let (value_length, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value_length) as usize)?;
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    Some((name, value, rest))
}
