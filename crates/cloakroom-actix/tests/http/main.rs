//! The HTTP scenarios of the testkit over the actix-web adapter, on every storage, and what is actix-web's own.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod adapter;
mod app;
mod health;
mod routes;

mod memory {
    use cloakroom::MemorySessionStorage;

    use crate::app::TwoNodes;

    async fn start() -> TwoNodes {
        let storage = MemorySessionStorage::new();
        TwoNodes::start(storage.clone(), storage).await
    }

    cloakroom_testkit::http_scenarios!(start);
}

mod redis {
    use cloakroom_testkit::RedisServer;

    use crate::app::{TwoNodes, redis_storage};

    async fn start() -> TwoNodes {
        let server = RedisServer::start().await.unwrap();
        let (one, other) = (redis_storage(&server).await, redis_storage(&server).await);
        TwoNodes::start(one, other).await.keeping(server)
    }

    cloakroom_testkit::http_scenarios!(start);
}

mod near_cache {
    use cloakroom_redis::NearCache;
    use cloakroom_testkit::RedisServer;

    use crate::app::{TwoNodes, storage_of};

    /// Both nodes have the same copies: how far two of them may be apart is the storage's matter.
    async fn start() -> TwoNodes {
        let server = RedisServer::start().await.unwrap();
        let storage = storage_of(&server).near_cache(NearCache::default());
        let storage = storage.build().await.unwrap();
        TwoNodes::start(storage.clone(), storage).await.keeping(server)
    }

    cloakroom_testkit::http_scenarios!(start);
}

mod moving_in {
    mod memory {
        use cloakroom::MemorySessionStorage;
        use cloakroom_testkit::ManualClock;
        use cloakroom_testkit::http::Moving;

        use crate::app::TwoNodes;

        async fn start() -> (TwoNodes, Moving) {
            let clock = ManualClock::new();
            let storage = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
            let site = TwoNodes::moving_in(storage.clone(), storage.clone()).await;
            (site, Moving::into_storage(storage).with_clock(clock))
        }

        cloakroom_testkit::http_moving_in_scenarios!(start, clock);
    }

    mod redis {
        use cloakroom_testkit::RedisServer;
        use cloakroom_testkit::http::Moving;

        use crate::app::{TwoNodes, redis_storage};

        async fn start() -> (TwoNodes, Moving) {
            let server = RedisServer::start().await.unwrap();
            let (one, other) = (redis_storage(&server).await, redis_storage(&server).await);
            let site = TwoNodes::moving_in(one.clone(), other).await.keeping(server);
            (site, Moving::into_storage(one))
        }

        cloakroom_testkit::http_moving_in_scenarios!(start);
    }
}

mod illness {
    use cloakroom_testkit::AilingStorage;

    use crate::app::TwoNodes;

    async fn start(storage: AilingStorage) -> TwoNodes {
        TwoNodes::start(storage.clone(), storage).await
    }

    cloakroom_testkit::http_illness_scenarios!(start);
}

mod outage {
    use cloakroom_testkit::RedisServer;

    use crate::app::{TwoNodes, redis_storage};

    async fn start(server: &RedisServer) -> TwoNodes {
        let (one, other) = (redis_storage(server).await, redis_storage(server).await);
        TwoNodes::start(one, other).await
    }

    cloakroom_testkit::http_outage_scenarios!(start);
}
