//! What the tests of this folder share: records to commit, and the patience that failovers need.

use std::time::{Duration, Instant};

use cloakroom::{
    Absolute, Commit, CommitBuilder, Expect, SessionKey, SessionStorage, StorageError, Token,
};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A key that nothing lies under.
pub(crate) fn unused_key() -> SessionKey {
    Token::generate().unwrap().key()
}

/// A commit that creates a session.
pub(crate) fn creation() -> Commit {
    let new = CommitBuilder::new(Expect::Absent).absolute(Absolute::Start(DAY)).idle_timeout(DAY);
    new.field("a", "1").build().unwrap()
}

/// Creates a session.
pub(crate) async fn create(storage: &RedisSessionStorage) -> Result<SessionKey, StorageError> {
    let key = unused_key();
    storage.commit(&key, &creation()).await.map(|_| key)
}

/// Waits until a session can be created again; answers how long that took.
pub(crate) async fn until_writable(storage: &RedisSessionStorage) -> Duration {
    let begin = Instant::now();
    while let Err(error) = create(storage).await {
        assert!(begin.elapsed() < Duration::from_secs(20), "no writes any more: {error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begin.elapsed()
}

/// Waits until a primary's replicas have everything that it has now.
pub(crate) async fn until_replicated(primary: &RedisServer) {
    let own: u64 =
        primary.info("replication", "master_repl_offset").await.unwrap().parse().unwrap();
    let begin = Instant::now();
    loop {
        let info = primary.ask(["INFO", "replication"]).await.unwrap().text();
        let offsets = info.lines().filter_map(|line| line.split("offset=").nth(1));
        let offsets: Vec<u64> =
            offsets.filter_map(|rest| rest.split(',').next()?.parse().ok()).collect();
        if !offsets.is_empty() && offsets.iter().all(|offset| *offset >= own) {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "{offsets:?} are behind {own}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Checks again until it is so.
pub(crate) async fn eventually(limit: Duration, mut check: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !check().await {
        assert!(begin.elapsed() < limit, "it is not so after {limit:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
