//! [`SentinelSetBuilder`]: what the servers of a [`SentinelSet`] are set up with.

use std::io;

use tokio::try_join;

use super::SentinelSet;
use crate::redis_server::Setting;
use crate::{RedisServer, RedisServerBuilder};

const NAME: &str = "cloakroom-primary";

/// Periods in milliseconds, so that Sentinels notice in parts of a second what takes them ten
/// seconds otherwise. Before Redis 7 they cannot be set, and everything takes longer.
const PERIODS: [&str; 12] = [
    "SENTINEL",
    "DEBUG",
    "INFO-PERIOD",
    "300",
    "PING-PERIOD",
    "200",
    "ASK-PERIOD",
    "200",
    "PUBLISH-PERIOD",
    "200",
    "TILT-PERIOD",
    "1000",
];

/// Sets up a [`SentinelSet`].
///
/// ```no_run
/// # // Starts real servers; the tests of this crate do the same.
/// use cloakroom_testkit::{RedisServer, SentinelSet};
///
/// # async fn example() -> std::io::Result<()> {
/// let careful = RedisServer::builder().password("data").setting("min-replicas-to-write", "1");
/// let set = SentinelSet::builder()
///     .data(careful)
///     .sentinels(RedisServer::builder().password("sentinels"))
///     .start()
///     .await?;
/// assert_eq!(set.sentinel_password(), Some("sentinels"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a set is started by `start`"]
pub struct SentinelSetBuilder {
    data: RedisServerBuilder,
    sentinels: RedisServerBuilder,
}

impl SentinelSetBuilder {
    pub(super) fn new() -> Self {
        Self { data: RedisServer::builder(), sentinels: RedisServer::builder() }
    }

    /// Sets what each of the servers that keep data is set up with; a port is not taken over.
    pub fn data(mut self, server: RedisServerBuilder) -> Self {
        self.data = server;
        self
    }

    /// Sets what each of the Sentinels is set up with; a port is not taken over.
    ///
    /// They think a server down after 1 s, and have 5 s for a failover. Settings such as `sentinel`,
    /// `down-after-milliseconds cloakroom-primary 3000` overrule that.
    pub fn sentinels(mut self, server: RedisServerBuilder) -> Self {
        self.sentinels = server;
        self
    }

    /// Starts the servers, and waits until they all know each other.
    ///
    /// # Errors
    /// Where a server does not start, or they do not agree within 40 s.
    pub async fn start(self) -> io::Result<SentinelSet> {
        let data = self.data.on_any_port().replicating();
        let password = data.default_password().map(str::to_owned);
        let primary = data.clone().start().await?;
        let port = primary.port();
        let replica = data.setting("replicaof", &format!("127.0.0.1 {port}"));
        let sentinel = watching(self.sentinels, port, password.as_deref());
        let (one, two) = try_join!(replica.clone().start(), replica.start())?;
        let (first, second, third) =
            try_join!(sentinel.clone().start(), sentinel.clone().start(), sentinel.start())?;
        let set = SentinelSet {
            name: NAME.to_owned(),
            sentinels: vec![first, second, third],
            data: vec![primary, one, two],
        };
        set.settled().await?;
        Ok(set)
    }
}

fn watching(
    sentinel: RedisServerBuilder,
    primary: u16,
    password: Option<&str>,
) -> RedisServerBuilder {
    let own_password = sentinel.default_password().map(str::to_owned);
    let primary = primary.to_string();
    let option = |words: &[&str]| Setting::words(["sentinel"].iter().chain(words).copied());
    let mut settings = vec![
        option(&["monitor", NAME, "127.0.0.1", &primary, "2"]),
        option(&["down-after-milliseconds", NAME, "1000"]),
        option(&["failover-timeout", NAME, "5000"]),
        option(&["parallel-syncs", NAME, "1"]),
    ];
    settings.extend(password.map(|password| option(&["auth-pass", NAME, password])));
    settings.extend(own_password.map(|password| option(&["sentinel-pass", &password])));
    sentinel.on_any_port().sentinel().defaults(settings).first_order(&PERIODS)
}
