//! [`Place`]: where the page may listen. A sign-in travels encrypted or not at all: over plain HTTP
//! the page is for this machine only.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use cloakroom::Policy;

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

/// Answers to the policy's proxies alone: nobody else has spoken HTTPS with a browser. Where none is
/// named anybody may be one.
pub(super) fn through_proxies(page: Router, policy: &Policy) -> Router {
    if policy.trusted_proxies.is_empty() {
        return page;
    }
    let policy = Arc::new(policy.clone());
    page.layer(from_fn(move |peer: ConnectInfo<SocketAddr>, request: Request, next: Next| {
        let peer = peer.0.ip().to_canonical();
        let is_proxy = policy.trusted_proxies.iter().any(|network| network.contains(&peer));
        async move {
            if is_proxy {
                return next.run(request).await;
            }
            let text = "This page is to be reached over HTTPS, through its proxy.\n";
            (StatusCode::FORBIDDEN, text).into_response()
        }
    }))
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
