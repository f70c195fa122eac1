//! What `cloakroom bench` measures, and that it leaves nothing behind, however it ends.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod process;
}

use std::process::Stdio;
use std::time::Duration;

use cloakroom_testkit::fault_proxy::{ErrorReply, On, Times};
use cloakroom_testkit::{ClusterSet, FaultProxy, RedisServer, SentinelSet};
use serde_json::Value;
use support::process::{cloakroom, run_command, run_with};

const PHASES: [&str; 5] = ["sign in", "read", "write", "mixed", "sign out"];

async fn keys(server: &RedisServer) -> i64 {
    server.ask(["DBSIZE"]).await.unwrap().number()
}

#[tokio::test]
async fn every_phase_is_measured_and_nothing_is_left() {
    let server = RedisServer::start().await.unwrap();
    server.ask(["SET", "cloakroom:session:of-somebody-else", "x"]).await.unwrap();
    let asked =
        ["bench", "--url", &server.plain_url(), "--seconds", "1", "--sessions", "100", "--json"];
    let left = run_command(&asked).await;
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    let told: Value = serde_json::from_str(&left.output).unwrap();
    let keys_of = |value: &Value| {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort_unstable();
        keys.join(" ")
    };
    let of_all = "concurrency phases place session_bytes sessions sessions_asked_for";
    assert_eq!(keys_of(&told), of_all);
    let phases = told["phases"].as_array().unwrap();
    let names: Vec<_> = phases.iter().map(|phase| phase["name"].as_str().unwrap()).collect();
    assert_eq!(names, PHASES);
    for phase in phases {
        let of_each = "failed longest_micros name operations p50_micros p999_micros p99_micros \
                       per_second seconds";
        assert_eq!(keys_of(phase), of_each);
        let number = |name: &str| phase[name].as_u64().unwrap();
        assert_eq!(number("failed"), 0, "{phase}");
        assert!(number("operations") > 0 && number("per_second") > 0, "{phase}");
        let times = ["p50_micros", "p99_micros", "p999_micros", "longest_micros"].map(number);
        assert!(times[0] > 0 && times.is_sorted(), "{phase}");
    }
    assert_eq!((&phases[0]["operations"], &phases[4]["operations"]), (&100.into(), &100.into()));
    // It went through the scripts, and did not touch what is not its own.
    assert!(server.calls("evalsha").await.unwrap() > 100);
    assert_eq!(keys(&server).await, 1);
}

#[tokio::test]
async fn people_are_told_in_words() {
    let server = RedisServer::start().await.unwrap();
    let (url, few) = (server.plain_url(), ["--seconds", "1", "--sessions", "10"]);
    let left = run_command(&[&["bench", "--url", &url][..], &few].concat()).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    for phase in PHASES {
        assert!(left.output.lines().any(|line| line.starts_with(phase)), "{}", left.output);
    }
    assert!(left.output.contains("This installation serves about "), "{}", left.output);
    // Each works on sessions of its own, so there are no more at once than sessions.
    assert!(left.output.contains("10 requests at once on 10 sessions"), "{}", left.output);
    assert_eq!(keys(&server).await, 0);
}

#[tokio::test]
async fn sessions_that_there_was_no_time_to_make_are_neither_read_nor_ended() {
    let server = RedisServer::start().await.unwrap();
    let url = server.plain_url();
    let many = ["bench", "--url", &url, "--seconds", "1", "--sessions", "1000000"];
    let left = run_command(&[&many[..], &["--json"]].concat()).await;
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    let told: Value = serde_json::from_str(&left.output).unwrap();
    let operations = |phase: usize| told["phases"][phase]["operations"].as_u64().unwrap();
    let made = told["sessions"].as_u64().unwrap();
    assert!(0 < made && made < 1_000_000, "{told}");
    assert_eq!((made, &told["sessions_asked_for"]), (operations(0), &1_000_000.into()));
    assert!(operations(4) <= made, "{told}");
    assert!(told["phases"].as_array().unwrap().iter().all(|phase| phase["failed"] == 0), "{told}");
    assert_eq!(keys(&server).await, 0);
    let left = run_command(&many).await;
    assert!(left.output.contains("1,000,000 were asked for"), "{}", left.output);
}

#[tokio::test]
async fn operations_that_fail_are_told_with_their_reason_and_end_with_one() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let _full = proxy.refuse_commands(On::commands(["EVALSHA"]), ErrorReply::Oom, Times::Next(3));
    let few = ["--seconds", "1", "--sessions", "100", "--json"];
    let left = run_command(&[&["bench", "--url", &proxy.url()][..], &few].concat()).await;
    assert_eq!(left.status.code(), Some(1), "{left:?}");
    assert!(left.errors.contains("operations that failed: 3;"), "{left:?}");
    assert!(left.errors.contains("out of memory"), "{left:?}");
    let told: Value = serde_json::from_str(&left.output).unwrap();
    // What could not be made is not read.
    let failed: Vec<_> =
        told["phases"].as_array().unwrap().iter().map(|it| &it["failed"]).collect();
    assert_eq!(failed, [3, 0, 0, 0, 0]);
    assert_eq!(told["sessions"], 97);
    assert_eq!(keys(&server).await, 0);
}

