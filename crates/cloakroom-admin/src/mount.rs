//! [`Mount`]: the path below which the application has mounted the page; every link begins with it.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, NestedPath};
use axum::http::request::Parts;

/// Without a slash at its end, so empty for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mount(String);

impl Mount {
    pub(crate) async fn of(parts: &mut Parts) -> Self {
        let nested = NestedPath::from_request_parts(parts, &()).await;
        let path = nested.map(|path| path.as_str().trim_end_matches('/').to_owned());
        Self(path.unwrap_or_default())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of the first page.
    pub(crate) fn home(&self) -> &str {
        if self.0.is_empty() { "/" } else { &self.0 }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Mount {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts).await)
    }
}
