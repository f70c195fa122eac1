//! [`Place`]: where the page may listen. A sign-in travels encrypted or not at all: over plain HTTP
//! the page is for this machine only.

use std::net::SocketAddr;

use crate::failure::Failure;

/// Who reaches the page, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// This machine, over plain HTTP.
    Here,
    /// Others, through a proxy that speaks HTTPS with them.
    BehindTls,
}

impl Place {
    /// Refuses what would send the password over a network in plain text.
    pub(super) fn choose(listen: SocketAddr, behind_tls: bool) -> Result<Self, Failure> {
        match (behind_tls, listen.ip().is_loopback()) {
            (true, _) => Ok(Self::BehindTls),
            (false, true) => Ok(Self::Here),
            (false, false) => Err(Failure::new(format!(
                "{listen} can be reached from other machines, and the page speaks plain HTTP: the \
                 password would be read on the way. Listen on 127.0.0.1 and come through ssh, or put \
                 a proxy with HTTPS before it and say --behind-tls"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_does_not_leave_the_machine() {
        let place = |listen: &str, tls| Place::choose(listen.parse().unwrap(), tls).ok();
        assert_eq!(place("127.0.0.1:8090", false), Some(Place::Here));
        assert_eq!(place("[::1]:8090", false), Some(Place::Here));
        assert_eq!(place("0.0.0.0:8090", false), None);
        assert_eq!(place("192.0.2.7:8090", false), None);
        assert_eq!(place("0.0.0.0:8090", true), Some(Place::BehindTls));
        assert_eq!(place("127.0.0.1:8090", true), Some(Place::BehindTls));
    }
}
