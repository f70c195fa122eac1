//! Servers, and users, that can do less: what works all the same, and what the start says.

use std::time::Duration;

use cloakroom::{ConfigErrorKind, SessionStorage};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::fault_proxy::{ErrorReply, On, Times};
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{holding, start, text};

#[tokio::test]
async fn a_server_without_hello_is_spoken_to_in_the_older_protocol() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    for refusal in ["ERR unknown command 'HELLO'", "NOPROTO unsupported protocol version"] {
        let refusal = ErrorReply::Other(refusal.to_owned());
        let _rule = proxy.refuse_commands(On::commands(["HELLO"]), refusal, Times::UntilCleared);
        let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(2);
        let storage = builder.build().await.unwrap();
        storage.set("ann", &holding("a", "1"), None).await.unwrap();
        assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
        assert!(storage.stats().await.unwrap().total_sessions > 0);
        assert!(storage.delete("ann").await.unwrap());
    }
}

#[tokio::test]
async fn a_start_names_the_right_that_is_missing() {
    for command in ["ping", "time"] {
        let rules = format!("~cloakroom:session:* +@all -{command}");
        let server = RedisServer::builder().user("app", "app-secret", &rules);
        let server = server.start().await.unwrap();
        let error = RedisSessionStorage::builder().url(server.url()).build().await.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Denied, "{error}");
        assert!(error.to_string().contains(&format!("+{command}")), "{error}");
        assert!(!format!("{error:?}").contains("app-secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_ask_much_has_sessions_all_the_same() {
    let rules = "~cloakroom:session:* +@all -info -role -wait -cluster -asking";
    let server = RedisServer::builder().user("app", "app-secret", rules);
    let server = server.start().await.unwrap();
    let builder = RedisSessionStorage::builder().url(server.url());
    let builder = builder.replicas(1, Duration::from_millis(50));
    let storage = builder.build().await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
    assert!(storage.delete("ann").await.unwrap());
    let warnings = storage.health().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("INFO")), "{warnings:?}");
}
