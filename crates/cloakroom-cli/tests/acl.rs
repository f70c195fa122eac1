//! What `cloakroom acl` prints, and that servers accept it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod process;
}

use cloakroom_testkit::{RedisServer, SentinelSet};
use support::process::{Left, run_command};

/// Runs the command, which succeeds and prints one line.
async fn line(arguments: &[&str]) -> String {
    let left = run_command(&[&["acl"], arguments].concat()).await;
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    let line = left.output.strip_suffix('\n').unwrap().to_owned();
    assert!(!line.contains('\n'), "{line}");
    line
}

/// The one line that a mistake costs.
fn mistake(left: &Left) -> &str {
    assert_eq!((left.status.code(), left.output.as_str()), (Some(1), ""), "{left:?}");
    left.errors.strip_prefix("cloakroom: ").unwrap()
}

#[tokio::test]
async fn the_readme_shows_what_the_command_prints() {
    let readme = include_str!("../../../README.md");
    let printed = line(&[]).await;
    assert!(readme.lines().any(|line| line == printed), "{printed}");
}

#[tokio::test]
async fn every_form_holds_user_prefix_and_rights() {
    let named = ["--user", "shop", "--prefix", "shop:session:"];
    for (format, start) in [
        ("setuser", "ACL SETUSER shop on >PASSWORD resetkeys resetchannels "),
        ("aclfile", "user shop on >PASSWORD resetkeys resetchannels "),
        ("config", "user shop on >PASSWORD resetkeys resetchannels "),
        ("words", "on "),
    ] {
        let line = line(&[&named[..], &["--format", format]].concat()).await;
        let rest = line.strip_prefix(start).unwrap_or_else(|| panic!("{line}"));
        assert!(rest.starts_with("~shop:session:* -@all +ping "), "{line}");
        assert!(rest.contains(" +evalsha ") && !rest.contains("+select"), "{line}");
    }
    assert!(line(&["--database", "3"]).await.ends_with(" +select"));
    let list = run_command(&["acl", "--format", "list"]).await.output;
    assert!(list.lines().any(|line| line.starts_with("evalsha ") && line.contains("script")));
}

#[tokio::test]
async fn servers_and_sentinels_accept_their_rules() {
    let server = RedisServer::start().await.unwrap();
    for arguments in [&[][..], &["--database", "1"], &["--prefix", "my-*[shop]:"]] {
        let line = line(arguments).await;
        assert_eq!(server.ask(line.split(' ')).await.unwrap().text(), "OK", "{line}");
    }
    let set = SentinelSet::start().await.unwrap();
    let line = line(&["--sentinel", "--user", "watcher"]).await;
    let sentinel = &set.sentinels()[0];
    assert_eq!(sentinel.ask(line.split(' ')).await.unwrap().text(), "OK", "{line}");
    let url = sentinel.url_as("watcher", "PASSWORD");
    // The application's user has no right to ask.
    let left = run_command(&["acl", "--sentinel", "--url", &url]).await;
    assert!(mistake(&left).contains("could not be asked"), "{left:?}");
    let left = run_command(&["acl", "--sentinel", "--url", &sentinel.plain_url()]).await;
    assert!(left.errors.contains("accepts this rule"), "{left:?}");
}

#[tokio::test]
async fn a_server_that_is_asked_names_itself_and_the_rule_stays_alone_on_the_output() {
    let server = RedisServer::start().await.unwrap();
    let left = run_command(&["acl", "--url", &server.plain_url()]).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    assert_eq!(left.output.trim_end(), line(&[]).await);
    assert!(left.errors.contains("accepts this rule"), "{left:?}");
    // A server that keeps data is no Sentinel.
    let left = run_command(&["acl", "--sentinel", "--url", &server.plain_url()]).await;
    assert!(mistake(&left).contains("does not know sentinel|"), "{left:?}");
}

#[tokio::test]
async fn a_user_who_may_not_ask_is_not_told_that_the_server_accepts_the_rule() {
    let rules = "~cloakroom:session:* -@all +ping +info";
    let server = RedisServer::builder().setting("rename-command", "EVALSHA \"\"");
    let server = server.user("app", "app-password", rules).start().await.unwrap();
    let left = run_command(&["acl", "--url", &server.url()]).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    assert!(left.errors.contains("could not be checked"), "{left:?}");
    assert!(left.errors.contains("COMMAND") && !left.errors.contains("accepts this rule\n"));
    // Who may ask learns what is missing.
    let left = run_command(&["acl", "--url", &server.plain_url()]).await;
    assert!(mistake(&left).contains("does not know evalsha"), "{left:?}");
}

#[tokio::test]
async fn a_mistake_is_one_line_without_the_password() {
    let gone = RedisServer::start().await.unwrap();
    let url = format!("redis://ann:s3cret@127.0.0.1:{}", gone.port());
    gone.kill();
    for arguments in [
        &["--url", url.as_str()][..],
        &["--url", "http://ann:s3cret@localhost"],
        &["--url", "redis://ann:s3cret@db.internal"],
        &["--user", "two words"],
        &["--prefix", ""],
    ] {
        let left = run_command(&[&["acl"], arguments].concat()).await;
        let line = mistake(&left).trim_end();
        assert!(!line.contains('\n') && !line.contains("s3cret"), "{line}");
    }
}
