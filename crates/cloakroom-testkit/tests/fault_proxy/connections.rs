//! Faults of whole connections: silent, refused, reset, closed, half-closed.

use std::io::ErrorKind;

use cloakroom_testkit::RedisServer;
use cloakroom_testkit::fault_proxy::{Direction, Scope};

use super::client::{Client, Ended, PATIENCE, start};

async fn works(client: &mut Client) {
    assert_eq!(client.ask("PING").await, "+PONG\r\n");
}

#[tokio::test]
async fn a_black_hole_for_open_connections_spares_new_ones() {
    let (server, proxy) = start().await;
    let mut old = Client::connect(&proxy).await;
    works(&mut old).await;
    proxy.black_hole(Scope::OpenNow, Direction::Both);
    old.command("INCR a").await;
    old.hears_nothing().await;
    works(&mut Client::connect(&proxy).await).await;
    assert_eq!(server.calls("incr").await.unwrap(), 0);
    proxy.heal(Scope::All);
    assert_eq!(old.reply().await, ":1\r\n");
    works(&mut old).await;
}

#[tokio::test]
async fn open_and_accepted_connections_are_counted() {
    let (_server, proxy) = start().await;
    assert_eq!((proxy.open(), proxy.accepted()), (0, 0));
    let mut one = Client::connect(&proxy).await;
    let mut two = Client::connect(&proxy).await;
    works(&mut one).await;
    works(&mut two).await;
    assert_eq!((proxy.open(), proxy.accepted(), proxy.commands("ping")), (2, 2, 2));
    proxy.close(Scope::LastUsed);
    assert_eq!(two.rest().await.1, Ended::Closed);
    assert_eq!((proxy.open(), proxy.accepted()), (1, 2));
    works(&mut one).await;
}

#[tokio::test]
async fn a_black_hole_for_all_accepts_and_says_nothing() {
    let (server, proxy) = start().await;
    let before = server.ask(["INFO", "stats"]).await.unwrap().text();
    proxy.black_hole(Scope::All, Direction::Both);
    let mut new = Client::connect(&proxy).await;
    new.command("PING").await;
    proxy.until_accepted(1).await;
    new.hears_nothing().await;
    let received = |info: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        line.and_then(|number| number.parse::<u64>().ok()).unwrap()
    };
    let after = server.ask(["INFO", "stats"]).await.unwrap().text();
    assert_eq!(received(&after), received(&before) + 1, "only the one that asks");
    proxy.heal(Scope::All);
    assert_eq!(new.reply().await, "+PONG\r\n");
}

#[tokio::test]
async fn a_black_hole_can_be_for_one_direction_or_for_the_connection_used_last() {
    let (server, proxy) = start().await;
    let (mut one, mut two) = (Client::connect(&proxy).await, Client::connect(&proxy).await);
    works(&mut two).await;
    works(&mut one).await;
    proxy.black_hole(Scope::LastUsed, Direction::Replies);
    one.command("INCR a").await;
    one.hears_nothing().await;
    works(&mut two).await;
    assert_eq!(server.calls("incr").await.unwrap(), 1);
    proxy.heal(Scope::All);
    assert_eq!(one.reply().await, ":1\r\n");
}

#[tokio::test]
async fn a_dead_server_is_not_noticed_through_a_black_hole() {
    let (server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    works(&mut client).await;
    proxy.black_hole(Scope::All, Direction::Both);
    server.kill();
    client.hears_nothing().await;
    let mut new = Client::connect(&proxy).await;
    new.command("PING").await;
    new.hears_nothing().await;
    proxy.heal(Scope::All);
    assert_eq!(client.rest().await.0, b"");
    assert_eq!(new.rest().await, (Vec::new(), Ended::Reset));
}

#[tokio::test]
async fn a_client_that_leaves_a_black_hole_leaves_the_server_too() {
    let (server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    works(&mut client).await;
    proxy.black_hole(Scope::All, Direction::Both);
    drop(client);
    let leaves =
        async { while server.ask(["CLIENT", "LIST"]).await.unwrap().text().lines().count() > 1 {} };
    tokio::time::timeout(PATIENCE, leaves).await.unwrap();
}

#[tokio::test]
async fn refused_connections_are_refused_at_once_and_accepted_again() {
    let (_server, proxy) = start().await;
    let mut open = Client::connect(&proxy).await;
    works(&mut open).await;
    for _ in 0..3 {
        proxy.refuse_connections();
        let refused = Client::try_connect(&proxy).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        works(&mut open).await;
        proxy.accept_connections().unwrap();
        works(&mut Client::connect(&proxy).await).await;
    }
}

#[tokio::test]
async fn a_reset_strikes_whom_it_is_for_and_nothing_sent_after_it_is_carried_out() {
    let (server, proxy) = start().await;
    let (mut one, mut two) = (Client::connect(&proxy).await, Client::connect(&proxy).await);
    works(&mut two).await;
    works(&mut one).await;
    proxy.reset(Scope::LastUsed);
    one.command("INCR a").await;
    assert_eq!(one.rest().await, (Vec::new(), Ended::Reset));
    works(&mut two).await;
    proxy.reset(Scope::OpenNow);
    proxy.heal(Scope::All);
    assert_eq!(two.rest().await, (Vec::new(), Ended::Reset));
    works(&mut Client::connect(&proxy).await).await;
    assert_eq!(server.calls("incr").await.unwrap(), 0);
    proxy.reset(Scope::New);
    assert_eq!(Client::connect(&proxy).await.rest().await, (Vec::new(), Ended::Reset));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_holds_for_everything_sent_after_it_also_on_many_threads() {
    let (server, proxy) = start().await;
    for _ in 0..100 {
        let mut client = Client::connect(&proxy).await;
        works(&mut client).await;
        proxy.black_hole(Scope::OpenNow, Direction::Requests);
        client.command("INCR a").await;
        proxy.reset(Scope::OpenNow);
        client.try_command("INCR a").await;
    }
    works(&mut Client::connect(&proxy).await).await;
    assert_eq!(server.calls("incr").await.unwrap(), 0);
}

#[tokio::test]
async fn a_close_is_orderly() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    works(&mut client).await;
    proxy.close(Scope::All);
    assert_eq!(client.rest().await, (Vec::new(), Ended::Closed));
}

#[tokio::test]
async fn a_half_closed_connection_still_brings_requests_to_the_server() {
    let (server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    works(&mut client).await;
    proxy.half_close(Scope::OpenNow, Direction::Replies);
    client.command("INCR a").await;
    proxy.until_commands("INCR", 1).await;
    let arrives = async { while server.calls("incr").await.unwrap() < 1 {} };
    tokio::time::timeout(PATIENCE, arrives).await.unwrap();
    assert_eq!(client.rest().await, (Vec::new(), Ended::Closed));
    works(&mut Client::connect(&proxy).await).await;
}

#[tokio::test]
async fn a_server_ends_a_connection_whose_requests_are_half_closed() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    works(&mut client).await;
    proxy.half_close(Scope::OpenNow, Direction::Requests);
    assert_eq!(client.rest().await, (Vec::new(), Ended::Closed));
}

#[tokio::test]
async fn a_server_that_is_away_is_found_again_on_the_same_port() {
    let (server, proxy) = start().await;
    let port = server.port();
    drop(server);
    assert_eq!(Client::connect(&proxy).await.rest().await, (Vec::new(), Ended::Reset));
    let _server = RedisServer::start_on(port).await.unwrap();
    works(&mut Client::connect(&proxy).await).await;
}
