//! [`SentinelConfig`]: the Sentinels that know which server is the primary.

use serde::{Deserialize, Serialize};

use super::Password;

/// The Sentinels that know which server is the primary.
///
/// User and password of the servers that hold the data stand beside it, where a single server's
/// stand.
///
/// ```
/// use cloakroom_redis::{Password, RedisSessionStorage, SentinelConfig};
///
/// let group = SentinelConfig::new(["s1:26379", "s2:26379", "s3:26379"], "sessions")
///     .with_sentinel_credentials("app", Password::env("SENTINEL_PASSWORD"));
/// let builder = RedisSessionStorage::builder().sentinel(group);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SentinelConfig {
    /// `host` or `host:port` of each (default port: 26379). They are asked in this order.
    pub sentinels: Vec<String>,
    /// The primary's name, the one that stands in `sentinel.conf` after `sentinel monitor`.
    pub master: String,
    /// Who asks the Sentinels (default: nobody introduces themselves).
    pub sentinel_username: Option<String>,
    /// The password that goes with it.
    pub sentinel_password: Option<Password>,
}

impl SentinelConfig {
    /// The primary that these Sentinels know under a name.
    pub fn new<I>(sentinels: I, master: impl Into<String>) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let sentinels = sentinels.into_iter().map(Into::into).collect();
        Self { sentinels, master: master.into(), ..Self::default() }
    }

    /// The same with a user and password for the Sentinels themselves.
    #[must_use]
    pub fn with_sentinel_credentials(
        mut self,
        username: impl Into<String>,
        password: impl Into<Password>,
    ) -> Self {
        self.sentinel_username = Some(username.into());
        self.sentinel_password = Some(password.into());
        self
    }
}
