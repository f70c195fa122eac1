//! No error shows a password, whatever a server says.

use std::time::Duration;

use cloakroom::{ConfigErrorKind, StorageErrorKind};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::support::{everything_shown, start};

const SECRET: &str = "correct-horse";

/// A server that repeats the words of the command that opens a connection, because it does not know
/// that command.
const REPEATS_ALL: [(&str, &str); 1] = [("rename-command", "HELLO nothing")];

async fn assert_hides_the_password(server: &RedisServer) {
    let url = format!("redis://default:{SECRET}@127.0.0.1:{}/?protocol=resp3", server.port());
    let error = RedisSessionStorage::builder().url(url).build().await.unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Denied, "{error}");
    let shown = everything_shown(&error);
    assert!(!shown.contains(SECRET) && !shown.contains("default"), "{shown}");
}

#[tokio::test]
async fn a_failed_start_hides_the_password_that_the_server_repeats() {
    let server = RedisServer::start_with(&REPEATS_ALL).await.unwrap();
    let said = server.ask(["HELLO", "3", "AUTH", "default", SECRET]).await.unwrap();
    assert!(format!("{said:?}").contains(SECRET), "the server does not repeat it: {said:?}");
    assert_hides_the_password(&server).await;
}

#[tokio::test]
async fn a_failed_request_hides_the_password_that_the_server_repeats() {
    let server = start().await;
    let user = ["ACL", "SETUSER", "app", "on", &format!(">{SECRET}"), "~*", "+@all"];
    server.ask(user).await.unwrap();
    let port = server.port();
    let url = format!("redis://app:{SECRET}@127.0.0.1:{port}/?protocol=resp3");
    let builder = RedisSessionStorage::builder().url(url).pool_size(1);
    let storage = builder.connection_timeout(Duration::from_secs(2)).build().await.unwrap();
    server.kill();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let repeating = tokio::spawn(repeat_all(listener));
    let error = storage.ping().await.unwrap_err();
    assert_eq!(*error.kind(), StorageErrorKind::Unavailable, "{error}");
    let shown = everything_shown(&error);
    assert!(!shown.contains(SECRET), "{shown}");
    repeating.abort();
}

/// Answers everything with an error that holds all of it.
async fn repeat_all(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut heard = vec![0; 4096];
        let read = stream.read(&mut heard).await.unwrap();
        let words = String::from_utf8_lossy(&heard[..read]).replace("\r\n", " ");
        assert!(words.contains(SECRET), "{words}");
        let answer = format!("-ERR unknown command, with args: {words}\r\n").repeat(3);
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}
