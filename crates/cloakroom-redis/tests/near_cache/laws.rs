//! A storage with a near-cache keeps every law, and the model.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::SessionKey;
use cloakroom_redis::DEFAULT_PREFIX;
use cloakroom_testkit::laws::{Fixture, RawFixture, Settings};
use cloakroom_testkit::model::{RealTime, follow, histories, race};
use cloakroom_testkit::{RedisServer, Reply};
use proptest::prelude::*;

use super::by_copies::ByCopies;
use super::support::{builder, node};

struct Near {
    server: RedisServer,
}

impl Near {
    async fn start() -> Self {
        Self { server: RedisServer::start().await.unwrap() }
    }

    fn name(key: &SessionKey) -> Vec<u8> {
        [DEFAULT_PREFIX.as_bytes(), &key.to_hex()].concat()
    }
}

impl Fixture for Near {
    type Storage = ByCopies;

    async fn open(&self, settings: &Settings) -> ByCopies {
        self.server.ask(["FLUSHALL"]).await.unwrap();
        let storage = builder(self.server.url())
            .fingerprint_mode(settings.fingerprint_mode)
            .default_ttl(settings.default_ttl)
            .max_session_bytes(settings.max_session_bytes)
            .build()
            .await
            .unwrap();
        ByCopies(storage)
    }

    /// A copy that another node holds may be older for a moment, which other tests are about.
    async fn node(&self, opened: &ByCopies) -> ByCopies {
        ByCopies(opened.0.clone())
    }

    fn unit(&self) -> Duration {
        Duration::from_millis(200)
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl RawFixture for Near {
    async fn plant(&self, key: &SessionKey, bytes: &[u8]) {
        let name = Self::name(key);
        let set = [b"SET".as_slice(), &name, bytes, b"EX", b"3600"];
        assert_eq!(self.server.ask(set).await.unwrap(), Reply::Status("OK".to_owned()));
        // An invalidation is on its way. The laws are not about how long it takes.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    async fn look(&self, key: &SessionKey) -> Option<Vec<u8>> {
        self.server.ask([b"GET".as_slice(), &Self::name(key)]).await.unwrap().bytes()
    }
}

cloakroom_testkit::storage_laws!(Near::start().await);
cloakroom_testkit::raw_storage_laws!(Near::start().await);

#[test]
fn random_histories_give_the_answers_of_the_model() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start()).unwrap();
    let storage = ByCopies(runtime.block_on(node(server.url())));
    let settings = ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() };
    proptest!(settings, |(history in histories())| {
        let same = runtime.block_on(follow(&storage, &RealTime, &history));
        prop_assert!(same.is_ok(), "{}", same.unwrap_err());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_writers_form_one_line_and_a_removal_ends_it() {
    let server = RedisServer::start().await.unwrap();
    for pool_size in [1, 3] {
        let storage = builder(server.url()).pool_size(pool_size).build().await.unwrap();
        let storage = Arc::new(ByCopies(storage));
        for _ in 0..5 {
            race(storage.clone(), 8, 20).await;
        }
    }
}
