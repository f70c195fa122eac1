//! [`Browser`]: a browser as it really is, with a user agent and cookies that are none of ours.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use cloakroom::{RequestFacts, SetCookie};

pub(crate) const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

pub(crate) const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), 4711);

const BEFORE_OURS: &str = "_ga=GA1.2.1186413451.1763850000; theme=dark; consent=2026-01-15T09:30; ";
const AFTER_OURS: &str = "; lang=de-DE; _gid=GA1.2.771203344.1763850000";

/// A browser with cookies of other sites' making, and perhaps our ticket among them.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: String,
    ticket: String,
}

impl Browser {
    /// One with 30 other cookies before the ticket.
    pub(crate) fn with_many_cookies(ticket: &str) -> Self {
        let mut browser = Self { ticket: ticket.to_owned(), ..Self::default() };
        for number in 0..30 {
            browser.cookies += &format!("tracker_{number}=0123456789abcdef0123456789abcdef; ");
        }
        browser.cookies += &format!("__Host-id={ticket}");
        browser
    }

    /// Keeps a ticket; without an allocation from the second one on.
    pub(crate) fn keep(&mut self, handed_out: &SetCookie) {
        let value = handed_out.value();
        let value = value.split_once('=').map_or(value, |(_, value)| value);
        let ticket = value.split_once(';').map_or(value, |(ticket, _)| ticket);
        self.ticket.clear();
        self.ticket.push_str(ticket);
        self.cookies.clear();
        for part in [BEFORE_OURS, "__Host-id=", ticket, AFTER_OURS] {
            self.cookies.push_str(part);
        }
    }

    pub(crate) fn ticket(&self) -> &str {
        &self.ticket
    }

    /// The `Cookie` header.
    pub(crate) fn cookies(&self) -> &str {
        if self.ticket.is_empty() { &BEFORE_OURS[..BEFORE_OURS.len() - 2] } else { &self.cookies }
    }
}

impl RequestFacts for Browser {
    fn headers(&self, name: &str, read: &mut dyn FnMut(&[u8])) {
        match name {
            "cookie" => read(self.cookies().as_bytes()),
            "user-agent" => read(AGENT.as_bytes()),
            _ => {}
        }
    }

    fn peer(&self) -> Option<IpAddr> {
        Some(PEER.ip())
    }
}
