//! Sessions over a unix socket: no port, no encryption, and the same rights as elsewhere.

use cloakroom::{ConfigErrorKind, SessionStorage};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

use super::support::{holding, text};

#[tokio::test]
async fn a_socket_carries_user_password_and_database() {
    let server = RedisServer::builder().password("s3cret/&%").start().await.unwrap();
    let url = server.unix_url();
    let builder = RedisSessionStorage::builder().url(format!("{url}&db=2")).pool_size(2);
    let storage = builder.build().await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
    let sizes = server.ask(["INFO", "keyspace"]).await.unwrap().text();
    assert!(sizes.contains("db2:keys=1"), "{sizes}");

    let alone = format!("unix://{}", server.socket().display());
    let error = RedisSessionStorage::builder().url(alone).build().await.unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Denied, "{error}");
    assert!(error.to_string().contains(&server.socket().display().to_string()), "{error}");
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_named() {
    let url = "unix:///no/such/place.sock";
    let error = RedisSessionStorage::builder().url(url).build().await.unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("/no/such/place.sock"), "{error}");
    assert!(error.to_string().contains("no such socket"), "{error}");
}
