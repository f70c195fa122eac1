//! What the tests of this folder share: a connected storage, a look at the server's side of it,
//! and the patience that a busy machine needs.

use std::time::{Duration, Instant};

use cloakroom::{SessionData, SessionKey, SessionStorage, StorageError};
use cloakroom_redis::{BreakerPolicy, DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::{RedisServer, Reply};

/// How much later than its limit an operation may end.
pub(crate) const GRACE: Duration = Duration::from_millis(50);

pub(crate) async fn start() -> RedisServer {
    RedisServer::start().await.unwrap()
}

/// A storage with few connections and quick timeouts.
pub(crate) async fn connect(server: &RedisServer) -> RedisSessionStorage {
    RedisSessionStorage::builder()
        .url(server.url())
        .pool_size(4)
        .connection_timeout(Duration::from_millis(500))
        .command_timeout(Duration::from_millis(500))
        .build()
        .await
        .unwrap()
}

/// Circuit breakers that stay closed, for tests of what lies beneath them.
pub(crate) fn never_open() -> BreakerPolicy {
    let mut policy = BreakerPolicy::default();
    policy.consecutive_failures = 1_000_000;
    policy.minimum_calls = 1_000_000;
    policy
}

pub(crate) fn holding(name: &str, value: &str) -> SessionData {
    let mut data = SessionData::new();
    data.insert(name, value).unwrap();
    data
}

/// The text field `a` of a session; `None` where there is no such session.
pub(crate) async fn text(
    storage: &impl SessionStorage,
    id: &str,
) -> Result<Option<String>, StorageError> {
    let data = storage.get(id, None).await?;
    Ok(data.and_then(|data| data.get::<String>("a").unwrap()))
}

/// The key under which a named session lies with the default prefix.
pub(crate) fn key_of(id: &str) -> Vec<u8> {
    [DEFAULT_PREFIX.as_bytes(), &SessionKey::from_name(id).to_hex()].concat()
}

/// Everything that lies under a key, whatever its type is.
pub(crate) async fn dump(server: &RedisServer, key: &[u8]) -> Reply {
    server.ask([b"DUMP".as_slice(), key]).await.unwrap()
}

/// How many connections the server sees besides the one that asks.
pub(crate) async fn connections(server: &RedisServer) -> usize {
    let clients = server.ask(["CLIENT", "LIST"]).await.unwrap().text();
    clients.lines().filter(|line| !line.contains("cmd=client")).count()
}

/// Waits until the server sees that many connections; answers how many it sees in the end.
pub(crate) async fn settled_connections(server: &RedisServer, expected: usize) -> usize {
    let start = Instant::now();
    loop {
        let seen = connections(server).await;
        if seen == expected || start.elapsed() > Duration::from_secs(5) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Checks that an operation ends not before `limit` and at most [`GRACE`] after it.
///
/// A busy machine may delay one try; only a wrong limit delays all of them.
pub(crate) async fn ends_at(limit: Duration, mut operation: impl AsyncFnMut()) {
    let mut took = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        operation().await;
        let elapsed = start.elapsed();
        assert!(elapsed >= limit, "it ended after {elapsed:?}, before {limit:?}");
        if elapsed <= limit + GRACE {
            return;
        }
        took.push(elapsed);
    }
    panic!("it should end at {limit:?}, it took {took:?}");
}

/// Checks that an operation ends at most [`GRACE`] after `limit`. Each try prepares itself and tells
/// how long the operation took.
pub(crate) async fn ends_within(limit: Duration, mut prepared: impl AsyncFnMut() -> Duration) {
    let mut took = Vec::new();
    for _ in 0..3 {
        let elapsed = prepared().await;
        if elapsed <= limit + GRACE {
            return;
        }
        took.push(elapsed);
    }
    panic!("it should end within {limit:?}, it took {took:?}");
}

/// Everything that an error shows: its text, its debug form, and those of all its sources.
pub(crate) fn everything_shown(error: &(dyn std::error::Error + 'static)) -> String {
    let mut shown = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        shown.push_str(&format!("{error} {error:?} "));
        next = error.source();
    }
    shown
}
