//! What an adapter says of an answer ([`Answer`]), and what the answer must carry ([`SetCookie`]).

/// How the handler has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// With a status below 500.
    Ordinary,
    /// With a status of 500 or above; see [`OnServerError`](crate::OnServerError).
    ServerError,
}

impl Answer {
    /// The kind of answer that an HTTP status is.
    pub const fn from_status(status: u16) -> Self {
        if status >= 500 { Self::ServerError } else { Self::Ordinary }
    }
}

/// The `Set-Cookie` header that an answer must carry, with the headers that keep caches from
/// handing it to others (RFC 9111, 5.2.2.4).
#[derive(Clone)]
#[must_use = "without the header the visitor does not learn of the ticket"]
pub struct SetCookie {
    value: String,
    /// The header that takes another library's cookie away.
    old: Option<String>,
}

impl SetCookie {
    pub(super) fn new(value: String) -> Self {
        Self { value, old: None }
    }

    /// The same, and another library's cookie is taken away with it.
    pub(super) fn taking_away(mut self, old: String) -> Self {
        self.old = Some(old);
        self
    }

    pub(crate) fn old(&self) -> Option<&str> {
        self.old.as_deref()
    }

    /// The value of the `Set-Cookie` header. It holds a ticket: never log it.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The value to append to `Cache-Control`.
    pub const CACHE_CONTROL: &'static str = "no-cache=\"Set-Cookie\"";

    /// The value to append to `Vary`.
    pub const VARY: &'static str = "Cookie";
}

impl std::fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetCookie(redacted)")
    }
}
