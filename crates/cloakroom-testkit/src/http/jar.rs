//! [`CookieJar`]: keeps cookies as a browser does (RFC 6265bis, 5.6 and 5.7), as far as a server on
//! a loopback address can use them. Such an address counts as secure, as it does for browsers.

use std::collections::BTreeMap;

/// A browser's cookies for one host.
#[derive(Clone, Debug, Default)]
pub struct CookieJar {
    /// By path and name, because a removal counts only with the path that the cookie was set with.
    cookies: BTreeMap<(String, String), Cookie>,
}

/// A `Set-Cookie` header, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// `Path`.
    pub path: Option<String>,
    /// `Domain`.
    pub domain: Option<String>,
    /// `Max-Age` in seconds.
    pub max_age: Option<i64>,
    /// `SameSite`.
    pub same_site: Option<String>,
    /// `Secure`.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
}

impl Cookie {
    /// Takes a header apart; `None` where it has no name.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            path: None,
            domain: None,
            max_age: None,
            same_site: None,
            secure: false,
            http_only: false,
        };
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            match attribute.to_ascii_lowercase().as_str() {
                "path" => cookie.path = Some(value.to_owned()),
                "domain" => cookie.domain = Some(value.to_owned()),
                "max-age" => cookie.max_age = value.parse().ok(),
                "samesite" => cookie.same_site = Some(value.to_owned()),
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                _ => {}
            }
        }
        (!cookie.name.is_empty()).then_some(cookie)
    }

    /// Whether the header takes the cookie away.
    pub fn is_removal(&self) -> bool {
        self.max_age.is_some_and(|seconds| seconds <= 0)
    }

    /// What the prefix of the name promises must be true, else browsers ignore the header. A cookie
    /// for another domain is none of this host's either.
    fn is_acceptable(&self) -> bool {
        let host_only = self.secure && self.domain.is_none() && self.path.as_deref() == Some("/");
        (!self.name.starts_with("__Host-") || host_only)
            && (!self.name.starts_with("__Secure-") || self.secure)
            && self.domain.as_deref().is_none_or(|domain| domain == "localhost")
    }
}

impl CookieJar {
    /// Takes notice of a `Set-Cookie` header.
    pub fn take(&mut self, header: &str) {
        let Some(cookie) = Cookie::parse(header).filter(Cookie::is_acceptable) else { return };
        let path = cookie.path.clone().unwrap_or_else(|| "/".to_owned());
        let place = (path, cookie.name.clone());
        if cookie.is_removal() {
            self.cookies.remove(&place);
        } else {
            self.cookies.insert(place, cookie);
        }
    }

    /// A cookie's value.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.cookies.values().find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str())
    }

    /// The `Cookie` header for a request to that path.
    pub fn header(&self, path: &str) -> Option<String> {
        let sent = self.cookies.iter().filter(|((below, _), _)| is_below(path, below));
        let pairs: Vec<_> =
            sent.map(|(_, cookie)| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Forgets all cookies that a browser forgets when it is closed.
    pub fn close_browser(&mut self) {
        self.cookies.retain(|_, cookie| cookie.max_age.is_some());
    }
}

fn is_below(path: &str, below: &str) -> bool {
    path.strip_prefix(below)
        .is_some_and(|rest| below.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_comes_back_until_it_is_removed_with_its_own_attributes() {
        let mut jar = CookieJar::default();
        jar.take("__Host-id=a; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(jar.header("/x").as_deref(), Some("__Host-id=a"));
        jar.take("__Host-id=; Path=/; Max-Age=0");
        assert_eq!(jar.value("__Host-id"), Some("a"), "a removal without Secure does not count");
        jar.take("__Host-id=; Path=/; Secure; Max-Age=0");
        assert_eq!(jar.header("/x"), None);
    }

    #[test]
    fn what_a_browser_refuses_is_refused() {
        let mut jar = CookieJar::default();
        for header in [
            "__Host-id=a; Path=/",
            "__Host-id=a; Path=/x; Secure",
            "__Host-id=a; Path=/; Secure; Domain=localhost",
            "__Secure-id=a; Path=/",
            "id=a; Domain=elsewhere.example",
            "nothing",
        ] {
            jar.take(header);
        }
        assert_eq!(jar.header("/"), None);
    }

    #[test]
    fn a_path_limits_where_a_cookie_is_sent() {
        let mut jar = CookieJar::default();
        jar.take("id=a; Path=/shop");
        assert_eq!(jar.header("/shop/cart").as_deref(), Some("id=a"));
        assert_eq!(jar.header("/shopping"), None);
    }

    #[test]
    fn closing_the_browser_leaves_what_was_to_be_remembered() {
        let mut jar = CookieJar::default();
        jar.take("a=1");
        jar.take("b=2; Max-Age=60");
        jar.close_browser();
        assert_eq!(jar.header("/").as_deref(), Some("b=2"));
    }
}
