//! The cookie: finding tickets in a `Cookie` header and writing a `Set-Cookie` header
//! (RFC 6265bis).
//!
//! Reading is tolerant of everything around our cookie and strict about its value: a malformed
//! neighbour never costs the session, and a value that is not a canonical token is no ticket.

use std::fmt::Write;
use std::iter;
use std::time::Duration;

use memchr::memmem::Finder;

use crate::old_session::OldCookie;
use crate::policy::{CookiePolicy, SameSite};
use crate::token::{Token, TokenText};

/// How many tickets one request may show; the rest is ignored.
const MAX_CANDIDATES: usize = 4;

/// How many bytes of `Cookie` headers are looked at per request; the rest is ignored.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// What a request's `Cookie` headers hold under our name.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    first: Option<TokenText>,
    others: Vec<TokenText>,
    malformed: bool,
    ignored: bool,
    bytes: usize,
}

impl Candidates {
    /// Reads one `Cookie` header. Several headers are read as one (HTTP/2 splits them).
    ///
    /// What is looked for is the name, not each cookie: there may be many that are none of ours.
    pub(crate) fn read(&mut self, header: &[u8], name: &Finder<'_>) {
        let room = MAX_HEADER_BYTES.saturating_sub(self.bytes);
        self.bytes = self.bytes.saturating_add(header.len());
        if header.len() > room {
            self.ignored = true;
        }
        values(&header[..header.len().min(room)], name).for_each(|value| self.take(value));
    }

    /// The tickets in the order in which they came. Each is read when it is asked for.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token> {
        self.first.iter().chain(&self.others).map(TokenText::read)
    }

    /// Whether the request shows no ticket.
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Whether the request shows more than one ticket.
    pub(crate) fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// Whether something under our name was no ticket.
    pub(crate) fn has_malformed(&self) -> bool {
        self.malformed
    }

    /// Whether something was left out because there was too much of it.
    pub(crate) fn has_ignored(&self) -> bool {
        self.ignored
    }

    fn take(&mut self, value: &[u8]) {
        match TokenText::new(value) {
            Some(text) if self.first.is_none() => self.first = Some(text),
            Some(text) if self.others.len() + 1 < MAX_CANDIDATES => self.others.push(text),
            Some(_) => self.ignored = true,
            None => self.malformed = true,
        }
    }
}

/// The values of all cookies of one name in a `Cookie` header.
///
/// What follows a name that was found, up to the next cookie, is not searched again.
pub(crate) fn values<'a>(header: &'a [u8], name: &'a Finder<'_>) -> impl Iterator<Item = &'a [u8]> {
    let mut from = 0;
    let cookies = iter::from_fn(move || {
        let at = from + name.find(header.get(from..)?)?;
        let behind = at + name.needle().len();
        let end = memchr::memchr(b';', &header[behind..]).map_or(header.len(), |it| behind + it);
        from = end + 1;
        Some((&header[..at], &header[behind..end]))
    });
    cookies.filter_map(|(before, value)| {
        let before = before.trim_ascii_end();
        if !before.is_empty() && !before.ends_with(b";") {
            return None;
        }
        Some(value.trim_ascii().strip_prefix(b"=")?.trim_ascii_start())
    })
}

/// The value of a `Set-Cookie` header that hands out a ticket.
///
/// With `max_age` the browser keeps the cookie that long, without one until it is closed.
pub(crate) fn hand_out(policy: &CookiePolicy, token: &Token, max_age: Option<Duration>) -> String {
    let mut header = render(policy, &token.encode());
    if let Some(max_age) = max_age {
        // Writing to a string cannot fail.
        let _ = write!(header, "; Max-Age={}", max_age.as_secs());
    }
    header
}

/// The value of a `Set-Cookie` header that takes the ticket away. A browser accepts it only with
/// the attributes that the cookie was set with.
pub(crate) fn take_away(policy: &CookiePolicy) -> String {
    render(policy, "") + "; Max-Age=0"
}

/// The value of a `Set-Cookie` header that takes another library's cookie away; `None` where ours
/// takes its very place.
pub(crate) fn take_old_away(policy: &CookiePolicy, old: &dyn OldCookie) -> Option<String> {
    let place = (policy.name.as_str(), policy.path.as_str(), policy.domain.as_deref());
    if place == (old.name(), old.path(), old.domain()) {
        return None;
    }
    let domain = old.domain().map(|domain| format!("; Domain={domain}")).unwrap_or_default();
    let secure = if policy.secure { "; Secure" } else { "" };
    Some(format!("{}={domain}; Path={}{secure}; HttpOnly; Max-Age=0", old.name(), old.path()))
}

fn render(policy: &CookiePolicy, value: &str) -> String {
    let mut header = String::with_capacity(160);
    header.push_str(&policy.name);
    header.push('=');
    header.push_str(value);
    if let Some(domain) = &policy.domain {
        header.push_str("; Domain=");
        header.push_str(domain);
    }
    header.push_str("; Path=");
    header.push_str(&policy.path);
    if policy.secure {
        header.push_str("; Secure");
    }
    header.push_str("; HttpOnly; SameSite=");
    header.push_str(match policy.same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
        SameSite::None => "None",
    });
    header
}

#[cfg(test)]
mod tests;
