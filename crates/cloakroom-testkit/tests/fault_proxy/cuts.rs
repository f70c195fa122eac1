//! Connections that end in the middle of a request or a reply.

use cloakroom_testkit::fault_proxy::{Direction, End, On, Scope, Times};

use super::client::{Client, Ended, request, start};

const REPLY: &[u8] = b"*2\r\n$3\r\none\r\n$3\r\ntwo\r\n";

#[tokio::test]
async fn a_reply_is_cut_at_every_byte() {
    let (server, proxy) = start().await;
    server.ask(["RPUSH", "list", "one", "two"]).await.unwrap();
    for (end, ended) in [(End::Reset, Ended::Reset), (End::Close, Ended::Closed)] {
        for after in 0.. {
            let rule = proxy.cut_replies(On::commands(["LRANGE"]), after, end, Times::Once);
            let mut client = Client::connect(&proxy).await;
            assert_eq!(client.ask("PING").await, "+PONG\r\n");
            client.send([request("LRANGE list 0 -1"), request("PING")].concat()).await;
            if after >= REPLY.len() {
                assert_eq!(client.reply_bytes().await, REPLY);
                assert_eq!(client.reply().await, "+PONG\r\n");
                assert_eq!(rule.struck(), 0);
                break;
            }
            assert_eq!(client.rest().await, (REPLY[..after].to_vec(), ended_as(&ended)));
            assert_eq!(rule.struck(), 1);
        }
    }
}

fn ended_as(ended: &Ended) -> Ended {
    if *ended == Ended::Reset { Ended::Reset } else { Ended::Closed }
}

#[tokio::test]
async fn a_request_is_cut_at_every_byte_and_not_carried_out() {
    let (server, proxy) = start().await;
    let whole = request("INCR count");
    for after in 0..=whole.len() {
        let on = On::commands(["INCR"]);
        let rule = proxy.cut_requests(on, after, End::Reset, Times::Once);
        let mut client = Client::connect(&proxy).await;
        assert_eq!(client.ask("PING").await, "+PONG\r\n");
        client.send(&whole).await;
        if after == whole.len() {
            assert_eq!(client.reply().await, ":1\r\n");
            assert_eq!(rule.struck(), 0);
        } else {
            assert_eq!(client.rest().await, (Vec::new(), Ended::Reset));
            assert_eq!(rule.struck(), 1);
        }
    }
    assert_eq!(server.calls("incr").await.unwrap(), 1);
}

#[tokio::test]
async fn a_cut_reply_can_stay_silent_and_be_healed() {
    let (_server, proxy) = start().await;
    let rule = proxy.cut_replies(On::commands(["ECHO"]), 5, End::Silence, Times::Once);
    let mut client = Client::connect(&proxy).await;
    client.command("ECHO abc").await;
    rule.until_struck(1).await;
    assert_eq!(client.piece(100).await, b"$3\r\na");
    client.hears_nothing().await;
    proxy.heal(Scope::All);
    assert_eq!(client.piece(100).await, b"bc\r\n");
    assert_eq!(client.ask("PING").await, "+PONG\r\n");
}

#[tokio::test]
async fn connections_end_after_so_many_bytes_of_whatever() {
    let (server, proxy) = start().await;
    let mut open = Client::connect(&proxy).await;
    assert_eq!(open.ask("PING").await, "+PONG\r\n");
    proxy.cut(Scope::All, Direction::Replies, 10, End::Reset);
    assert_eq!(open.ask("PING").await, "+PONG\r\n");
    open.command("PING").await;
    assert_eq!(open.rest().await, (b"+PO".to_vec(), Ended::Reset));
    // A new connection counts from its first byte, and two replies in one piece end as well.
    let mut new = Client::connect(&proxy).await;
    new.send([request("PING"), request("PING")].concat()).await;
    assert_eq!(new.rest().await, (b"+PONG\r\n+PO".to_vec(), Ended::Reset));
    proxy.heal(Scope::All);
    let request = request("INCR count");
    for after in [0, 1, request.len() as u64 - 1] {
        proxy.cut(Scope::New, Direction::Requests, after, End::Close);
        let mut client = Client::connect(&proxy).await;
        client.send(&request).await;
        assert_eq!(client.rest().await.0, b"");
    }
    assert_eq!(server.calls("incr").await.unwrap(), 0);
}
