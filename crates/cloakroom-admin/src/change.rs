//! Whether a request that changes something comes from one of our own pages. Two proofs are asked
//! for, the browser's word and a token; this is the browser's word.

use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a method is meant to change nothing (RFC 9110, 9.2.1).
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether the browser says that another site has made it ask. Without its word: no.
pub(crate) fn is_foreign(headers: &HeaderMap) -> bool {
    text(headers, &FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

/// Whether the browser says that one of our own pages has made it ask. Without its word: no.
pub(crate) fn is_own(request: &Parts, origins: &[String]) -> bool {
    let site = text(&request.headers, &FETCH_SITE);
    if site.is_some_and(|site| site != "same-origin") {
        return false;
    }
    match text(&request.headers, &ORIGIN) {
        // Where somebody has told the browser to send no referrer, a form has no origin to tell either.
        // A frame whose origin is hidden is another site to the browser's other word.
        Some("null") => site.is_some(),
        Some(origin) if !origins.is_empty() => origins.iter().any(|own| own == origin),
        // Who ends the encryption is unknown here, so the scheme is not compared.
        Some(origin) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some() && authority == host(request)
        }
        None => site.is_some(),
    }
}

/// The name under which the browser knows us.
pub(crate) fn host(request: &Parts) -> Option<&str> {
    let authority = request.uri.authority().map(|authority| authority.as_str());
    authority.or_else(|| text(&request.headers, &HOST))
}

/// Whether that is a name of this machine for itself. A page elsewhere can make its own name lead to
/// this machine, and cannot make the browser call it by one of these.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|it| it.to_canonical().is_loopback())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn request(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::post("/sign-out").header("host", "admin.example:8443");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_a_page_of_the_same_host_is_our_own() {
        let own: [&[(&str, &str)]; 4] = [
            &[("origin", "null"), ("sec-fetch-site", "same-origin")],
            &[("origin", "https://admin.example:8443"), ("sec-fetch-site", "same-origin")],
            &[("origin", "https://admin.example:8443")],
            &[("sec-fetch-site", "same-origin")],
        ];
        for headers in own {
            assert!(is_own(&request(headers), &[]), "{headers:?}");
        }
        let foreign: [&[(&str, &str)]; 9] = [
            &[],
            &[("origin", "null")],
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "https://admin.example")],
            &[("origin", "https://admin.example:8443.evil.example")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://admin.example:8443"), ("sec-fetch-site", "cross-site")],
        ];
        for headers in foreign {
            assert!(!is_own(&request(headers), &[]), "{headers:?}");
        }
    }

    #[test]
    fn an_origin_that_was_named_replaces_the_host() {
        let origins = ["https://ops.example".to_owned()];
        assert!(is_own(&request(&[("origin", "https://ops.example")]), &origins));
        assert!(!is_own(&request(&[("origin", "https://admin.example:8443")]), &origins));
    }

    #[test]
    fn a_name_of_this_machine_is_told_from_others() {
        for own in ["localhost", "LOCALHOST:80", "127.0.0.1:8090", "127.9.9.9", "[::1]:8090"] {
            assert!(is_loopback(own), "{own}");
        }
        for other in ["", "evil.example", "localhost.evil.example", "192.0.2.1:8090", "[::2]"] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
