//! What is shown on a terminal only: progress, colours, and the question before a load. The terminal
//! is that of `script`, which every Debian has.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::process::Stdio;
use std::time::Duration;

use cloakroom_testkit::RedisServer;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Runs the command on a terminal, types something, and answers all that was shown.
async fn on_a_terminal(arguments: &str, typed: &str) -> (Option<i32>, String) {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_cloakroom"));
    let mut command = Command::new("script");
    command
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .env("TERM", "xterm")
        .env_remove("NO_COLOR");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(typed.as_bytes()).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output());
    let left = ended.await.unwrap().unwrap();
    drop(input);
    (left.status.code(), String::from_utf8_lossy(&left.stdout).into_owned())
}

#[tokio::test]
async fn what_goes_on_is_shown_and_so_are_colours() {
    let server = RedisServer::start().await.unwrap();
    let (code, shown) = on_a_terminal(&format!("doctor --url {}", server.plain_url()), "").await;
    assert_eq!(code, Some(3), "{shown}");
    assert!(shown.contains("Looking at Redis at 127.0.0.1"), "{shown}");
    assert!(shown.contains("\u{1b}[33m"), "{shown}");
    let url = server.plain_url();
    let bench = format!("bench --url {url} --seconds 1 --sessions 50");
    let (code, shown) = on_a_terminal(&bench, "").await;
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("of 5"), "{shown}");
}

#[tokio::test]
async fn a_no_to_the_question_loads_nothing() {
    let arguments = "bench --url 'redis://192.0.2.1:6379?plaintext=allow'";
    let (code, shown) = on_a_terminal(arguments, "n\n").await;
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("whoever uses it will feel it. Go on? [y/N]"), "{shown}");
    assert!(shown.contains("nothing was done"), "{shown}");
}
