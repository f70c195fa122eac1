//! Users, TLS and the unix socket of the servers that tests start.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::process::Command;

use cloakroom_testkit::{
    ACL_RULES, Certificates, ClientCertificate, Persistence, RedisServer, Reply,
};

/// What `redis-cli` prints when it is given these arguments, on both of its outputs.
fn redis_cli(arguments: &[&str]) -> String {
    let output = Command::new("redis-cli").args(arguments).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn by_url(url: &str, command: &[&str]) -> String {
    redis_cli(&[&["-u", url, "--no-auth-warning"], command].concat())
}

fn by_tls(server: &RedisServer, authority: &Path, more: &[&str]) -> String {
    let (port, authority) = (server.port().to_string(), authority.display().to_string());
    let first = ["--tls", "-h", "localhost", "-p", &port, "--cacert", &authority];
    redis_cli(&[&first, more, &["PING"]].concat())
}

#[tokio::test]
async fn a_password_is_asked_of_everybody_and_known_to_the_testkit() {
    let server = RedisServer::builder().password("s e/c:r@t").start().await.unwrap();
    assert_eq!(server.ask(["PING"]).await.unwrap(), Reply::Status("PONG".to_owned()));
    assert_eq!(by_url(&server.url(), &["PING"]).trim(), "PONG");
    let bare = format!("redis://127.0.0.1:{}", server.port());
    assert!(by_url(&bare, &["PING"]).contains("NOAUTH"));
    assert!(by_url(&server.url_as("default", "wrong"), &["PING"]).contains("WRONGPASS"));
}

#[tokio::test]
async fn the_url_is_that_of_the_first_user_and_the_testkit_may_do_everything() {
    let server = RedisServer::builder()
        .user("app", "secret", "~app:* -@all +get +acl|whoami")
        .user("other", "secret", "nocommands")
        .persistence(Persistence::EverySecond)
        .start()
        .await
        .unwrap();
    for _ in 0..2 {
        assert_eq!(by_url(&server.url(), &["ACL", "WHOAMI"]).trim(), "app");
        assert!(by_url(&server.url(), &["SET", "app:1", "1"]).contains("NOPERM"));
        assert!(by_url(&server.url(), &["GET", "else"]).contains("NOPERM"));
        assert_eq!(by_url(&server.plain_url(), &["SET", "else", "1"]).trim(), "OK");
        assert_eq!(server.ask(["GET", "else"]).await.unwrap(), Reply::Bytes(b"1".to_vec()));
        server.restart().await.unwrap();
    }
}

/// Runs in a process of its own, for the next test.
#[tokio::test]
#[ignore = "wants the environment of the next test"]
async fn servers_with_rules_from_the_environment() {
    let server = RedisServer::start().await.unwrap();
    let url = format!("redis://app:app-password@127.0.0.1:{}", server.port());
    assert_eq!(server.url(), url);
    assert_eq!(by_url(&url, &["GET", "ours:1"]).trim(), "");
    assert!(by_url(&url, &["GET", "theirs:1"]).contains("NOPERM"));
    assert_eq!(by_url(&server.plain_url(), &["SET", "theirs:1", "1"]).trim(), "OK");
    assert_eq!(server.ask(["DBSIZE"]).await.unwrap(), Reply::Number(1));

    let own = RedisServer::builder().user("me", "pw", "~* +@all").start().await.unwrap();
    assert_eq!(own.url(), format!("redis://me:pw@127.0.0.1:{}", own.port()));
    let own = RedisServer::start_with(&[("requirepass", "pw")]).await.unwrap();
    assert_eq!(own.url(), format!("redis://127.0.0.1:{}", own.port()));
    println!("all of it ran");
}

#[tokio::test]
async fn a_whole_suite_can_be_run_as_a_user_of_few_rights() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "servers_with_rules_from_the_environment", "--ignored", "--nocapture"])
        .env(ACL_RULES, "reset resetkeys ~ours:* -@all +get")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("all of it ran"), "{said}");
}

#[tokio::test]
async fn tls_is_spoken_with_those_who_know_the_authority() {
    let certificates = Certificates::create().unwrap();
    let server = RedisServer::builder()
        .tls(&certificates, ClientCertificate::Ignored)
        .start()
        .await
        .unwrap();
    assert!(server.url().starts_with("rediss://"));
    assert_eq!(by_tls(&server, &certificates.authority(), &[]).trim(), "PONG");
    let stranger = Certificates::create().unwrap();
    let refused = by_tls(&server, &stranger.authority(), &[]);
    assert!(refused.contains("certificate verify failed"), "{refused}");
    let plain = redis_cli(&["-p", &server.port().to_string(), "PING"]);
    assert!(!plain.contains("PONG"), "{plain}");
    assert_eq!(server.ask(["PING"]).await.unwrap(), Reply::Status("PONG".to_owned()));
}

#[tokio::test]
async fn a_server_can_insist_on_a_client_certificate() {
    let certificates = Certificates::create().unwrap();
    let server = RedisServer::builder()
        .tls(&certificates, ClientCertificate::Required)
        .start()
        .await
        .unwrap();
    let bare = by_tls(&server, &certificates.authority(), &[]);
    assert!(!bare.contains("PONG"), "{bare}");
    let (certificate, key) = (certificates.client(), certificates.client_key());
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let shown = ["--cert", &certificate, "--key", &key];
    assert_eq!(by_tls(&server, &certificates.authority(), &shown).trim(), "PONG");
}

#[tokio::test]
async fn the_unix_socket_is_a_way_in_too() {
    let server = RedisServer::builder().user("app", "a b", "+@all").start().await.unwrap();
    let socket = server.socket().display().to_string();
    let said = redis_cli(&["-s", &socket, "--user", "app", "--pass", "a b", "ACL", "WHOAMI"]);
    assert!(said.contains("app"), "{said}");
    assert_eq!(server.unix_url(), format!("redis+unix://{socket}?user=app&pass=a%20b"));
}
