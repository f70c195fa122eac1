//! What `cloakroom doctor` prints, its exit codes, and how it is told where the sessions are.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod process;
}

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cloakroom_testkit::fault_proxy::{Answer, On, Times};
use cloakroom_testkit::{FaultProxy, Persistence, RedisServer};
use serde_json::Value;
use support::process::{Left, run_command, run_with};
use tempfile::NamedTempFile;

const SECRET: &str = "correct-horse";

/// A server with which everything is as it should be, but for the machine that it runs on.
async fn sound() -> RedisServer {
    RedisServer::builder()
        .password(SECRET)
        .persistence(Persistence::EverySecond)
        .setting("maxmemory", "1gb")
        .start()
        .await
        .unwrap()
}

fn place(server: &RedisServer) -> String {
    format!("redis://127.0.0.1:{}", server.port())
}

/// The exit code, after a check that nothing shows the password, moves or is coloured.
fn code(left: &Left) -> i32 {
    for text in [&left.output, &left.errors] {
        assert!(!text.contains(SECRET) && !text.contains('\u{1b}'), "{text}");
    }
    left.status.code().unwrap()
}

fn json(left: &Left) -> Value {
    serde_json::from_str(&left.output).unwrap()
}

/// The words of one topic's worst finding.
fn severity(told: &Value, topic: &str) -> String {
    let findings = told["findings"].as_array().unwrap();
    let of_topic = findings.iter().filter(|finding| finding["topic"] == topic);
    let words: Vec<_> = of_topic.map(|it| it["severity"].as_str().unwrap()).collect();
    words.join(" ")
}

#[tokio::test]
async fn a_sound_server_ends_with_zero_and_tells_every_topic() {
    let server = sound().await;
    let password = [("CLOAKROOM_REDIS_PASSWORD", SECRET)];
    let left = run_with(&password, &["doctor", "--url", &place(&server)]).await;
    // A busy machine is slow, which is a warning.
    if !left.output.contains("warning  latency") {
        assert_eq!((code(&left), left.errors.as_str()), (0, ""), "{left:?}");
    }
    for line in ["ok       rights", "ok       eviction", "ok       scripts", "0 errors, "] {
        assert!(left.output.contains(line), "{line}: {}", left.output);
    }
    let left = run_with(&password, &["doctor", "--url", &place(&server), "--json"]).await;
    let told = json(&left);
    assert_eq!(told["servers"][0], format!("127.0.0.1:{}", server.port()));
    assert_eq!(severity(&told, "persistence"), "ok");
    assert!(["sound", "warnings"].contains(&told["verdict"].as_str().unwrap()), "{told}");
}

#[tokio::test]
async fn warnings_end_with_three_and_errors_with_four() {
    let forgetful = RedisServer::start().await.unwrap();
    let left = run_command(&["doctor", "--url", &forgetful.plain_url()]).await;
    assert_eq!(code(&left), 3, "{left:?}");
    assert!(
        left.output.contains("warning  persistence")
            && left.output.contains("do:  `CONFIG SET append")
    );
    let evicting =
        RedisServer::start_with(&[("maxmemory", "1gb"), ("maxmemory-policy", "allkeys-lru")]);
    let evicting = evicting.await.unwrap();
    let left = run_command(&["doctor", "--url", &evicting.plain_url(), "--problems"]).await;
    assert_eq!(code(&left), 4, "{left:?}");
    assert!(left.output.contains("error    eviction      allkeys-lru"), "{}", left.output);
    assert!(!left.output.contains("ok       "), "{}", left.output);
    // What was left out is counted all the same.
    assert!(left.output.contains(" ok"), "{}", left.output);
}

#[tokio::test]
async fn what_cannot_be_examined_ends_with_one_and_what_makes_no_sense_with_two() {
    let server = sound().await;
    let (wrong, url) = ([("CLOAKROOM_REDIS_PASSWORD", "wrong")], place(&server));
    let left = run_with(&wrong, &["doctor", "--url", &url]).await;
    assert_eq!(code(&left), 1, "{left:?}");
    assert!(left.output.contains("refused the credentials"), "{left:?}");
    server.kill();
    let left = run_command(&["doctor", "--url", &url, "--json"]).await;
    assert_eq!((code(&left), json(&left)["verdict"].as_str()), (1, Some("not_examined")));
    for url in ["http://localhost", "redis://db.internal"] {
        let left = run_command(&["doctor", "--url", url]).await;
        assert_eq!((code(&left), left.output.as_str()), (2, ""), "{left:?}");
        assert_eq!(left.errors.lines().count(), 1, "{left:?}");
    }
    assert_eq!(code(&run_command(&["doctor", "--no-such-flag"]).await), 2);
}

