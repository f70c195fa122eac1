//! [`Wired`]: a visitor of an engine whose sessions lie in a Redis server of its own, behind a
//! near-cache or without one. `Paths` reads through it.
//!
//! One connection and heartbeats that come too seldom to be counted, so that two runs differ in
//! nothing but the number of requests.

use std::time::Duration;

use cloakroom::{Answer, Engine, Session};
use cloakroom_redis::{NearCache, RedisSessionStorage};
use cloakroom_testkit::RedisServer;

use crate::browser::Browser;

const HEARTBEAT: Duration = Duration::from_secs(15);

pub(crate) struct Wired {
    pub(crate) engine: Engine,
    pub(crate) visitor: Browser,
    _server: RedisServer,
}

impl Wired {
    /// Starts a server and leaves one session there, with what `fill` puts into it.
    pub(crate) async fn start(near_cache: Option<NearCache>, fill: impl FnOnce(&Session)) -> Self {
        let server = RedisServer::start().await.expect("redis-server is in the path");
        let storage = RedisSessionStorage::builder()
            .url(server.url())
            .pool_size(1)
            .heartbeat_interval(HEARTBEAT)
            .near_cache(near_cache)
            .build()
            .await
            .expect("the server answers");
        let engine = Engine::builder(storage).build().expect("sound");
        let mut visitor = Browser::default();
        let scope = engine.begin(&visitor);
        fill(&scope.handle().load().await.expect("a new session"));
        let finished = scope.finish(Answer::Ordinary).await.expect("it is stored");
        visitor.keep(finished.cookie().expect("a new session has a ticket"));
        Self { engine, visitor, _server: server }
    }

    /// A near-cache that keeps its copies for longer than a run lasts.
    pub(crate) fn lasting() -> NearCache {
        let minute = Duration::from_secs(60);
        NearCache::default().with_lease(minute).with_max_age(minute)
    }
}
