//! [`Field`]: a field's name together with its type, so that both are written down once.

use std::marker::PhantomData;

/// A typed field name.
///
/// ```
/// use cloakroom::Field;
///
/// const VISITS: Field<u32> = Field::new("visits");
/// assert_eq!(VISITS.name(), "visits");
/// ```
pub struct Field<T> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> Field<T> {
    /// A field with this name, of 1 to 255 bytes.
    ///
    /// # Panics
    /// Where the name is empty or longer; in a `const` that is a compile error.
    #[allow(clippy::panic, reason = "a constant that cannot work is refused by the compiler")]
    pub const fn new(name: &'static str) -> Self {
        assert!(!name.is_empty() && name.len() <= 255, "a field's name has 1 to 255 bytes");
        Self { name, value: PhantomData }
    }

    /// The field's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> Clone for Field<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Field<T> {}

impl<T> std::fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field({:?}: {})", self.name, std::any::type_name::<T>())
    }
}

/// A field's name: any text, or a [`Field`].
pub trait FieldName {
    /// The name.
    fn name(&self) -> &str;
}

/// A name under which a `T` can be read: any text, or a [`Field`] of `T`.
#[diagnostic::on_unimplemented(
    message = "a value of type `{T}` cannot be read from the session field `{Self}`",
    note = "use a `Field<{T}>`, or the field's name as `&str` together with the wanted type"
)]
pub trait ReadField<T>: FieldName {}

/// A name under which a `T` can be written: any text, or a [`Field`] of `T`.
#[diagnostic::on_unimplemented(
    message = "a value of type `{T}` cannot be written to the session field `{Self}`",
    note = "the value must have the field's type; or use the field's name as `&str`"
)]
pub trait WriteField<T>: FieldName {}

impl FieldName for &str {
    fn name(&self) -> &str {
        self
    }
}

impl FieldName for &String {
    fn name(&self) -> &str {
        self
    }
}

impl<T> FieldName for Field<T> {
    fn name(&self) -> &str {
        self.name
    }
}

impl<T> ReadField<T> for &str {}
impl<T> ReadField<T> for &String {}
impl<T> ReadField<T> for Field<T> {}

impl<T> WriteField<T> for &str {}
impl<T> WriteField<T> for &String {}
impl<T> WriteField<T> for Field<T> {}
impl<T> WriteField<&T> for Field<T> {}
impl WriteField<&str> for Field<String> {}