#[tokio::test]
async fn an_interrupted_run_removes_what_it_has_made() {
    let server = RedisServer::start().await.unwrap();
    for signal in ["INT", "TERM"] {
        let url = server.plain_url();
        let asked = ["bench", "--url", &url, "--seconds", "60", "--sessions", "500"];
        let mut command = cloakroom(&[], &asked);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let made = async {
            while keys(&server).await < 500 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), made).await.unwrap();
        // While they are there everybody can see whose they are, and that they will end.
        let name = server.ask(["RANDOMKEY"]).await.unwrap().text();
        assert!(name.starts_with("cloakroom:session:bench:"), "{name}");
        let life = server.ask(["PTTL", &name]).await.unwrap().number();
        assert!((1..=300_000).contains(&life), "{life}");
        let process = child.id().unwrap().to_string();
        let kill =
            tokio::process::Command::new("kill").arg(format!("-{signal}")).arg(process).status();
        assert!(kill.await.unwrap().success());
        let left = child.wait_with_output().await.unwrap();
        let errors = String::from_utf8(left.stderr).unwrap();
        assert_eq!((left.status.code(), left.stdout.len()), (Some(130), 0), "{errors}");
        assert!(errors.contains("everything that was made is removed"), "{errors}");
        assert_eq!(keys(&server).await, 0);
    }
}

#[tokio::test]
async fn another_machine_is_not_loaded_without_a_yes() {
    let url = "redis://192.0.2.1:6379?plaintext=allow";
    let left = run_command(&["bench", "--url", url]).await;
    assert_eq!((left.status.code(), left.output.as_str()), (Some(2), ""), "{left:?}");
    assert!(left.errors.contains("192.0.2.1:6379") && left.errors.contains("--yes"), "{left:?}");
}

#[tokio::test]
async fn sentinels_on_this_machine_may_name_another_and_are_not_believed_without_a_yes() {
    let set = SentinelSet::start().await.unwrap();
    let primary = set.primary().await.unwrap();
    let before = primary.calls("evalsha").await.unwrap();
    let (url, few) = (set.plain_url(), ["--seconds", "1", "--sessions", "10"]);
    let left = run_command(&[&["bench", "--url", &url][..], &few].concat()).await;
    assert_eq!((left.status.code(), left.output.as_str()), (Some(2), ""), "{left:?}");
    assert_eq!(primary.calls("evalsha").await.unwrap(), before);
    let left = run_command(&[&["bench", "--url", &url, "--yes"][..], &few].concat()).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_one_line() {
    let server = RedisServer::start_with(&[("maxmemory", "1")]).await.unwrap();
    let asked = ["bench", "--url", &server.plain_url(), "--seconds", "1", "--sessions", "10"];
    let left = run_command(&asked).await;
    assert_eq!((left.status.code(), left.output.as_str()), (Some(1), ""), "{left:?}");
    assert!(left.errors.contains("out of memory"), "{left:?}");
    assert_eq!(left.errors.lines().count(), 1, "{left:?}");
}

#[tokio::test]
async fn a_replica_is_not_said_to_hold_what_was_never_made() {
    let primary = RedisServer::start().await.unwrap();
    let of = format!("127.0.0.1 {}", primary.port());
    let replica = RedisServer::start_with(&[("replicaof", &of)]).await.unwrap();
    let asked = ["bench", "--url", &replica.plain_url(), "--seconds", "1", "--sessions", "10"];
    let left = run_command(&asked).await;
    assert_eq!((left.status.code(), left.output.as_str()), (Some(1), ""), "{left:?}");
    assert!(left.errors.contains("read-only replica"), "{left:?}");
    assert!(!left.errors.contains("could not be removed"), "{left:?}");
}

#[tokio::test]
async fn a_cluster_is_measured_and_left_empty() {
    let cluster = ClusterSet::start().await.unwrap();
    let asked = ["bench", "--seconds", "1", "--sessions", "100", "--yes", "--json"];
    let left = run_with(&[("CLOAKROOM_REDIS_URL", &cluster.plain_url())], &asked).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    for primary in cluster.primaries().await {
        assert!(primary.calls("evalsha").await.unwrap() > 0);
        assert_eq!(keys(primary).await, 0);
    }
}
