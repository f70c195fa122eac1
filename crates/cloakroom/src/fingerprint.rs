//! [`SessionFingerprint`]: where a session's visitor comes from, and how strictly that is compared.
//!
//! A changed fingerprint is a signal, not a proof: phones change networks, browsers update. A
//! mismatch answers "no session", is reported as an event and leaves the record alone, so that a
//! thief cannot log the owner out (OWASP Session Management Cheat Sheet, "Binding the session ID
//! to other user properties").

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The longest user agent that is kept and compared, in bytes; the rest is cut off.
const USER_AGENT_LIMIT: usize = 512;
/// The longest address text that is kept and compared, in bytes.
const ADDRESS_LIMIT: usize = 64;

/// How a request's fingerprint is compared with the session's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FingerprintMode {
    /// Nothing is recorded and nothing is compared.
    Disabled,
    /// Same network (IPv4 /24, IPv6 /64) and same user agent; what a request lacks is not compared.
    #[default]
    Soft,
    /// Same address and same user agent; a request without them is refused.
    Strict,
}

/// A visitor's address and user agent.
///
/// ```
/// use cloakroom::{FingerprintMode, SessionFingerprint};
///
/// let at_home = SessionFingerprint::new("192.0.2.7", "Browser/1");
/// let next_door = SessionFingerprint::new("192.0.2.99", "Browser/1");
/// assert!(FingerprintMode::Soft.accepts(Some(&at_home), Some(&next_door)));
/// assert!(!FingerprintMode::Strict.accepts(Some(&at_home), Some(&next_door)));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SessionFingerprint {
    address: Option<Address<String>>,
    user_agent: Option<String>,
}

/// A fingerprint that lies elsewhere: in a [`SessionFingerprint`], or in a record's bytes. Looking at
/// one and comparing two costs no allocation.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    address: Option<Address<&'a str>>,
    user_agent: Option<&'a str>,
}

/// An address, or the text that stood in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address<T> {
    Ip(IpAddr),
    Text(T),
}

impl SessionFingerprint {
    /// A fingerprint of an address and a user agent.
    ///
    /// An IPv4-mapped IPv6 address counts as its IPv4 address. An address that is malformed is
    /// compared as text. An empty text counts as absent.
    pub fn new(address: &str, user_agent: &str) -> Self {
        Origin::new(address, user_agent).to_owned()
    }

    /// A fingerprint of an address alone.
    pub fn from_ip(address: IpAddr) -> Self {
        Self { address: Some(Address::Ip(address.to_canonical())), user_agent: None }
    }

    /// The same fingerprint with a user agent, of which the first 512 bytes count.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: &str) -> Self {
        self.set_user_agent(user_agent);
        self
    }

    pub(crate) fn from_address(address: Option<Address<String>>) -> Self {
        Self { address, user_agent: None }
    }

    pub(crate) fn set_user_agent(&mut self, user_agent: &str) {
        self.user_agent = shortened(user_agent).map(str::to_owned);
    }

    /// The address as text.
    pub fn address(&self) -> Option<String> {
        self.address.as_ref().map(Address::to_string)
    }

    /// The user agent.
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    pub(crate) fn origin(&self) -> Origin<'_> {
        let address = self.address.as_ref().map(|address| match address {
            Address::Ip(ip) => Address::Ip(*ip),
            Address::Text(text) => Address::Text(text.as_str()),
        });
        Origin { address, user_agent: self.user_agent() }
    }
}

impl<'a> Origin<'a> {
    /// As [`SessionFingerprint::new`].
    pub(crate) fn new(address: &'a str, user_agent: &'a str) -> Self {
        Self { address: Address::read(address), user_agent: shortened(user_agent) }
    }

    pub(crate) fn address(self) -> Option<Address<&'a str>> {
        self.address
    }

    pub(crate) fn user_agent(self) -> Option<&'a str> {
        self.user_agent
    }

    pub(crate) fn to_owned(self) -> SessionFingerprint {
        SessionFingerprint {
            address: self.address.map(Address::to_owned),
            user_agent: self.user_agent.map(str::to_owned),
        }
    }
}

impl FingerprintMode {
    /// Whether a request with the fingerprint `request` may use a session that was recorded with
    /// `recorded`.
    ///
    /// A session without a fingerprint is accepted. A request without one is accepted in Soft and
    /// refused in Strict.
    pub fn accepts(
        self,
        recorded: Option<&SessionFingerprint>,
        request: Option<&SessionFingerprint>,
    ) -> bool {
        self.admits(
            recorded.map(SessionFingerprint::origin),
            request.map(SessionFingerprint::origin),
        )
    }

    /// As [`FingerprintMode::accepts`], on fingerprints that lie elsewhere.
    pub(crate) fn admits(self, recorded: Option<Origin<'_>>, request: Option<Origin<'_>>) -> bool {
        let Some(recorded) = recorded else { return true };
        match (self, request) {
            (Self::Disabled, _) | (Self::Soft, None) => true,
            (Self::Strict, None) => recorded.address.is_none() && recorded.user_agent.is_none(),
            (Self::Soft, Some(request)) => {
                let addresses = recorded.address.zip(request.address);
                let user_agents = recorded.user_agent.zip(request.user_agent);
                addresses.is_none_or(|(a, b)| a.same_network(b))
                    && user_agents.is_none_or(|(a, b)| a == b)
            }
            (Self::Strict, Some(request)) => {
                recorded.address.is_none_or(|address| Some(address) == request.address)
                    && recorded.user_agent.is_none_or(|agent| Some(agent) == request.user_agent)
            }
        }
    }
}

