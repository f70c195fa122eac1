//! What a Cluster's node may answer instead of an answer, one by one: a node alone, behind a proxy.

use std::time::{Duration, Instant};

use cloakroom::{Operation, SessionStorage};
use cloakroom_redis::{BreakerPolicy, RedisSessionStorage};
use cloakroom_testkit::fault_proxy::{ErrorReply, On, Times};
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{create, eventually, unused_key};

/// A Cluster of one node, which tells the proxy's port as its own.
async fn alone() -> (RedisServer, FaultProxy) {
    let proxy = FaultProxy::start(("127.0.0.1", 1)).await.unwrap();
    let port = proxy.port().to_string();
    let settings = [("cluster-enabled", "yes"), ("cluster-announce-port", &port)];
    let server = RedisServer::start_with(&settings).await.unwrap();
    proxy.forward_to(("127.0.0.1", server.port())).await.unwrap();
    let slots = (0..16_384).map(|slot| slot.to_string());
    let words = ["CLUSTER", "ADDSLOTS"].map(str::to_owned);
    server.ask(words.into_iter().chain(slots)).await.unwrap();
    eventually(Duration::from_secs(10), async || {
        server.ask(["CLUSTER", "INFO"]).await.unwrap().text().contains("cluster_state:ok")
    })
    .await;
    (server, proxy)
}

async fn connect(proxy: &FaultProxy) -> RedisSessionStorage {
    let mut breaker = BreakerPolicy::default();
    breaker.consecutive_failures = 1_000_000;
    breaker.minimum_calls = 1_000_000;
    let url = format!("redis+cluster://127.0.0.1:{}", proxy.port());
    let builder = RedisSessionStorage::builder().url(url).pool_size(2).breaker(breaker);
    builder.load_timeout(Duration::from_millis(500)).build().await.unwrap()
}

#[tokio::test]
async fn a_refusal_that_passes_is_waited_out_within_the_deadline() {
    let (_server, proxy) = alone().await;
    let storage = connect(&proxy).await;
    let key = create(&storage).await.unwrap();
    let own = |host: &str| ErrorReply::moved(1, host, proxy.port());
    for (refusal, times) in [
        (ErrorReply::TryAgain, 2),
        (ErrorReply::ClusterDown, 2),
        (ErrorReply::Loading, 2),
        (own("127.0.0.1"), 3),
        // The node that answers does not know its own address.
        (own(""), 3),
        (own("?"), 1),
        (ErrorReply::ask(1, "127.0.0.1", proxy.port()), 2),
        (ErrorReply::ask(1, "", proxy.port()), 1),
    ] {
        let reads = On::commands(["GET"]);
        let rule = proxy.refuse_commands(reads, refusal.clone(), Times::Next(times));
        assert!(storage.load(&key).await.unwrap().is_some(), "{refusal}");
        assert_eq!(rule.struck(), times, "{refusal}");
        drop(rule);
        let writes = On::commands(["EVALSHA"]);
        let _rule = proxy.refuse_commands(writes, refusal.clone(), Times::Once);
        create(&storage).await.unwrap_or_else(|error| panic!("{refusal}: {error}"));
    }
}

#[tokio::test]
async fn a_refusal_that_stays_is_a_passing_error_in_time() {
    let (_server, proxy) = alone().await;
    let storage = connect(&proxy).await;
    let limit = storage.timeout(Operation::Load).unwrap();
    for refusal in [
        ErrorReply::TryAgain,
        ErrorReply::ClusterDown,
        ErrorReply::moved(1, "", proxy.port()),
        ErrorReply::moved(1, "127.0.0.1", proxy.port()),
        ErrorReply::ask(1, "127.0.0.1", proxy.port()),
        // Nobody listens there.
        ErrorReply::moved(1, "127.0.0.1", 1),
    ] {
        let before = proxy.commands("GET");
        let rule =
            proxy.refuse_commands(On::commands(["GET"]), refusal.clone(), Times::UntilCleared);
        let begin = Instant::now();
        let error = storage.load(&unused_key()).await.unwrap_err();
        assert!(begin.elapsed() < limit * 2, "{refusal}: {:?}", begin.elapsed());
        assert!(error.is_transient(), "{refusal}: {error} {:?}", error.kind());
        let asked = proxy.commands("GET") - before;
        assert!(asked <= 30, "{refusal}: asked {asked} times");
        drop(rule);
        eventually(Duration::from_secs(5), async || storage.load(&unused_key()).await.is_ok())
            .await;
    }
}

#[tokio::test]
async fn a_commit_that_broke_is_not_applied_a_second_time_on_the_next_node() {
    use cloakroom_testkit::fault_proxy::End;
    let (_server, proxy) = alone().await;
    let storage = connect(&proxy).await;
    for _ in 0..5 {
        // Carried out, and nobody is told; the connections that follow break as well.
        let rule = proxy.cut_replies(On::commands(["EVALSHA"]), 0, End::Reset, Times::Next(2));
        create(&storage).await.unwrap();
        drop(rule);
    }
    assert_eq!(storage.stats().await.unwrap().total_sessions, 5);
}
