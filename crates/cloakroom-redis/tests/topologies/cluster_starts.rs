//! What a start on a Cluster needs, and what it says when something is wrong.

use std::time::{Duration, Instant};

use cloakroom::{ConfigError, ConfigErrorKind, Operation, SessionStorage};
use cloakroom_redis::{RedisSessionStorage, Start};
use cloakroom_testkit::{ClusterSet, RedisServer};

use super::support::create;

const TIMEOUT: Duration = Duration::from_secs(2);

async fn refused(url: &str) -> ConfigError {
    let begin = Instant::now();
    let builder = RedisSessionStorage::builder().url(url).pool_size(2).connection_timeout(TIMEOUT);
    let error = builder.build().await.unwrap_err();
    assert!(begin.elapsed() < TIMEOUT + TIMEOUT / 4, "{:?}", begin.elapsed());
    error
}

fn assert_tells(error: &ConfigError, kind: ConfigErrorKind, part: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(part), "`{part}` is missing in: {error}");
}

#[tokio::test]
async fn one_node_that_answers_is_enough_to_start() {
    let cluster = ClusterSet::start().await.unwrap();
    let gone = RedisServer::start().await.unwrap();
    gone.kill_now();
    let [silent, other] =
        [RedisServer::start().await.unwrap(), RedisServer::start().await.unwrap()];
    silent.freeze();
    other.freeze();
    let ports = [gone.port(), silent.port(), other.port(), cluster.nodes()[5].port()];
    let hosts = ports.map(|port| format!("127.0.0.1:{port}")).join(",");
    let builder = RedisSessionStorage::builder().url(format!("redis+cluster://{hosts}"));
    let storage = builder.pool_size(2).connection_timeout(TIMEOUT).build().await.unwrap();
    for _ in 0..20 {
        create(&storage).await.unwrap();
    }
    assert_eq!(storage.health().nodes.len(), 3);
}

#[tokio::test]
async fn a_server_of_no_cluster_is_told_from_one_that_is_not_set_up() {
    let server = RedisServer::start().await.unwrap();
    let address = format!("127.0.0.1:{}", server.port());
    let error = refused(&format!("redis+cluster://{address}")).await;
    assert_tells(&error, ConfigErrorKind::Invalid, &format!("write redis://{address}"));
    let alone = RedisServer::start_with(&[("cluster-enabled", "yes")]).await.unwrap();
    let error = refused(&format!("redis+cluster://127.0.0.1:{}", alone.port())).await;
    assert_tells(&error, ConfigErrorKind::Invalid, "no hash slot");
    server.freeze();
    let error = refused(&format!("redis+cluster://{address}")).await;
    assert_eq!(error.kind(), ConfigErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn a_user_who_may_not_ask_for_the_slots_is_told_so() {
    let node = RedisServer::builder().setting("cluster-enabled", "yes").user(
        "app",
        "app-secret",
        "~* +@all -cluster",
    );
    let server = node.start().await.unwrap();
    let url = server.url().replace("redis://", "redis+cluster://");
    let error = refused(&url).await;
    assert_tells(&error, ConfigErrorKind::Denied, "+cluster|slots");
    assert!(!format!("{error} {error:?}").contains("app-secret"));
}

#[tokio::test]
async fn a_node_of_a_cluster_behind_a_plain_url_says_what_to_write() {
    let cluster = ClusterSet::start().await.unwrap();
    let url = cluster.nodes()[0].url();
    let storage = RedisSessionStorage::builder().url(url).build().await.unwrap();
    let mut refused = None;
    for _ in 0..50 {
        refused = refused.or(create(&storage).await.err());
    }
    let error = refused.unwrap();
    assert!(error.to_string().contains("redis+cluster://"), "{error}");
}

#[tokio::test]
async fn an_unknown_cluster_is_an_error_and_not_an_empty_one() {
    let gone = RedisServer::start().await.unwrap();
    gone.kill_now();
    let url = format!("redis+cluster://127.0.0.1:{}", gone.port());
    let builder = RedisSessionStorage::builder().url(url).start(Start::Lazy);
    let storage = builder.build().await.unwrap();
    assert!(storage.ping().await.unwrap_err().is_transient());
    let error = storage.stats().await.unwrap_err();
    assert!(error.is_transient() && error.operation() == Operation::Stats, "{error}");
    assert!(create(&storage).await.unwrap_err().is_transient());
}
