//! How the demo's process begins and ends: one clear line for a mistake, and an end in good order.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod http;
    pub mod process;
}

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use cloakroom_testkit::RedisServer;
use support::http::Visitor;
use support::process::{Demo, Left, run};
use tokio::net::TcpStream;

/// The one line that a mistake costs.
fn line(left: &Left) -> &str {
    assert!(matches!(left.status.code(), Some(1 | 2)) && left.output.is_empty(), "{left:?}");
    let is_warning = |line: &&str| line.contains("can read the password in --storage");
    let lines: Vec<_> = left.errors.lines().filter(|line| !is_warning(line)).collect();
    let [line] = lines[..] else { panic!("{left:?}") };
    assert!(line.starts_with("cloakroom: "), "{line}");
    line
}

#[tokio::test]
async fn a_greeting_tells_the_url_the_storage_and_how_to_end() {
    let demo = Demo::start("memory").await;
    for part in [&demo.url(), "memory of this process", "plain HTTP", "Press Ctrl-C to end it."] {
        assert!(demo.greeting.contains(part), "{}", demo.greeting);
    }
}

#[tokio::test]
async fn a_password_appears_neither_in_the_greeting_nor_on_a_page() {
    let redis = RedisServer::start_with(&[("requirepass", "s3cret")]).await.unwrap();
    let demo = Demo::start(&format!("redis://:s3cret@127.0.0.1:{}", redis.port())).await;
    let label = format!("Redis at 127.0.0.1:{}", redis.port());
    assert!(demo.greeting.contains(&label) && !demo.greeting.contains("s3cret"));
    let page = Visitor::of(demo.port).sign_in("Ada").await;
    assert!(page.body.contains(&label) && !page.body.contains("s3cret"));
}

#[tokio::test]
async fn a_taken_port_is_one_line() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let left = run(&["--port", &port]).await;
    assert!(line(&left).contains(&format!("port {port} on 127.0.0.1 is taken")), "{left:?}");
    assert!(line(&left).contains("--port"));
}

#[tokio::test]
async fn an_unreachable_redis_is_one_line_without_the_password() {
    let gone = RedisServer::start().await.unwrap();
    let port = gone.port();
    gone.kill();
    let url = format!("redis://ada:s3cret@127.0.0.1:{port}");
    let left = run(&["--port", "0", "--storage", &url]).await;
    assert!(line(&left).contains(&format!("Redis at 127.0.0.1:{port} cannot be reached")));
    assert!(left.errors.contains("can read the password in --storage"), "{left:?}");
    assert!(!left.errors.contains("s3cret"));
}

#[tokio::test]
async fn a_wrong_password_is_one_line_without_it() {
    let redis = RedisServer::start_with(&[("requirepass", "right")]).await.unwrap();
    let url = format!("redis://:s3cret@127.0.0.1:{}", redis.port());
    let left = run(&["--port", "0", "--storage", &url]).await;
    assert!(line(&left).contains("refused the credentials"));
    assert!(!left.errors.contains("s3cret"));
}

#[tokio::test]
async fn a_wrong_url_is_one_line_without_the_password() {
    for url in [
        "redis://ada:s3cret@127.0.0.1:port",
        "redis://ada:s3cret@",
        "http://ada:s3cret@127.0.0.1:6379",
        "ada:s3cret@127.0.0.1",
        "Memory",
        "",
    ] {
        let left = run(&["--port", "0", "--storage", url]).await;
        assert!(line(&left).contains("Redis"), "{url}: {left:?}");
        assert!(!left.errors.contains("s3cret"), "{url}: {left:?}");
    }
}

#[tokio::test]
async fn both_signals_end_the_demo_in_good_order() {
    for signal in ["INT", "TERM"] {
        let demo = Demo::start("memory").await;
        // Browsers open connections ahead of time and keep others; neither may hold up the end.
        let _silent = TcpStream::connect((Ipv4Addr::LOCALHOST, demo.port)).await.unwrap();
        Visitor::of(demo.port).sign_in("Ada").await;
        let asked = Instant::now();
        demo.signal(signal).await;
        let left = demo.ended().await;
        assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "SIG{signal}");
        assert!(left.output.contains("The demo has ended."));
        assert!(asked.elapsed() < Duration::from_secs(4), "it waited for a silent connection");
    }
}

#[tokio::test]
async fn a_request_that_is_under_way_is_answered_before_the_end() {
    let redis = RedisServer::start().await.unwrap();
    let demo = Demo::start(&redis.url()).await;
    let mut visitor = Visitor::of(demo.port);
    visitor.sign_in("Ada").await;
    let mut slow = visitor.clone();
    let answer = tokio::spawn(async move { slow.post("/slow", "seconds=2").await });
    while visitor.get("/slow").await.attribute("data-under-way") != Some("1") {
        assert!(!answer.is_finished());
    }
    demo.signal("TERM").await;
    assert_eq!(answer.await.unwrap().status, 303);
    assert_eq!(demo.ended().await.status.code(), Some(0));
}
