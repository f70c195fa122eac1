//! What the tests of this folder share: nodes with a near-cache, and a look at what they hold.

use std::time::{Duration, Instant};

use cloakroom::{NearCacheHealth, SessionData, SessionKey, SessionStorage};
use cloakroom_redis::{NearCache, RedisSessionStorage, RedisSessionStorageBuilder};

/// For whatever a busy machine does meanwhile.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A cache that a busy machine does not make forget.
pub(crate) fn lasting() -> NearCache {
    NearCache::default().with_lease(Duration::from_secs(30)).with_max_age(Duration::from_secs(60))
}

pub(crate) fn builder(url: impl Into<String>) -> RedisSessionStorageBuilder {
    let patience = Duration::from_secs(2);
    RedisSessionStorage::builder()
        .url(url)
        .pool_size(2)
        .load_timeout(patience)
        .commit_timeout(patience)
        .touch_timeout(patience)
        .destroy_timeout(patience)
        .near_cache(lasting())
}

pub(crate) async fn node(url: impl Into<String>) -> RedisSessionStorage {
    builder(url).build().await.unwrap()
}

pub(crate) fn holding(value: &str) -> SessionData {
    let mut data = SessionData::new();
    data.insert("a", value).unwrap();
    data
}

pub(crate) async fn put(storage: &RedisSessionStorage, name: &str, value: &str) {
    storage.set(name, &holding(value), None).await.unwrap();
}

/// Changes a session as a request does: what was read, with a change.
pub(crate) async fn change(storage: &RedisSessionStorage, name: &str, value: &str) {
    let mut data = storage.get(name, None).await.unwrap().unwrap();
    data.insert("a", value).unwrap();
    storage.set(name, &data, None).await.unwrap();
}

pub(crate) async fn text(storage: &RedisSessionStorage, name: &str) -> Option<String> {
    let data = storage.get(name, None).await.unwrap()?;
    data.get("a").unwrap()
}

/// Whether a read would be answered with a copy.
pub(crate) fn has_copy(storage: &RedisSessionStorage, name: &str) -> bool {
    storage.cached(&SessionKey::from_name(name)).is_some()
}

/// Reads until there is a copy.
pub(crate) async fn warm(storage: &RedisSessionStorage, name: &str) {
    let start = Instant::now();
    while !has_copy(storage, name) {
        assert!(text(storage, name).await.is_some());
        assert!(start.elapsed() < PATIENCE, "nothing is kept");
    }
}

/// Waits until something is so, and answers how long that took.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    start.elapsed()
}

pub(crate) fn figures(storage: &RedisSessionStorage) -> NearCacheHealth {
    storage.health().near_cache.unwrap()
}
