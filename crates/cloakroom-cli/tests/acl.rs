//! What `cloakroom acl` prints, and that servers accept it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod process;
}

use std::io::Write;

use cloakroom_testkit::{RedisServer, SentinelSet};
use support::process::{Left, run_command, run_with};

/// Runs the command, which succeeds and prints one line.
async fn line(arguments: &[&str]) -> String {
    let left = run_command(&[&["acl"], arguments].concat()).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    let is_complete = arguments.contains(&"--password-file") || arguments.contains(&"words");
    assert_eq!(left.errors.contains("in the place of PASSWORD"), !is_complete, "{left:?}");
    let line = left.output.strip_suffix('\n').unwrap().to_owned();
    assert!(!line.contains('\n'), "{line}");
    line
}

/// The one line that a mistake costs.
fn mistake(left: &Left) -> &str {
    assert!(matches!(left.status.code(), Some(1 | 2)) && left.output.is_empty(), "{left:?}");
    let lines = left.errors.lines().filter(|line| !line.contains("the password in --url"));
    let [line] = lines.collect::<Vec<_>>()[..] else { panic!("{left:?}") };
    line.strip_prefix("cloakroom: ").unwrap()
}

#[tokio::test]
async fn the_readme_shows_what_the_command_prints() {
    let readme = include_str!("../../../README.md");
    let printed = line(&[]).await;
    assert!(readme.lines().any(|line| line == printed), "{printed}");
}

#[tokio::test]
async fn every_form_holds_user_prefix_and_rights_and_no_password() {
    let password = secret();
    let named = ["--user", "shop", "--prefix", "shop:session:", "--password-file"];
    let named = [&named[..], &[password.path().to_str().unwrap()]].concat();
    for (format, start) in [
        ("setuser", "ACL SETUSER shop reset on #"),
        ("aclfile", "user shop reset on #"),
        ("config", "user shop reset on #"),
    ] {
        let line = line(&[&named[..], &["--format", format]].concat()).await;
        let rest = line.strip_prefix(start).unwrap_or_else(|| panic!("{line}"));
        let (hash, rest) = rest.split_once(' ').unwrap();
        assert_eq!(hash.len(), 64, "{line}");
        assert!(rest.starts_with("resetchannels ~shop:session:* -@all +ping "), "{line}");
        assert!(rest.contains(" +evalsha ") && !rest.contains("+select"), "{line}");
    }
    let words = line(&[&named[..4], &["--format", "words"]].concat()).await;
    assert!(words.starts_with("on ~shop:session:* -@all +ping "), "{words}");
    assert!(line(&["--database", "3"]).await.ends_with(" +select"));
    let list = run_command(&["acl", "--format", "list"]).await.output;
    assert!(list.lines().any(|line| line.starts_with("evalsha ") && line.contains("script")));
}

#[tokio::test]
async fn a_line_of_a_file_lets_in_whoever_knows_the_password_and_nobody_else() {
    let password = secret();
    let of_file = ["--password-file", password.path().to_str().unwrap(), "--format"];
    for (format, setting) in [("aclfile", "aclfile"), ("config", "include")] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = line(&[&of_file[..], &[format]].concat()).await;
        std::fs::write(file.path(), format!("{line}\n")).unwrap();
        let path = file.path().to_str().unwrap();
        let server = RedisServer::builder().setting(setting, path).start().await.unwrap();
        for (password, is_let_in) in [("correct-horse", true), ("PASSWORD", false), ("", false)] {
            let url = server.url_as("app", password);
            let left = run_with(&[("CLOAKROOM_REDIS_URL", &url)], &["list"]).await;
            assert_eq!(left.status.code() == Some(0), is_let_in, "{format} {password}: {left:?}");
        }
    }
    for format in ["aclfile", "config"] {
        let left = run_command(&["acl", "--format", format]).await;
        assert_eq!((left.status.code(), left.output.as_str()), (Some(2), ""), "{left:?}");
        assert!(left.errors.contains("--password-file"), "{left:?}");
    }
}

#[tokio::test]
async fn a_user_who_was_there_before_keeps_nothing_of_it() {
    let server = RedisServer::start().await.unwrap();
    let old = ["ACL", "SETUSER", "app", "on", ">old", "~*", "+@all"];
    server.ask(old).await.unwrap();
    let line = line(&[]).await;
    server.ask(line.split(' ')).await.unwrap();
    let left = run_with(&[("CLOAKROOM_REDIS_URL", &server.url_as("app", "old"))], &["list"]).await;
    assert_eq!(left.status.code(), Some(1), "{left:?}");
    let rules = server.ask(["ACL", "LIST"]).await.unwrap().many();
    let rule = rules.iter().map(|it| it.text()).find(|it| it.starts_with("user app ")).unwrap();
    assert!(!rule.contains("~* ") && !rule.contains("+@all"), "{rule}");
}

#[tokio::test]
async fn the_rule_is_for_the_prefix_and_the_database_of_the_installation() {
    let server = RedisServer::start_with(&[("requirepass", "s3cret")]).await.unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let url = format!("redis://127.0.0.1:{}/3", server.port());
    write!(file, "url = \"{url}\"\nprefix = \"shop:\"\n").unwrap();
    let path = file.path().to_str().unwrap();
    let place = [("CLOAKROOM_REDIS_URL", url.as_str()), ("CLOAKROOM_REDIS_PREFIX", "shop:")];
    let words = ["acl", "--format", "words"];
    for (variables, flags) in [
        (&place[..], &[][..]),
        (&[], &["--config", path]),
        (&[("CLOAKROOM_REDIS_CONFIG", path)], &[]),
    ] {
        let left = run_with(variables, &[&words[..], flags].concat()).await;
        let line = left.output.trim_end();
        assert!(line.starts_with("on ~shop:* ") && line.ends_with(" +select"), "{left:?}");
        // Nobody was asked, who may not know the user yet.
        assert_eq!(left.errors, "");
        let overruled = [&words[..], flags, &["--prefix", "own:", "--database", "0"]].concat();
        let line = run_with(variables, &overruled).await.output;
        assert!(line.starts_with("on ~own:* ") && !line.contains("+select"), "{line}");
    }
    // A password that stands in no argument lets in whoever asks.
    let login = [("CLOAKROOM_REDIS_PASSWORD", "s3cret")];
    let left = run_with(&login, &["acl", "--config", path, "--check"]).await;
    assert!(left.errors.contains("accepts this rule"), "{left:?}");
    let left = run_with(&login, &["acl", "--url", &url.replace("//", "//default@")]).await;
    assert!(left.errors.contains("accepts this rule"), "{left:?}");
    let left = run_command(&["acl", "--url", &url.replace("//", "//:s3cret@")]).await;
    assert!(left.errors.contains("can read the password in --url"), "{left:?}");
}

/// A file with a password.
fn secret() -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"correct-horse\n").unwrap();
    file
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
    // Sentinels do not know what the servers behind them do.
    let set = SentinelSet::start().await.unwrap();
    let left = run_command(&["acl", "--url", &set.plain_url()]).await;
    assert!(mistake(&left).contains("name one of those"), "{left:?}");
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
