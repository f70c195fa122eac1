//! The Clusters that tests start really fail over and reshard, and lose nothing on the way.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod process;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cloakroom_testkit::{
    Certificates, ClientCertificate, ClusterSet, Persistence, RedisServer, Reply,
};

use process::is_alive;

async fn set(server: &RedisServer, key: &str, value: &str) {
    assert_eq!(server.ask(["SET", key, value]).await.unwrap(), Reply::Status("OK".to_owned()));
}

async fn value(server: &RedisServer, key: &str) -> String {
    server.ask(["GET", key]).await.unwrap().text()
}

/// Waits until a replica has as many keys as it should; it sends readers of values away.
async fn receives(replica: &RedisServer, keys: i64) {
    let receiving = async {
        while replica.ask(["DBSIZE"]).await.unwrap().number() != keys {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), receiving).await.unwrap();
}

fn redis_cli(server: &RedisServer, arguments: &[&str]) -> String {
    let port = server.port().to_string();
    let output = Command::new("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[tokio::test]
async fn every_slot_is_served_by_one_of_three_primaries_that_have_a_replica_each() {
    let cluster = ClusterSet::start().await.unwrap();
    let mut served = BTreeMap::new();
    for slot in (0..ClusterSet::SLOTS).step_by(997).chain([ClusterSet::SLOTS - 1]) {
        *served.entry(cluster.owner(slot).await.unwrap().port()).or_insert(0) += 1;
    }
    assert_eq!(served.len(), 3, "{served:?}");
    for primary in cluster.primaries().await {
        assert_eq!(cluster.replicas_of(primary).await.unwrap().len(), 1);
    }
    assert!(cluster.owner(ClusterSet::SLOTS).await.is_err());
    let hosts: Vec<_> =
        cluster.nodes().iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    assert!(cluster.plain_url().ends_with(&hosts.join(",")));
    let slot = cluster.slot("a").await.unwrap();
    let (owner, other) = (cluster.owner(slot).await.unwrap(), cluster.owner(0).await.unwrap());
    assert_ne!(owner.port(), other.port());
    let Reply::Error(moved) = other.ask(["GET", "a"]).await.unwrap() else { panic!() };
    assert_eq!(moved, format!("MOVED {slot} 127.0.0.1:{}", owner.port()));
}

#[tokio::test]
async fn a_killed_primary_is_replaced_and_comes_back_as_a_replica() {
    let data = RedisServer::builder().persistence(Persistence::EverySecond);
    let cluster = ClusterSet::builder().nodes(data).start().await.unwrap();
    let slot = cluster.slot("a").await.unwrap();
    let old = cluster.owner(slot).await.unwrap();
    set(old, "a", "1").await;
    receives(cluster.replicas_of(old).await.unwrap()[0], 1).await;
    old.kill_now();
    let new = cluster.owner_after(slot, old).await.unwrap();
    assert_ne!(new.port(), old.port());
    assert_eq!(value(new, "a").await, "1");
    set(new, "a", "2").await;
    old.restart().await.unwrap();
    cluster.settled().await.unwrap();
    assert_eq!(old.info("replication", "role").await.unwrap(), "slave");
    let again = from_any_task(cluster.fail_over(new)).await.unwrap();
    assert_eq!((again.port(), value(again, "a").await), (old.port(), "2".to_owned()));
}

#[tokio::test]
async fn a_frozen_primary_is_replaced_and_gives_way_once_thawed() {
    let cluster = from_any_task(ClusterSet::start()).await.unwrap();
    let old = cluster.owner(0).await.unwrap();
    old.freeze();
    let new = cluster.owner_after(0, old).await.unwrap();
    old.thaw();
    cluster.settled().await.unwrap();
    assert_eq!(cluster.owner(0).await.unwrap().port(), new.port());
    assert_eq!(old.info("replication", "role").await.unwrap(), "slave");
}

#[tokio::test]
async fn a_slot_on_its_way_sends_clients_after_its_keys() {
    let cluster = ClusterSet::start().await.unwrap();
    let slot = cluster.slot("{a}1").await.unwrap();
    let (from, to) = (cluster.owner(slot).await.unwrap(), cluster.owner(0).await.unwrap());
    set(from, "{a}1", "1").await;
    cluster.begin_moving(slot, from, to).await.unwrap();
    assert_eq!(value(from, "{a}1").await, "1");
    let Reply::Error(ask) = from.ask(["GET", "{a}2"]).await.unwrap() else { panic!() };
    assert_eq!(ask, format!("ASK {slot} 127.0.0.1:{}", to.port()));
    let Reply::Error(again) = from.ask(["MGET", "{a}1", "{a}2"]).await.unwrap() else { panic!() };
    assert!(again.starts_with("TRYAGAIN"), "{again}");
    cluster.finish_moving(slot, from, to).await.unwrap();
    let Reply::Error(moved) = from.ask(["GET", "{a}1"]).await.unwrap() else { panic!() };
    assert_eq!(moved, format!("MOVED {slot} 127.0.0.1:{}", to.port()));
    assert_eq!(value(to, "{a}1").await, "1");
    cluster.settled().await.unwrap();
}

/// A fault may come from a task of its own, beside those that make the load.
fn from_any_task<T: Send>(fault: T) -> T {
    fault
}

/// Some hash tags whose slots a node serves.
async fn slots_of(cluster: &ClusterSet, node: &RedisServer) -> BTreeMap<String, u16> {
    let mut slots = BTreeMap::new();
    for tag in (0..).map(|number: u32| number.to_string()) {
        let slot = cluster.slot(&tag).await.unwrap();
        if cluster.owner(slot).await.unwrap().port() == node.port() {
            slots.insert(tag, slot);
        }
        if slots.len() == 30 {
            break;
        }
    }
    slots
}

/// Sends a command as a Cluster client does, and counts how it was sent on.
async fn follow(
    cluster: &ClusterSet,
    from: &RedisServer,
    words: &[&str],
    sent_on: &mut BTreeMap<String, usize>,
) -> Reply {
    let mut reply = from.ask(words).await.unwrap();
    for _ in 0..20 {
        let Reply::Error(error) = &reply else { return reply };
        let parts: Vec<_> = error.split(' ').collect();
        *sent_on.entry(parts[0].to_owned()).or_default() += 1;
        let [kind @ ("MOVED" | "ASK"), _, address] = parts[..] else { panic!("{error}") };
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        let node = cluster.node(port).unwrap();
        reply =
            if kind == "ASK" { asking(node, words).await } else { node.ask(words).await.unwrap() };
    }
    panic!("sent round in circles: {reply:?}");
}

/// Sends `ASKING` and a command on one connection, which `RedisServer::ask` does not do.
async fn asking(node: &RedisServer, words: &[&str]) -> Reply {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let line = format!("ASKING\r\n{}\r\n", words.join(" "));
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", node.port())).await.unwrap();
    stream.write_all(line.as_bytes()).await.unwrap();
    let mut said = String::new();
    while said.matches("\r\n").count() < 2 {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).await.unwrap();
        assert!(read > 0, "{said}");
        said.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    match said.lines().nth(1).unwrap().split_at(1) {
        ("-", error) => Reply::Error(error.to_owned()),
        (_, status) => Reply::Status(status.to_owned()),
    }
}

#[tokio::test]
async fn resharding_under_a_stream_of_writes_loses_nothing() {
    let cluster = ClusterSet::start().await.unwrap();
    let [from, to, _] = cluster.primaries().await[..] else { panic!() };
    let slots = slots_of(&cluster, from).await;
    let moved = AtomicBool::new(false);
    let moving = async {
        for &slot in slots.values() {
            cluster.begin_moving(slot, from, to).await.unwrap();
        }
        for &slot in slots.values() {
            cluster.finish_moving(slot, from, to).await.unwrap();
        }
        for &slot in slots.values() {
            from_any_task(cluster.move_slots(slot..=slot, to, from)).await.unwrap();
        }
        moved.store(true, Ordering::Relaxed);
    };
    let writing = async {
        let (mut written, mut sent_on) = (BTreeMap::new(), BTreeMap::new());
        for (number, tag) in slots.keys().cycle().enumerate() {
            if moved.load(Ordering::Relaxed) {
                break;
            }
            // A new key is sent on to where its slot goes, and an old one is not.
            let key = format!("{{{tag}}}{}", number / slots.len() / 3);
            let value = number.to_string();
            let reply = follow(&cluster, to, &["SET", &key, &value], &mut sent_on).await;
            assert_eq!(reply, Reply::Status("OK".to_owned()), "{key}");
            written.insert(key, value);
        }
        (written, sent_on)
    };
    let ((), (written, mut sent_on)) = tokio::join!(moving, writing);
    assert!(sent_on.contains_key("MOVED") && sent_on.contains_key("ASK"), "{sent_on:?}");
    cluster.settled().await.unwrap();
    for &slot in slots.values() {
        assert_eq!(cluster.owner(slot).await.unwrap().port(), from.port());
    }
    assert!(written.len() > slots.len());
    for (key, value) in written {
        let reply = follow(&cluster, from, &["GET", &key], &mut sent_on).await;
        assert_eq!(reply.text(), value, "{key}");
    }
}

#[tokio::test]
async fn passwords_and_users_hold_on_every_node_and_between_them() {
    let node = RedisServer::builder().password("secret").user("app", "pw", "~* -@all +get");
    let cluster = ClusterSet::builder().nodes(node).start().await.unwrap();
    assert!(cluster.url().starts_with("redis+cluster://app:pw@127.0.0.1:"));
    assert!(cluster.plain_url().starts_with("redis+cluster://default:secret@127.0.0.1:"));
    for node in cluster.nodes() {
        assert!(redis_cli(node, &["GET", "a"]).contains("NOAUTH"));
    }
    let slot = cluster.slot("a").await.unwrap();
    let (from, to) = (cluster.owner(slot).await.unwrap(), cluster.owner(0).await.unwrap());
    set(from, "a", "1").await;
    cluster.move_slots(slot..=slot, from, to).await.unwrap();
    assert_eq!(value(to, "a").await, "1");
}

#[tokio::test]
async fn nodes_can_speak_tls_with_each_other() {
    let certificates = Certificates::create().unwrap();
    let node = RedisServer::builder().tls(&certificates, ClientCertificate::Required);
    let cluster = ClusterSet::builder().nodes(node).start().await.unwrap();
    assert!(cluster.url().starts_with("rediss+cluster://"));
    let slot = cluster.slot("a").await.unwrap();
    let (from, to) = (cluster.owner(slot).await.unwrap(), cluster.owner(0).await.unwrap());
    set(from, "a", "1").await;
    cluster.move_slots(slot..=slot, from, to).await.unwrap();
    assert_eq!(value(to, "a").await, "1");
}

#[tokio::test]
async fn all_nodes_end_with_the_cluster_even_frozen_ones() {
    let cluster = ClusterSet::start().await.unwrap();
    let processes: Vec<_> = cluster.nodes().iter().map(|node| node.process_id().unwrap()).collect();
    assert_eq!(processes.len(), 6);
    cluster.nodes()[1].freeze();
    assert!(processes.iter().all(|&process| is_alive(process)));
    drop(cluster);
    assert!(!processes.iter().any(|&process| is_alive(process)));
}
