//! [`Mount`]: the path below which browsers find the page; every link begins with it. It is the one at
//! which the application has nested the page, unless the application names another one, because a proxy
//! changes paths.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, NestedPath};
use axum::http::request::Parts;
use cloakroom::{ConfigError, ConfigErrorKind};

/// Without a slash at its end, so empty for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mount {
    path: String,
    home: String,
}

impl Mount {
    /// The path that an application names.
    pub(crate) fn named(path: &str) -> Result<Self, ConfigError> {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !path.starts_with('/') || path.contains("//") || !path.bytes().all(is_known) {
            let message = format!(
                "{path:?} is no path such as /ops/sessions, of letters, digits and the signs - . _ ~"
            );
            return Err(ConfigError::new(ConfigErrorKind::Invalid, "path", message));
        }
        Ok(Self::nested_at(path))
    }

    /// Where a request has met the page.
    pub(crate) async fn of(parts: &mut Parts) -> Self {
        if let Some(named) = parts.extensions.get::<Self>() {
            return named.clone();
        }
        let nested = NestedPath::from_request_parts(parts, &()).await;
        nested.map_or_else(|_| Self::nested_at("/"), |path| Self::nested_at(path.as_str()))
    }

    /// What is nested at a path that ends with a slash has its first page there, and not without it.
    fn nested_at(path: &str) -> Self {
        Self { path: path.trim_end_matches('/').to_owned(), home: path.to_owned() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.path
    }

    /// The address of the first page.
    pub(crate) fn home(&self) -> &str {
        &self.home
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Mount {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_named_leads_nowhere_else() {
        for path in ["/", "/ops", "/ops/sessions", "/ops/"] {
            assert_eq!(Mount::named(path).unwrap().home(), path);
        }
        for path in
            ["", "ops", "//evil.example", "/ops//", "/\\evil", "/{tenant}", "/a?b", "/\"><x"]
        {
            assert!(Mount::named(path).is_err(), "{path}");
        }
    }
}
