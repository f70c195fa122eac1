//! The user that the README names may do everything that a storage does, and nothing else.

use std::time::Duration;

use cloakroom::{
    Absolute, CommitBuilder, ConfigErrorKind, Expect, IndexChange, OldSessionId, OwnerKey,
    Position, SessionKey, SessionStorage, StorageError, StorageErrorKind, Timestamp, Touched,
};
use cloakroom_redis::{AclRule, DEFAULT_PREFIX, Password, RedisConfig, RedisSessionStorage};
use cloakroom_testkit::RedisServer;
use tempfile::TempDir;

use super::support::{holding, start, text};

#[tokio::test]
async fn the_user_that_the_readme_names_has_every_right_that_is_needed() {
    let readme = include_str!("../../../../README.md");
    let rule = readme.lines().find(|line| line.starts_with("ACL SETUSER app ")).unwrap();
    assert_eq!(rule, AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap().to_string());
    let server = RedisServer::builder().start().await.unwrap();
    let words: Vec<&str> = rule.split(' ').collect();
    assert_eq!(server.ask(words).await.unwrap().text(), "OK");

    let url = server.url_as("app", "PASSWORD");
    let storage = RedisSessionStorage::builder().url(url).pool_size(2).build().await.unwrap();
    server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
    let ttl = Duration::from_secs(60);
    storage.set("ann", &holding("a", "1"), ttl).await.unwrap();
    storage.set("ann", &holding("a", "2"), ttl).await.unwrap();
    let mut found = storage.get("ann", None).await.unwrap().unwrap();
    found.insert("a", "3").unwrap();
    storage.set("ann", &found, ttl).await.unwrap();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("3"));
    tokio::time::sleep(Duration::from_millis(5)).await;
    let touched = storage.touch(&SessionKey::from_name("ann")).await.unwrap();
    assert!(matches!(touched, Touched::Extended(_)), "{touched:?}");
    assert_eq!(storage.stats().await.unwrap().total_sessions, 1);
    storage.ping().await.unwrap();
    let note = OldSessionId::new("library", "id").note_key();
    for _ in 0..2 {
        assert_eq!(storage.leave_mark(&note, b"note", ttl).await.unwrap(), b"note".as_slice());
    }
    assert!(storage.mark(&note).await.unwrap().is_some());
    assert!(storage.delete("ann").await.unwrap());
    assert_refused_nothing(&server).await;
}

async fn assert_refused_nothing(server: &RedisServer) {
    let refused: Vec<_> = server.ask(["ACL", "LOG"]).await.unwrap().many();
    assert!(refused.is_empty(), "{refused:?}");
}

/// Rights that are missed when a connection is opened, by replicas, in a Cluster, or by a near-cache.
const ELSEWHERE: [&str; 6] = ["role", "info", "wait", "asking", "client|tracking", "cluster|slots"];

#[tokio::test]
async fn a_right_that_is_missing_is_told_wherever_it_is_missed() {
    let server = start().await;
    let rule = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap();
    let owner = OwnerKey::of("ann");
    for right in rule.rights() {
        server.ask(rule.to_string().split(' ')).await.unwrap();
        let url = server.url_as("app", "PASSWORD");
        let storage = RedisSessionStorage::builder().url(url).pool_size(1).build().await.unwrap();
        server.ask(["FLUSHALL"]).await.unwrap();
        storage.set("ann", &holding("a", "1"), None).await.unwrap();
        server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
        server.ask(["ACL", "SETUSER", "app", &format!("-{}", right.command)]).await.unwrap();

        let session = SessionKey::from_name("ann");
        let lifetime = Duration::from_secs(60);
        let enter = IndexChange::Enter { session, lifetime, pending: lifetime, refuse_at: None };
        let mut told = Vec::new();
        let mut note = |outcome: Result<(), StorageError>| told.extend(outcome.err());
        note(storage.load(&session).await.map(drop));
        for session in [session, SessionKey::from_name("nobody")] {
            note(storage.touch(&session).await.map(drop));
        }
        let commit = CommitBuilder::new(Expect::Present).absolute(Absolute::Start(lifetime));
        let commit = commit.idle_timeout(lifetime).build().unwrap();
        note(storage.commit(&session, &commit).await.map(drop));
        let entered = storage.change_owner_index(&owner, &enter).await;
        let entries = entered.as_ref().map(|index| index.entries.clone()).unwrap_or_default();
        note(entered.map(drop));
        note(storage.owner_index(&owner).await.map(drop));
        let removal = IndexChange::Remove(entries);
        note(storage.change_owner_index(&owner, &removal).await.map(drop));
        note(storage.facts(&[session]).await.map(drop));
        note(storage.walk(&Position::start()).await.map(drop));
        note(storage.destroy_created_before(&[session], Timestamp::from_millis(1)).await.map(drop));
        note(storage.destroy(&session).await.map(drop));
        let mark = OldSessionId::new("library", "id").note_key();
        note(storage.leave_mark(&mark, b"note", lifetime).await.map(drop));
        let commit = CommitBuilder::new(Expect::Absent).absolute(Absolute::Start(lifetime));
        let commit = commit.idle_timeout(lifetime).build().unwrap();
        note(storage.commit(&SessionKey::from_name("bob"), &commit).await.map(drop));
        for error in &told {
            assert_eq!(*error.kind(), StorageErrorKind::Denied, "-{}: {error}", right.command);
            assert!(error.to_string().contains("cloakroom acl"), "{error}");
        }
        assert_eq!(told.is_empty(), ELSEWHERE.contains(&right.command), "-{}", right.command);
    }
}