impl<'a> Address<&'a str> {
    /// Reads an address; what is none is compared as text, and an empty text is absent.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        match text.parse::<IpAddr>() {
            Ok(ip) => Some(Self::Ip(ip.to_canonical())),
            Err(_) if text.is_empty() => None,
            Err(_) => Some(Self::Text(cut(text, ADDRESS_LIMIT).trim_end())),
        }
    }

    pub(crate) fn to_owned(self) -> Address<String> {
        match self {
            Self::Ip(ip) => Address::Ip(ip),
            Self::Text(text) => Address::Text(text.to_owned()),
        }
    }

    fn same_network(self, other: Self) -> bool {
        match (self, other) {
            (Self::Ip(IpAddr::V4(a)), Self::Ip(IpAddr::V4(b))) => network_v4(a) == network_v4(b),
            (Self::Ip(IpAddr::V6(a)), Self::Ip(IpAddr::V6(b))) => network_v6(a) == network_v6(b),
            (a, b) => a == b,
        }
    }
}

impl<T: fmt::Display> fmt::Display for Address<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl fmt::Debug for SessionFingerprint {
    /// Addresses and user agents are personal data; they do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |present: bool| if present { "present" } else { "absent" };
        f.debug_struct("SessionFingerprint")
            .field("address", &shown(self.address.is_some()))
            .field("user_agent", &shown(self.user_agent.is_some()))
            .finish()
    }
}

fn network_v4(address: Ipv4Addr) -> [u8; 3] {
    let [a, b, c, _] = address.octets();
    [a, b, c]
}

fn network_v6(address: Ipv6Addr) -> [u16; 4] {
    let [a, b, c, d, ..] = address.segments();
    [a, b, c, d]
}

/// What counts of a user agent; an empty one is absent.
fn shortened(user_agent: &str) -> Option<&str> {
    (!user_agent.is_empty()).then(|| cut(user_agent, USER_AGENT_LIMIT))
}

/// The longest prefix of at most `limit` bytes that is whole characters.
fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::FingerprintMode::{Disabled, Soft, Strict};
    use super::*;

    fn accepts(mode: FingerprintMode, recorded: &str, request: &str) -> bool {
        let recorded = SessionFingerprint::new(recorded, "agent");
        mode.accepts(Some(&recorded), Some(&SessionFingerprint::new(request, "agent")))
    }

    #[test]
    fn soft_compares_the_ipv4_network_of_24_bits() {
        assert!(accepts(Soft, "192.0.2.1", "192.0.2.254"));
        assert!(!accepts(Soft, "192.0.2.1", "192.0.3.1"));
    }

    #[test]
    fn soft_compares_the_ipv6_network_of_64_bits_in_every_notation() {
        assert!(accepts(Soft, "2001:db8::1", "2001:0db8:0000:0000:ffff:0:0:1"));
        assert!(accepts(Soft, "2001:db8:0:0::", "2001:DB8::abcd"));
        assert!(!accepts(Soft, "2001:db8::1", "2001:db8:0:1::1"));
        assert!(!accepts(Soft, "::1", "1::"));
    }

    #[test]
    fn an_ipv4_mapped_address_is_its_ipv4_address() {
        assert!(accepts(Strict, "::ffff:192.0.2.7", "192.0.2.7"));
        assert!(accepts(Soft, "::ffff:c000:207", "192.0.2.200"));
        assert!(!accepts(Soft, "::ffff:192.0.2.7", "198.51.100.7"));
    }

    #[test]
    fn malformed_addresses_are_compared_as_text() {
        assert!(accepts(Soft, "not an address", "not an address"));
        assert!(!accepts(Soft, "192.0.2", "192.0.2.1"));
        assert!(!accepts(Soft, "192.0.2.1.5", "192.0.2.1"));
        assert!(!accepts(Soft, "300.0.2.1", "300.0.2.9"));
    }

    #[test]
    fn strict_compares_exactly() {
        assert!(accepts(Strict, "192.0.2.1", "192.0.2.1"));
        assert!(!accepts(Strict, "192.0.2.1", "192.0.2.2"));
    }

    #[test]
    fn the_user_agent_counts_in_soft_and_strict() {
        let recorded = SessionFingerprint::new("192.0.2.1", "one");
        let other = SessionFingerprint::new("192.0.2.1", "two");
        for (mode, accepted) in [(Disabled, true), (Soft, false), (Strict, false)] {
            assert_eq!(mode.accepts(Some(&recorded), Some(&other)), accepted, "{mode:?}");
        }
    }

    #[test]
    fn a_missing_fingerprint_is_accepted_in_soft_and_refused_in_strict() {
        let recorded = SessionFingerprint::new("192.0.2.1", "one");
        let empty = SessionFingerprint::default();
        for (mode, accepted) in [(Disabled, true), (Soft, true), (Strict, false)] {
            assert_eq!(mode.accepts(Some(&recorded), None), accepted, "{mode:?}");
            assert_eq!(mode.accepts(Some(&recorded), Some(&empty)), accepted, "{mode:?}");
            assert!(mode.accepts(None, None));
            assert!(mode.accepts(None, Some(&recorded)));
        }
    }

    #[test]
    fn a_long_user_agent_is_cut_at_a_character() {
        let long = "ü".repeat(400);
        let fingerprint = SessionFingerprint::new("", &long);
        assert_eq!(fingerprint.user_agent().map(str::len), Some(512));
        assert!(fingerprint.address().is_none());
    }

    #[test]
    fn debug_shows_neither_address_nor_agent() {
        let shown = format!("{:?}", SessionFingerprint::new("192.0.2.1", "Browser"));
        assert!(!shown.contains("192") && !shown.contains("Browser"), "{shown}");
    }
}
