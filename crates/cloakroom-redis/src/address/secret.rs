//! [`Secret`]: a password on its way from a URL or configuration to the connection. It can be
//! handed over and nothing else: its debug form is fixed, and it has no text form.

use std::fmt;
use std::sync::Arc;

/// A password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Arc<str>);

/// Who connects. Without a password nobody introduces themselves.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: Option<Arc<str>>,
    pub(crate) password: Option<Secret>,
}

impl Secret {
    pub(crate) fn new(password: &str) -> Self {
        Self(password.into())
    }

    /// The password itself, for the one place that sends it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl Credentials {
    /// Whether there is nothing to introduce oneself with.
    pub(crate) fn is_empty(&self) -> bool {
        self.user.is_none() && self.password.is_none()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