#[tokio::test]
async fn another_database_needs_one_right_more() {
    let server = start().await;
    let rule = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap();
    server.ask(rule.to_string().split(' ')).await.unwrap();
    let url = format!("{}/3", server.url_as("app", "PASSWORD"));
    let build = || RedisSessionStorage::builder().url(&url).pool_size(1).build();
    assert_eq!(build().await.unwrap_err().kind(), ConfigErrorKind::Denied);
    server.ask(["ACL", "LOG", "RESET"]).await.unwrap();
    server.ask(rule.with_select().to_string().split(' ')).await.unwrap();
    build().await.unwrap().ping().await.unwrap();
    assert_refused_nothing(&server).await;
}

#[tokio::test]
async fn a_user_touches_nothing_outside_of_the_prefix_whatever_is_in_it() {
    for prefix in
        ["app:", "a*b?c:", "a[x]b[y]c:", r"back\slash:", "my-app:", "it's\"quoted\":", "{tag}%:"]
    {
        let rule = AclRule::for_sessions("keeper", prefix).unwrap();
        let password = Password::from("PASSWORD");
        let lines = [rule.config_line(&password), rule.file_line(&password)];
        for (setting, line) in ["include", "aclfile"].into_iter().zip(lines) {
            assert_holds(prefix, setting, &line.unwrap()).await;
        }
    }
}

/// Lets a server read the line from a file, as an operator does.
async fn assert_holds(prefix: &str, setting: &str, line: &str) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("users.acl");
    std::fs::write(&file, format!("{line}\n")).unwrap();
    let builder = RedisServer::builder().setting(setting, file.to_str().unwrap());
    let server = builder.start().await.unwrap();
    let storage = |prefix: &str| {
        let builder = RedisSessionStorage::builder().url(server.url_as("keeper", "PASSWORD"));
        builder.prefix(prefix).pool_size(1).build()
    };
    let own = storage(prefix).await.unwrap();
    own.set("ann", &holding("a", "1"), None).await.unwrap();
    assert_eq!(text(&own, "ann").await.unwrap().as_deref(), Some("1"), "{line}");
    // Wide enough for each pattern, were its characters not escaped.
    let other = storage("axbyc:").await.unwrap();
    let error = other.set("ann", &holding("a", "1"), None).await.unwrap_err();
    assert!(format!("{error:?}").contains("Denied"), "{line}: {error:?}");
}

#[tokio::test]
async fn a_server_is_asked_whether_it_knows_the_rule_and_stays_as_it_was() {
    let server = start().await;
    let rule = AclRule::for_sessions("keeper", DEFAULT_PREFIX).unwrap();
    let config = RedisConfig::from_url(server.plain_url());
    let check = rule.check(&config, Duration::from_secs(5)).await.unwrap();
    assert!(check.unknown.is_empty() && check.server.contains('.'), "{check}");
    let users = server.ask(["ACL", "USERS"]).await.unwrap().text();
    assert!(!users.lines().any(|user| user == "keeper"), "{users}");
}

#[test]
fn a_name_that_no_user_can_have_is_refused() {
    for user in ["", "two words", "line\nbreak"] {
        assert!(AclRule::for_sessions(user, DEFAULT_PREFIX).is_err());
        assert!(AclRule::for_sentinels(user).is_err());
    }
    assert!(AclRule::for_sessions("app", "two words:").is_err());
}
