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
    pub(crate) fn check(bytes: &'a [u8]) -> bool {
        let mut fields = Self::new(bytes);
        while let Some((name, _)) = fields.split_first() {
            if name.is_empty() || std::str::from_utf8(name).is_err() {
                return false;
            }
        }
        fields.rest.is_empty()
    }

    /// The value of one field.
    pub(crate) fn value(self, name: &str) -> Option<&'a [u8]> {
        self.unread().find(|(found, _)| *found == name.as_bytes()).map(|(_, value)| value)
    }

    /// The fields with their names as bytes: reading them as text would check them once more.
    pub(crate) fn unread(mut self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        std::iter::from_fn(move || self.split_first())
    }

    /// Appends one field.
    pub(crate) fn write(into: &mut Vec<u8>, name: &[u8], value: &[u8]) {
        debug_assert!(!name.is_empty() && name.len() <= FIELD_NAME_LIMIT);
        into.push(name.len() as u8);
        into.extend_from_slice(name);
        into.extend_from_slice(&(value.len() as u32).to_be_bytes());
        into.extend_from_slice(value);
    }

    fn split_first(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let (&name_length, rest) = self.rest.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(name_length))?;
        let (value_length, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*value_length) as usize)?;
        self.rest = rest;
        Some((name, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.split_first()?;
        Some((std::str::from_utf8(name).ok()?, value))
    }
}
