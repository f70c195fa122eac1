//! [`Facts`]: a request's head, as the engine looks at it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use cloakroom::{Engine, RequestFacts};

/// The address of the visitor who makes a request, as
/// [`Engine::client_address`] finds it. It needs
/// `into_make_service_with_connect_info::<SocketAddr>()`.
///
/// ```
/// use axum::http::request::Parts;
/// use cloakroom::Engine;
///
/// fn is_of_this_machine(engine: &Engine, request: &Parts) -> bool {
///     cloakroom_axum::client_address(engine, request).is_some_and(|it| it.is_loopback())
/// }
/// # let _ = is_of_this_machine;
/// ```
pub fn client_address(engine: &Engine, request: &Parts) -> Option<IpAddr> {
    engine.client_address(&Facts { headers: &request.headers, extensions: &request.extensions })
}

/// A request's head, as the engine looks at it.
pub(crate) struct Facts<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
}

impl RequestFacts for Facts<'_> {
    fn headers(&self, name: &str, read: &mut dyn FnMut(&[u8])) {
        // Those that every request is asked for are found without a look at their letters.
        let values = match name {
            "cookie" => self.headers.get_all(COOKIE),
            "user-agent" => self.headers.get_all(USER_AGENT),
            _ => self.headers.get_all(name),
        };
        values.iter().for_each(|value| read(value.as_bytes()));
    }

    fn peer(&self) -> Option<IpAddr> {
        self.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    }
}