#[tokio::test]
async fn a_frozen_server_ends_in_time() {
    let server = RedisServer::start().await.unwrap();
    let mut file = NamedTempFile::new().unwrap();
    write!(file, "url = \"{}\"\nconnection_timeout = \"500ms\"\n", server.plain_url()).unwrap();
    server.freeze();
    let start = Instant::now();
    let left = run_command(&["doctor", "--config", file.path().to_str().unwrap()]).await;
    let elapsed = start.elapsed();
    server.thaw();
    assert_eq!(code(&left), 1, "{left:?}");
    assert!(left.output.contains("did not answer within"), "{left:?}");
    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
}

#[tokio::test]
async fn a_password_on_the_command_line_is_warned_of_and_shown_nowhere() {
    let server = sound().await;
    let left = run_command(&["doctor", "--url", &server.plain_url()]).await;
    assert!(left.errors.contains("every user of this machine can read"), "{left:?}");
    assert!(left.errors.contains("CLOAKROOM_REDIS_PASSWORD"), "{left:?}");
    assert_ne!(code(&left), 1);
    let left = run_with(&[("CLOAKROOM_REDIS_URL", &server.plain_url())], &["doctor"]).await;
    assert_eq!(left.errors, "");
    assert_ne!(code(&left), 1);
}

#[tokio::test]
async fn a_file_names_the_server_and_the_file_with_the_password() {
    let server = sound().await;
    let mut password = NamedTempFile::new().unwrap();
    writeln!(password, "{SECRET}").unwrap();
    let mut file = NamedTempFile::new().unwrap();
    let (url, path) = (place(&server), password.path().display());
    write!(file, "backend = \"redis\"\nurl = \"{url}\"\npassword = {{ file = \"{path}\" }}\n")
        .unwrap();
    let path = file.path().to_str().unwrap();
    let by_flag = run_command(&["doctor", "--config", path]).await;
    let by_variable = run_with(&[("CLOAKROOM_REDIS_CONFIG", path)], &["doctor"]).await;
    for left in [by_flag, by_variable] {
        assert_ne!(code(&left), 1, "{left:?}");
        assert!(
            left.output.contains("the user default may do more than sessions need"),
            "{left:?}"
        );
    }
}

#[tokio::test]
async fn a_reader_who_goes_away_is_no_failure() {
    let server = sound().await;
    let url = server.plain_url();
    for (arguments, code) in [
        (&["completions", "bash"][..], 0),
        (&["acl", "--format", "words"], 0),
        (&["doctor", "--url", "redis://127.0.0.1:1"], 1),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = support::process::cloakroom(&[("CLOAKROOM_REDIS_URL", &url)], arguments);
        // `output()` would give it a reader again.
        let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let left = child.wait_with_output().await.unwrap();
        let errors = String::from_utf8(left.stderr).unwrap();
        assert_eq!((left.status.code(), errors.as_str()), (Some(code), ""), "{arguments:?}");
    }
}

#[tokio::test]
async fn words_of_a_server_give_a_terminal_no_orders() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let order = "\u{1b}[2J\u{9b}31m\u{202e}";
    let info = format!(
        "redis_version:8.4.0\r\nrole:slave\r\nmaster_host:{order}\r\nmaxmemory_policy:{order}\r\n"
    );
    let _info =
        proxy.answer_commands(On::commands(["INFO"]), &Answer::value(&info), Times::UntilCleared);
    let _name =
        proxy.answer_commands(On::commands(["ACL"]), &Answer::value(order), Times::UntilCleared);
    let left = run_command(&["doctor", "--url", &proxy.url()]).await;
    assert_eq!(code(&left), 4, "{left:?}");
    for text in ["replica of \\u{1b}[2J\\u{9b}31m\\u{202e}:?", "user \\u{1b}", "  \\u{1b}[2J"] {
        assert!(left.output.contains(text), "{text}: {}", left.output);
    }
    assert!(left.output.chars().all(|it| it == '\n' || !it.is_control() && it != '\u{202e}'));
}
