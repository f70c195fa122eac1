//! A server that answers reads and takes no writes: full (OOM), unable to save (MISCONF), or with too
//! few replicas (NOREPLICAS).

use std::path::PathBuf;
use std::time::Duration;

use cloakroom::{
    BreakerState, Destroyed, HealthStatus, SessionKey, SessionStorage, StorageErrorKind,
};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

use super::support::{Readers, SOON, connect, count, counting, takes_at_most, until};

#[derive(Clone, Copy, PartialEq)]
enum Sickness {
    Oom,
    Misconf,
    NoReplicas,
}

impl Sickness {
    async fn begin(self, server: &RedisServer) {
        match self {
            Self::Oom => set(server, "maxmemory", "1").await,
            Self::NoReplicas => set(server, "min-replicas-to-write", "1").await,
            Self::Misconf => {
                // The dump is written to another file and renamed, which a folder does not allow.
                std::fs::create_dir(dump(server)).unwrap();
                save(server, "err").await;
            }
        }
    }

    async fn end(self, server: &RedisServer) {
        match self {
            Self::Oom => set(server, "maxmemory", "0").await,
            Self::NoReplicas => set(server, "min-replicas-to-write", "0").await,
            Self::Misconf => {
                std::fs::remove_dir(dump(server)).unwrap();
                save(server, "ok").await;
            }
        }
        // What a save in a good hour has left.
        let _ = std::fs::remove_file(dump(server));
    }
}

async fn set(server: &RedisServer, name: &str, value: &str) {
    server.ask(["CONFIG", "SET", name, value]).await.unwrap();
}

fn dump(server: &RedisServer) -> PathBuf {
    server.socket().with_file_name("dump.rdb")
}

/// Has the server save in the background, and waits until it has ended like that.
async fn save(server: &RedisServer, outcome: &str) {
    server.ask(["BGSAVE"]).await.unwrap();
    let ended = async || server.info("persistence", "rdb_last_bgsave_status").await.unwrap();
    until(async || ended().await == outcome).await;
}

/// A server that would save, and two nodes.
async fn start() -> (RedisServer, RedisSessionStorage, RedisSessionStorage) {
    let server = RedisServer::builder().setting("save", "3600 1").start().await.unwrap();
    let (one, other) = (connect(&server).await, connect(&server).await);
    (server, one, other)
}

async fn takes_writes(storage: &RedisSessionStorage) -> bool {
    storage.health().nodes[0].writes != BreakerState::Open
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_served_and_writes_refused_until_they_are_taken_again_soon() {
    for sickness in [Sickness::Oom, Sickness::Misconf, Sickness::NoReplicas] {
        let (server, storage, _) = start().await;
        storage.set("ann", &counting(7), None).await.unwrap();
        let readers = Readers::start(&storage, "ann", 4);
        takes_at_most(SOON, async || {
            sickness.begin(&server).await;
            until(async || {
                let error = storage.set("bob", &counting(1), None).await.unwrap_err();
                assert!(error.is_transient(), "{error}");
                storage.health().nodes[0].writes == BreakerState::Open
            })
            .await;
            assert_eq!(storage.health().status, HealthStatus::Degraded);
            // Some heartbeats find it still sick.
            tokio::time::sleep(Duration::from_millis(1200)).await;
            assert!(storage.set("bob", &counting(1), None).await.is_err());
            sickness.end(&server).await;
            let took = until(async || storage.set("bob", &counting(2), None).await.is_ok()).await;
            until(async || takes_writes(&storage).await).await;
            took
        })
        .await;
        for told in readers.end().await {
            assert_eq!(told.outcome.unwrap(), Some(7));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_is_in_force_at_once_and_carried_out_soon_although_nobody_else_writes() {
    for sickness in [Sickness::Misconf, Sickness::NoReplicas] {
        let (server, storage, other) = start().await;
        let key = SessionKey::from_name("ann");
        takes_at_most(SOON, async || {
            storage.set("ann", &counting(7), None).await.unwrap();
            sickness.begin(&server).await;
            assert_eq!(storage.destroy(&key).await.unwrap(), Destroyed::Pending);
            assert_eq!(count(&storage, "ann").await.unwrap(), None);
            assert_eq!(storage.health().pending_removals, 1);
            let again = storage.set("ann", &counting(8), None).await.unwrap_err();
            assert!(again.is_transient(), "{again}");
            tokio::time::sleep(Duration::from_secs(3)).await;
            assert_eq!(count(&storage, "ann").await.unwrap(), None);
            assert_eq!(count(&other, "ann").await.unwrap(), Some(7), "it is still to come");
            sickness.end(&server).await;
            let took = until(async || count(&other, "ann").await.unwrap().is_none()).await;
            until(async || takes_writes(&storage).await).await;
            until(async || storage.health().pending_removals == 0).await;
            took
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_takes_sign_outs() {
    let (server, storage, other) = start().await;
    storage.set("ann", &counting(7), None).await.unwrap();
    Sickness::Oom.begin(&server).await;
    for _ in 0..8 {
        let error = storage.set("bob", &counting(1), None).await.unwrap_err();
        let cloakroom::SessionError::Storage(error) = error else { panic!("{error}") };
        let kinds = [StorageErrorKind::Full, StorageErrorKind::Rejected];
        assert!(kinds.contains(error.kind()), "{error}");
    }
    let removed = storage.destroy(&SessionKey::from_name("ann")).await.unwrap();
    assert!(matches!(removed, Destroyed::Removed(_)), "{removed:?}");
    assert_eq!(count(&other, "ann").await.unwrap(), None);
}
