//! Without orders the proxy is not noticed, whatever is said through it.

use std::time::Duration;

use cloakroom_testkit::fault_proxy::{Direction, End, ErrorReply, On, Push, Scope, Times};
use cloakroom_testkit::{FaultProxy, RedisServer};
use tokio::time::Instant;

use super::client::{Client, Ended, request, request_of, start};

/// Bytes without a pattern that a wrong cut could hide.
fn noise(size: usize) -> Vec<u8> {
    let next = |state: &u32| {
        let state = state ^ (state << 13);
        let state = state ^ (state >> 17);
        Some(state ^ (state << 5))
    };
    std::iter::successors(Some(7_u32), next).map(|state| state as u8).take(size).collect()
}

#[tokio::test]
async fn a_value_of_one_megabyte_passes_unharmed() {
    let (server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let value = noise(1024 * 1024 + 7);
    client.send(request_of(&[b"SET", b"big", &value])).await;
    assert_eq!(client.reply().await, "+OK\r\n");
    assert!(server.ask(["GET", "big"]).await.unwrap().bytes().unwrap() == value);
    client.command("GET big").await;
    let expected = [format!("${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat();
    assert!(client.reply_bytes().await == expected);
}

#[tokio::test]
async fn big_values_pass_unharmed_under_rules_for_others() {
    let (_server, proxy) = start().await;
    let _rule = proxy.drop_replies(On::commands(["DEL"]), Times::UntilCleared);
    let mut client = Client::connect(&proxy).await;
    let value = noise(1024 * 1024);
    client.send(request_of(&[b"ECHO", &value])).await;
    let expected = [format!("${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat();
    assert!(client.reply_bytes().await == expected);
}

#[tokio::test]
async fn pipelines_stay_in_order() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let sent: Vec<_> = (0..5_000).flat_map(|at| request(&format!("ECHO {at}"))).collect();
    // Pieces that end inside of commands.
    for piece in sent.chunks(1013) {
        client.send(piece).await;
    }
    for at in 0..5_000 {
        let at = at.to_string();
        assert_eq!(client.reply().await, format!("${}\r\n{at}\r\n", at.len()));
    }
    assert_eq!(proxy.commands("echo"), 5_000);
}

#[tokio::test]
async fn transactions_and_inline_commands_pass() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    client.send(b"PING\r\n\r\n  set a 1 \r\n").await;
    assert_eq!(client.reply().await, "+PONG\r\n");
    assert_eq!(client.reply().await, "+OK\r\n");
    assert_eq!(client.ask("MULTI").await, "+OK\r\n");
    assert_eq!(client.ask("INCR a").await, "+QUEUED\r\n");
    assert_eq!(client.ask("GET a").await, "+QUEUED\r\n");
    assert_eq!(client.ask("EXEC").await, "*2\r\n:2\r\n$1\r\n2\r\n");
}

#[tokio::test]
async fn resp3_and_its_pushes_pass() {
    let (server, proxy) = start().await;
    let mut client = Client::connect_with_resp3(&proxy).await;
    assert_eq!(client.ask("CLIENT TRACKING on").await, "+OK\r\n");
    assert_eq!(client.ask("GET a").await, "_\r\n");
    server.ask(["SET", "a", "1"]).await.unwrap();
    assert_eq!(client.reply().await, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n");
}

#[tokio::test]
async fn rules_still_meet_their_commands_after_resp3_subscriptions() {
    let (server, proxy) = start().await;
    let mut client = Client::connect_with_resp3(&proxy).await;
    let _rule = proxy.refuse_commands(On::commands(["GET"]), ErrorReply::Oom, Times::UntilCleared);
    let all = [request("SUBSCRIBE a b"), request("GET a"), request("PING"), request("UNSUBSCRIBE")];
    client.send(all.concat()).await;
    assert_eq!(client.reply().await, ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    assert_eq!(client.reply().await, ">3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n");
    assert!(client.reply().await.starts_with("-OOM "));
    assert_eq!(client.reply().await, "+PONG\r\n");
    assert!(client.reply().await.starts_with(">3\r\n$11\r\nunsubscribe\r\n"));
    assert!(client.reply().await.starts_with(">3\r\n$11\r\nunsubscribe\r\n"));
    client.command("SUBSCRIBE c").await;
    client.reply().await;
    server.ask(["PUBLISH", "c", "x"]).await.unwrap();
    assert_eq!(client.reply().await, ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n");
    assert!(client.ask("GET a").await.starts_with("-OOM "));
}

#[tokio::test]
async fn resp2_subscriptions_and_monitors_pass() {
    let (server, proxy) = start().await;
    let _rule = proxy.drop_replies(On::commands(["GET"]), Times::UntilCleared);
    let mut client = Client::connect(&proxy).await;
    assert_eq!(client.ask("SUBSCRIBE a").await, "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    server.ask(["PUBLISH", "a", "x"]).await.unwrap();
    assert_eq!(client.reply().await, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
    let mut monitor = Client::connect(&proxy).await;
    assert_eq!(monitor.ask("MONITOR").await, "+OK\r\n");
    server.ask(["GET", "seen"]).await.unwrap();
    assert!(monitor.reply().await.contains("\"seen\""));
}

#[tokio::test]
async fn what_is_no_resp_passes_as_it_is() {
    let echo = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let proxy = FaultProxy::start(echo.local_addr().unwrap()).await.unwrap();
    let echoing = tokio::spawn(async move {
        let (mut stream, _) = echo.accept().await.unwrap();
        let (mut from, mut to) = stream.split();
        tokio::io::copy(&mut from, &mut to).await.unwrap();
    });
    let mut client = Client::connect(&proxy).await;
    // The beginning of a TLS handshake, and then anything.
    let said = [b"\x16\x03\x01\x02\x00\n*x\r\n".to_vec(), noise(300_000)].concat();
    client.send(&said).await;
    client.finish().await;
    let (heard, ended) = client.rest().await;
    assert!(heard == said && ended == Ended::Closed);
    echoing.await.unwrap();
}

#[tokio::test]
async fn the_end_of_either_side_reaches_the_other() {
    let (server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    client.command("PING").await;
    client.finish().await;
    assert_eq!(client.rest().await, (b"+PONG\r\n".to_vec(), Ended::Closed));
    let mut client = Client::connect(&proxy).await;
    client.ask("PING").await;
    drop(server);
    let (heard, _) = client.rest().await;
    assert!(heard.is_empty());
}

#[tokio::test]
async fn the_proxy_ends_with_its_value() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    client.ask("PING").await;
    let port = proxy.port();
    drop(proxy);
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
    assert_eq!(client.rest().await.0, b"");
}

#[tokio::test]
async fn clients_that_come_after_a_failover_reach_the_other_server() {
    let (one, proxy) = start().await;
    let two = RedisServer::start().await.unwrap();
    one.ask(["SET", "name", "one"]).await.unwrap();
    two.ask(["SET", "name", "two"]).await.unwrap();
    let mut early = Client::connect(&proxy).await;
    early.ask("PING").await;
    proxy.forward_to(("127.0.0.1", two.port())).await.unwrap();
    assert_eq!(early.ask("GET name").await, "$3\r\none\r\n");
    assert_eq!(Client::connect(&proxy).await.ask("GET name").await, "$3\r\ntwo\r\n");
}

/// A proxy that were to look at each byte for long, or to copy values per piece, would need many
/// times as long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_passes_in_little_time() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let value = noise(1024 * 1024);
    client.send(request_of(&[b"SET", b"big", &value])).await;
    client.reply().await;
    let begin = Instant::now();
    for _ in 0..20 {
        client.command("GET big").await;
        client.reply_bytes().await;
    }
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(10), "20 MB took {took:?}");
}

#[tokio::test]
async fn clearing_ends_all_faults_and_rules() {
    let (_server, proxy) = start().await;
    proxy.refuse_commands(On::every_command(), ErrorReply::Oom, Times::UntilCleared).keep();
    proxy.cut(Scope::All, Direction::Both, 3, End::Reset);
    proxy.refuse_connections();
    proxy.clear().unwrap();
    let mut client = Client::connect_with_resp3(&proxy).await;
    assert_eq!(client.ask("PING").await, "+PONG\r\n");
    assert_eq!(proxy.push(Scope::All, &Push::invalidate_all()), 1);
    assert_eq!(client.reply().await, ">2\r\n$10\r\ninvalidate\r\n_\r\n");
    assert_eq!(proxy.faulted(), 0);
}
