//! [`Prefixed`]: one set of servers for all laws of a topology. Each law works under a prefix of its
//! own, so that none sees another one's sessions.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::laws::{Fixture, Settings};

pub(crate) struct Prefixed {
    url: String,
    /// The number of the storage that was opened last, which is in its prefix.
    number: AtomicUsize,
}

impl Prefixed {
    pub(crate) fn new(url: String) -> Self {
        Self { url, number: AtomicUsize::new(0) }
    }

    async fn connect(&self, settings: &Settings) -> RedisSessionStorage {
        let number = self.number.load(Ordering::Relaxed);
        RedisSessionStorage::builder()
            .url(&self.url)
            .prefix(format!("cloakroom:session:{number}:"))
            .pool_size(2)
            // Long enough for a machine that is busy with a dozen servers.
            .load_timeout(Duration::from_secs(2))
            .commit_timeout(Duration::from_secs(2))
            .touch_timeout(Duration::from_secs(2))
            .destroy_timeout(Duration::from_secs(2))
            .fingerprint_mode(settings.fingerprint_mode)
            .default_ttl(settings.default_ttl)
            .max_session_bytes(settings.max_session_bytes)
            .build()
            .await
            .unwrap()
    }
}

impl Fixture for Prefixed {
    type Storage = RedisSessionStorage;

    async fn open(&self, settings: &Settings) -> RedisSessionStorage {
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        self.number.store(OPENED.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        self.connect(settings).await
    }

    async fn node(&self, _: &RedisSessionStorage) -> RedisSessionStorage {
        self.connect(&Settings::default()).await
    }

    fn unit(&self) -> Duration {
        Duration::from_millis(200)
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
