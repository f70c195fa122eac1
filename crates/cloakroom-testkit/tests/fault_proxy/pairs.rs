//! Faults that break the pairing of requests and replies: lost, doubled, swapped and held replies.

use cloakroom_testkit::fault_proxy::{On, Push, Scope, Times};

use super::client::{Client, PATIENCE, request, start};

fn numbers(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    numbers.into_iter().flat_map(|number| request(&format!("ECHO {number}"))).collect()
}

async fn hears(client: &mut Client, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        assert_eq!(client.reply().await, format!("$1\r\n{number}\r\n"));
    }
}

fn nth(number: u64) -> (On, Times) {
    (On::commands(["ECHO"]), Times::Nth(number))
}

#[tokio::test]
async fn a_dropped_reply_is_missing_and_the_next_comes_in_its_place() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let (on, times) = nth(2);
    let rule = proxy.drop_replies(on, times);
    client.send(numbers(1..=4)).await;
    hears(&mut client, [1, 3, 4]).await;
    client.hears_nothing().await;
    assert_eq!((rule.struck(), proxy.faulted()), (1, 1));
}

#[tokio::test]
async fn a_duplicated_reply_comes_twice() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let (on, times) = nth(2);
    let _rule = proxy.duplicate_replies(on, times);
    client.send(numbers(1..=4)).await;
    hears(&mut client, [1, 2, 2, 3, 4]).await;
    client.hears_nothing().await;
}

#[tokio::test]
async fn a_swapped_reply_lets_the_next_go_first() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let (on, times) = nth(2);
    let rule = proxy.swap_replies(on, times);
    client.send(numbers(1..=2)).await;
    hears(&mut client, [1]).await;
    rule.until_struck(1).await;
    client.hears_nothing().await;
    client.send(numbers(3..=4)).await;
    hears(&mut client, [3, 2, 4]).await;
}

#[tokio::test]
async fn a_held_reply_and_what_follows_wait_until_the_rule_ends() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect_with_resp3(&proxy).await;
    let mut other = Client::connect(&proxy).await;
    let (on, times) = nth(2);
    let rule = proxy.hold_replies(on, times);
    client.send(numbers(1..=4)).await;
    hears(&mut client, [1]).await;
    rule.until_struck(1).await;
    assert_eq!(proxy.push(Scope::All, &Push::invalidate(["a"])), 1);
    client.hears_nothing().await;
    other.send(numbers([5])).await;
    hears(&mut other, [5]).await;
    proxy.until_commands("ECHO", 5).await;
    rule.clear();
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(client.reply().await);
    }
    // Where among them the push is depends on when they came.
    assert!(heard.iter().any(|reply| reply.starts_with(">2\r\n$10\r\ninvalidate")), "{heard:?}");
    heard.retain(|reply| !reply.starts_with('>'));
    assert_eq!(heard, ["$1\r\n2\r\n", "$1\r\n3\r\n", "$1\r\n4\r\n"]);
}

#[tokio::test]
async fn one_rule_can_hold_several_replies_of_one_connection() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let first = proxy.hold_replies(On::commands(["ECHO"]).with_argument("1"), Times::UntilCleared);
    let second = proxy.hold_replies(On::commands(["ECHO"]).with_argument("3"), Times::UntilCleared);
    client.send(numbers(1..=4)).await;
    first.until_struck(1).await;
    proxy.until_commands("ECHO", 4).await;
    first.clear();
    hears(&mut client, [1, 2]).await;
    second.until_struck(1).await;
    client.hears_nothing().await;
    second.clear();
    hears(&mut client, [3, 4]).await;
}

#[tokio::test]
async fn a_reply_is_spared_when_its_rule_ends_before_it_comes() {
    let (server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let rule = proxy.drop_replies(On::commands(["ECHO"]), Times::UntilCleared);
    server.freeze();
    client.send(numbers(1..=3)).await;
    proxy.until_commands("ECHO", 3).await;
    rule.clear();
    server.thaw();
    hears(&mut client, 1..=3).await;
    assert_eq!(proxy.faulted(), 0);
}

#[tokio::test]
async fn a_held_request_arrives_late_also_when_its_client_has_gone() {
    let (server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let rule = proxy.hold_requests(On::commands(["SET"]), Times::Once);
    client.send([request("ECHO 1"), request("SET a old"), request("ECHO 2")].concat()).await;
    hears(&mut client, [1]).await;
    rule.until_struck(1).await;
    client.hears_nothing().await;
    server.ask(["SET", "a", "new"]).await.unwrap();
    drop(client);
    let mut other = Client::connect(&proxy).await;
    assert_eq!(other.ask("SET b 1").await, "+OK\r\n");
    assert_eq!(other.ask("GET a").await, "$3\r\nnew\r\n");
    rule.clear();
    let late = async { while other.ask("GET a").await != "$3\r\nold\r\n" {} };
    tokio::time::timeout(PATIENCE, late).await.unwrap();
}

#[tokio::test]
async fn requests_that_are_held_keep_their_order() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let rule = proxy.hold_requests(On::commands(["ECHO"]), Times::EveryNth(2));
    client.send(numbers(1..=5)).await;
    rule.until_struck(2).await;
    hears(&mut client, [1]).await;
    client.hears_nothing().await;
    rule.clear();
    hears(&mut client, 2..=5).await;
}
