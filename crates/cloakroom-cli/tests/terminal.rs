//! What is shown on a terminal only: progress, colours, and the question before a load. The terminal
//! is that of `script`, which every Debian has.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod sessions;
}

use std::process::Stdio;
use std::time::Duration;

use cloakroom_testkit::fault_proxy::{Direction, Latency, Scope};
use cloakroom_testkit::{FakeRequest, FaultProxy, RedisServer};
use support::sessions::{Application, keys};
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

#[tokio::test]
async fn sessions_end_after_a_yes_only_and_what_goes_on_is_shown() {
    let server = RedisServer::start().await.unwrap();
    let application = Application::on(&server.plain_url()).await;
    application.sign_in("ann").await;
    let place = format!("--url {}", server.plain_url());
    let of_ann = format!("revoke-owner ann {place}");
    let (code, shown) = on_a_terminal(&of_ann, "n\n").await;
    assert_eq!((code, keys(&server).await), (Some(1), 2), "{shown}");
    assert!(shown.contains("This ends all sessions of ann in Redis at 127.0.0.1"), "{shown}");
    assert!(shown.contains("Go on? [y/N]") && shown.contains("nothing was done"), "{shown}");
    let (code, shown) = on_a_terminal(&of_ann, "y\n").await;
    assert_eq!((code, keys(&server).await), (Some(0), 0), "{shown}");
    assert!(shown.contains("1 session of ann has ended"), "{shown}");
    application.put_many(5000).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Work that is over at once is not worth a bar.
    let proxy = FaultProxy::before(&server).await.unwrap();
    proxy.delay(Scope::All, Direction::Replies, Latency::of(Duration::from_millis(80)));
    let by_age = format!("revoke-before 0s --url {}", proxy.url());
    let (code, shown) = on_a_terminal(&by_age, "y\n").await;
    assert_eq!((code, keys(&server).await), (Some(0), 0), "{shown}");
    for part in ["was created before 20", "Go on? [y/N]", " %  ending sessions", "5,000 sessions"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test]
async fn what_visitors_write_gives_no_orders() {
    let server = RedisServer::start().await.unwrap();
    let application = Application::on(&server.plain_url()).await;
    let hostile = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}nna";
    application.visit(FakeRequest::new().user_agent(hostile), Some(hostile)).await;
    for command in ["list", "list --json", "stats --full"] {
        let arguments = format!("{command} --url {}", server.plain_url());
        let (code, shown) = on_a_terminal(&arguments, "").await;
        assert_eq!(code, Some(0), "{shown}");
        let orders = ["\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}"];
        assert!(!orders.iter().any(|order| shown.contains(order)), "{shown:?}");
        assert!(command != "list" || shown.contains(r"\u{1b}]0;owned\u{7}"), "{shown:?}");
    }
}
