//! The metrics of `cloakroom admin`: closed unless they are asked for, and then nothing but metrics.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod admin;
    pub mod http;
    pub mod webdriver;
}

use cloakroom_testkit::RedisServer;
use support::admin::{PASSWORD, command, serve};
use support::http::Visitor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Child;

/// A page over a Redis of its own, with its greeting.
async fn start(options: &[&str]) -> (RedisServer, Child, String) {
    let redis = RedisServer::start().await.unwrap();
    let url = redis.url();
    let mut command = command(&["--url", &url, "--listen", "127.0.0.1:0"]);
    let command = command.args(options).env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD);
    let (child, greeting) = serve(command).await;
    (redis, child, greeting)
}

/// The port that the greeting tells behind a word.
fn port(greeting: &str, word: &str) -> u16 {
    let line = greeting.lines().find(|line| line.trim_start().starts_with(word)).unwrap();
    let (_, place) = line.split_once("http://127.0.0.1:").unwrap();
    place.split('/').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn metrics_are_not_served_unless_they_are_asked_for() {
    let (_redis, _child, greeting) = start(&[]).await;
    assert!(!greeting.contains("Metrics"), "{greeting}");
    let answer = Visitor::of(port(&greeting, "Cloakroom admin")).get("/metrics").await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(answer.header("location").unwrap().ends_with("/sign-in"));
}

#[tokio::test]
async fn metrics_have_a_port_of_their_own_that_serves_nothing_else() {
    let (_redis, _child, greeting) = start(&["--metrics-listen", "127.0.0.1:0"]).await;
    let (page, metrics) = (port(&greeting, "Cloakroom admin"), port(&greeting, "Metrics"));
    let search = "/api/sessions?owner=nobody";
    let bearer = format!("Authorization: Bearer {PASSWORD}");
    let found = ask(page, search, &format!("127.0.0.1:{page}"), &bearer).await;
    assert!(found.starts_with("HTTP/1.1 200 "), "{found}");

    let mut scraper = Visitor::of(metrics);
    let answer = scraper.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    for line in [
        "cloakroom_storage_status{status=\"healthy\"} 1\n",
        "cloakroom_storage_duration_seconds_bucket{operation=\"index\",le=\"+Inf\"} 1\n",
    ] {
        assert!(answer.body.contains(line), "no {line} in\n{}", answer.body);
    }
    for elsewhere in ["/", "/sign-in", "/api/overview", search, "/metrics/x"] {
        assert_eq!(scraper.get(elsewhere).await.status, 404, "{elsewhere}");
    }
    assert_eq!(scraper.post("/metrics", "").await.status, 405);
    assert_eq!(Visitor::of(page).get("/metrics").await.status, 303, "the page stays closed");
}

#[tokio::test]
async fn metrics_are_not_shown_to_a_browser_that_was_led_here_by_another_name() {
    let (_redis, _child, greeting) = start(&["--metrics-listen", "127.0.0.1:0"]).await;
    let metrics = port(&greeting, "Metrics");
    let led = ask(metrics, "/metrics", &format!("rebound.example:{metrics}"), "Accept: */*").await;
    assert!(led.starts_with("HTTP/1.1 403 ") && !led.contains("cloakroom_"), "{led}");
}

#[tokio::test]
async fn metrics_that_other_machines_could_read_are_refused() {
    for place in ["0.0.0.0:0", "[::]:0", "192.0.2.7:9464"] {
        // The word that lets the page listen anywhere does not open the metrics.
        let options = ["--listen", "127.0.0.1:0", "--behind-tls", "--metrics-listen", place];
        let mut command = command(&options);
        let ended = command.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD).output().await.unwrap();
        let errors = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success(), "{place}");
        assert!(errors.contains(place) && errors.contains("--metrics-listen"), "{errors}");
    }
}

/// Sends a request under another name for this machine, or with one more header.
async fn ask(port: u16, path: &str, host: &str, header: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{header}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
