//! Servers that do not let anybody in, or stop answering, and what that costs.

use std::time::{Duration, Instant};

use cloakroom::ConfigErrorKind;
use cloakroom_redis::{AclRule, DEFAULT_PREFIX, Examination, Severity, Topic, Verdict};
use cloakroom_testkit::fault_proxy::{Direction, Latency, On, Scope, Times};
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{
    SECRET, assert_found, assert_helps, config, examine, examine_as, on, sound, verdict,
};

#[tokio::test]
async fn a_wrong_password_and_a_missing_one_are_told_apart_from_a_dead_server() {
    let server = RedisServer::builder().password("something-else").start().await.unwrap();
    for url in [server.url_as("default", SECRET), format!("redis://127.0.0.1:{}", server.port())] {
        let diagnosis = examine(url).await;
        assert_helps(&diagnosis, Verdict::NotExamined);
        let words = ["refused the credentials", "check user name, password"];
        assert_found(&diagnosis, Topic::Reachability, Severity::Error, &words);
    }
}

#[tokio::test]
async fn a_refused_port_says_what_to_check() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let host = free.local_addr().unwrap().to_string();
    drop(free);
    let diagnosis = examine(format!("redis://user:{SECRET}@{host}")).await;
    assert_helps(&diagnosis, Verdict::NotExamined);
    let words = [host.as_str(), "connection refused", "check host and port"];
    assert_found(&diagnosis, Topic::Reachability, Severity::Error, &words);
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_is_an_error() {
    let error = Examination::new(config("http://localhost")).run().await.unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Invalid);
    let mut spaced = config("redis://localhost");
    spaced.prefix = "two words:".to_owned();
    let error = Examination::new(spaced).run().await.unwrap_err();
    assert_eq!(error.problems()[0].field, "prefix");
}

#[tokio::test]
async fn a_frozen_server_costs_one_timeout() {
    let server = sound().start().await.unwrap();
    server.freeze();
    let start = Instant::now();
    let diagnosis = examine(server.plain_url()).await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    server.thaw();
    assert_helps(&diagnosis, Verdict::NotExamined);
    let words = ["did not answer", "check that the server is running"];
    assert_found(&diagnosis, Topic::Reachability, Severity::Error, &words);
}

#[tokio::test]
async fn a_server_that_freezes_in_the_midst_costs_one_timeout_and_keeps_what_it_has_told() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let _silent = proxy.drop_replies(On::commands(["ACL"]), Times::UntilCleared);
    let start = Instant::now();
    let diagnosis = examine(proxy.url()).await;
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(verdict(&diagnosis), Verdict::Errors, "{diagnosis:#?}");
    let words = ["in the midst", "did not answer within 1s", "frozen"];
    assert_found(&diagnosis, Topic::Reachability, Severity::Error, &words);
    assert_found(&diagnosis, Topic::Role, Severity::Ok, &[]);
    assert_found(&diagnosis, Topic::Eviction, Severity::Ok, &[]);
    assert!(on(&diagnosis, Topic::Latency).is_empty());
}

#[tokio::test]
async fn a_server_that_is_slow_with_every_answer_ends_in_time_and_keeps_what_it_has_told() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    // Each answer is in time, and there are dozens of them.
    proxy.delay(Scope::All, Direction::Replies, Latency::of(Duration::from_millis(250)));
    let start = Instant::now();
    let diagnosis = examine(proxy.url()).await;
    // A second for the connection, and five of a second each.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(verdict(&diagnosis), Verdict::Errors, "{diagnosis:#?}");
    let words = ["in the midst", "6s were over", "left out"];
    assert_found(&diagnosis, Topic::Reachability, Severity::Error, &words);
    assert_found(&diagnosis, Topic::Role, Severity::Ok, &[]);
}

#[tokio::test]
async fn plain_text_beyond_this_machine_is_a_warning() {
    let server = sound().setting("bind", "0.0.0.0").start().await.unwrap();
    let Some(address) = own_address() else { return };
    let port = server.port();
    let url = format!("redis://:{SECRET}@{address}:{port}?plaintext=allow");
    let diagnosis = examine(url).await;
    assert_helps(&diagnosis, Verdict::Warnings);
    assert_found(&diagnosis, Topic::Encryption, Severity::Warning, &["another machine", "rediss"]);
}

#[tokio::test]
async fn a_door_that_is_open_to_other_machines_is_an_error_whatever_the_user_may_ask() {
    let rules = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap().access_string();
    let server = RedisServer::builder().setting("bind", "0.0.0.0").setting("protected-mode", "no");
    let server = server.user("app", SECRET, &rules).start().await.unwrap();
    let Some(address) = own_address() else { return };
    let url = format!("redis://app:{SECRET}@{address}:{}?plaintext=allow", server.port());
    let diagnosis = examine(url).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::User, Severity::Error, &["from other machines too"]);
}

/// An address of this machine that is not a loopback one; none without a network.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    // Nothing is sent.
    socket.connect(("192.0.2.1", 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[tokio::test]
async fn a_near_cache_that_is_wanted_and_cannot_be_had_is_an_error() {
    let server = sound().start().await.unwrap();
    let url = format!("{}?protocol=resp2", server.plain_url());
    let diagnosis = examine(url.clone()).await;
    assert_found(&diagnosis, Topic::NearCache, Severity::Info, &["RESP2", "protocol=resp2"]);
    let mut wanted = config(url);
    wanted.near_cache = Some(cloakroom_redis::NearCache::default());
    let diagnosis = examine_as(wanted).await;
    assert_found(&diagnosis, Topic::NearCache, Severity::Error, &["RESP2"]);
}
