//! The Redis storage keeps every law, each on a server of its own and by that server's clock.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use cloakroom::SessionKey;
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::laws::{Fixture, RawFixture, Settings};
use cloakroom_testkit::{RedisServer, Reply};

struct Redis {
    server: RedisServer,
}

impl Redis {
    async fn start() -> Self {
        Self { server: RedisServer::start().await.unwrap() }
    }

    async fn connect(&self, settings: &Settings) -> RedisSessionStorage {
        RedisSessionStorage::builder()
            .url(self.server.url())
            .pool_size(4)
            // Not what the laws are about, and a busy machine is no reason to break one.
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

    fn name(key: &SessionKey) -> Vec<u8> {
        [DEFAULT_PREFIX.as_bytes(), &key.to_hex()].concat()
    }
}

impl Fixture for Redis {
    type Storage = RedisSessionStorage;

    async fn open(&self, settings: &Settings) -> RedisSessionStorage {
        self.server.ask(["FLUSHALL"]).await.unwrap();
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

impl RawFixture for Redis {
    async fn plant(&self, key: &SessionKey, bytes: &[u8]) {
        let name = Self::name(key);
        let set = [b"SET".as_slice(), &name, bytes, b"EX", b"3600"];
        assert_eq!(self.server.ask(set).await.unwrap(), Reply::Status("OK".to_owned()));
    }

    async fn look(&self, key: &SessionKey) -> Option<Vec<u8>> {
        self.server.ask([b"GET".as_slice(), &Self::name(key)]).await.unwrap().bytes()
    }
}

cloakroom_testkit::storage_laws!(Redis::start().await);
cloakroom_testkit::raw_storage_laws!(Redis::start().await);
