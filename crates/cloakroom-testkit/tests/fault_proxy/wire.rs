//! Slow networks: latency, jitter, slow bytes, slices and bandwidth. Each test knows a time that
//! must at least pass; none relies on a machine being quick.

use std::time::{Duration, Instant};

use cloakroom_testkit::fault_proxy::{Direction, Latency, Pace, Scope};

use super::client::{Client, request, start};

const SHORT: Duration = Duration::from_millis(30);

#[tokio::test]
async fn latency_delays_each_direction_and_can_be_ended() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    for direction in [Direction::Requests, Direction::Replies] {
        proxy.delay(Scope::All, direction, Latency::of(SHORT));
        let begin = Instant::now();
        client.ask("PING").await;
        assert!(begin.elapsed() >= SHORT, "{direction:?}");
        proxy.heal(Scope::All);
    }
    proxy.delay(Scope::All, Direction::Both, Latency::of(SHORT));
    let begin = Instant::now();
    client.ask("PING").await;
    assert!(begin.elapsed() >= 2 * SHORT);
    proxy.delay(Scope::All, Direction::Both, Latency::of(Duration::from_secs(3600)));
    client.command("PING").await;
    proxy.until_commands("PING", 4).await;
    proxy.delay(Scope::All, Direction::Both, Latency::NONE);
    assert_eq!(client.reply().await, "+PONG\r\n");
}

#[tokio::test]
async fn latency_does_not_add_up_in_a_pipeline_and_jitter_keeps_the_order() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let latency = Latency::of(Duration::from_millis(200)).with_jitter(Duration::from_millis(20));
    proxy.delay(Scope::All, Direction::Replies, latency);
    let begin = Instant::now();
    for at in 0..100 {
        client.command(&format!("ECHO {at}")).await;
    }
    for at in 0..100 {
        assert!(client.reply().await.ends_with(&format!("\n{at}\r\n")));
    }
    let took = begin.elapsed();
    assert!((Duration::from_millis(200)..Duration::from_secs(10)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn slow_bytes_come_one_by_one() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let pause = Duration::from_millis(10);
    proxy.pace(Scope::All, Direction::Replies, Pace::byte_by_byte(pause));
    let begin = Instant::now();
    client.command("PING").await;
    let mut heard = Vec::new();
    let mut pieces = 0;
    while heard.len() < 7 {
        heard.extend(client.piece(100).await);
        pieces += 1;
    }
    assert_eq!(heard, b"+PONG\r\n");
    assert!(begin.elapsed() >= 6 * pause);
    assert!(pieces > 1, "a busy machine may join some, not all");
}

#[tokio::test]
async fn slices_join_to_the_whole_in_both_directions() {
    let (server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    proxy.pace(Scope::All, Direction::Both, Pace::slices(3, Duration::ZERO));
    let value: String = ('a'..='z').cycle().take(1000).collect();
    client.send([request(&format!("SET a {value}")), request("GET a")].concat()).await;
    assert_eq!(client.reply().await, "+OK\r\n");
    assert_eq!(client.reply().await, format!("$1000\r\n{value}\r\n"));
    assert_eq!(server.ask(["GET", "a"]).await.unwrap().text(), value);
}

#[tokio::test]
async fn bandwidth_bounds_the_bytes_per_second() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    proxy.pace(Scope::All, Direction::Replies, Pace::bytes_per_second(100_000));
    let value = "x".repeat(20_000);
    let begin = Instant::now();
    client.ask(&format!("ECHO {value}")).await;
    // The pause after the last of the pieces is not waited for.
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(150), "{took:?}");
    proxy.pace(Scope::All, Direction::Replies, Pace::FREE);
    client.ask("PING").await;
}
