//! Servers that no test can have: far away, old, with another clock, or not quite Redis. A proxy
//! before a real one makes them.

use std::time::Duration;

use cloakroom_redis::{Diagnosis, Severity, Topic, Verdict};
use cloakroom_testkit::fault_proxy::{Answer, Direction, ErrorReply, Latency, On, Scope, Times};
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{assert_found, assert_helps, examine, on};

async fn before() -> (RedisServer, FaultProxy) {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    (server, proxy)
}

/// A server that tells this about itself.
async fn telling(info: &str) -> Diagnosis {
    let (_server, proxy) = before().await;
    let on_info = On::commands(["INFO"]);
    let _told = proxy.answer_commands(on_info, &Answer::value(info), Times::UntilCleared);
    examine(proxy.url()).await
}

#[tokio::test]
async fn a_server_that_is_far_away_is_a_warning() {
    let (_server, proxy) = before().await;
    proxy.delay(Scope::All, Direction::Replies, Latency::of(Duration::from_millis(8)));
    let diagnosis = examine(proxy.url()).await;
    let words = ["PING", "ms in the median", "near-cache"];
    assert_found(&diagnosis, Topic::Latency, Severity::Warning, &words);
}

#[tokio::test]
async fn another_clock_is_good_to_know_and_no_more() {
    for (seconds, word) in [("1000000000", "behind"), ("4000000000", "ahead of")] {
        let (_server, proxy) = before().await;
        let time = Answer::list([Answer::value(seconds), Answer::value("0")]);
        let _told = proxy.answer_commands(On::commands(["TIME"]), &time, Times::UntilCleared);
        let diagnosis = examine(proxy.url()).await;
        let found = assert_found(&diagnosis, Topic::Clock, Severity::Info, &[word]);
        assert!(found.why.contains("the server's clock"), "{found:?}");
    }
}

#[tokio::test]
async fn an_old_server_and_one_that_still_loads_are_errors() {
    let diagnosis = telling("redis_version:6.0.16\r\nrole:master\r\n").await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::Version, Severity::Error, &["6.0.16", "6.2 or later"]);
    let diagnosis = telling("redis_version:8.4.0\r\nrole:master\r\nloading:1\r\n").await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::Role, Severity::Error, &["reads its data"]);
}

#[tokio::test]
async fn a_hole_that_the_makers_have_mended_is_told_by_its_number() {
    let diagnosis = telling("redis_version:7.4.5\r\nrole:master\r\n").await;
    let found = assert_found(&diagnosis, Topic::Version, Severity::Info, &["Redis 7.4.5", "hole"]);
    assert!(found.why.contains("CVE-2025-49844"), "{found:?}");
    let diagnosis = telling("redis_version:7.2.4\r\nvalkey_version:9.0.0\r\nrole:master\r\n").await;
    assert_eq!(on(&diagnosis, Topic::Version).len(), 1, "{diagnosis:#?}");
    assert_found(&diagnosis, Topic::Version, Severity::Ok, &["Valkey 9.0.0"]);
}

#[tokio::test]
async fn a_server_that_stands_still_to_save_is_told() {
    let info = "redis_version:8.4.0\r\nrole:master\r\nlatest_fork_usec:";
    for (micros, severity) in
        [("900", Severity::Ok), ("80000", Severity::Info), ("400000", Severity::Warning)]
    {
        let diagnosis = telling(&format!("{info}{micros}\r\n")).await;
        assert_found(&diagnosis, Topic::Forks, severity, &["stood still"]);
    }
}

#[tokio::test]
async fn settings_that_a_hosted_server_does_not_tell_are_hidden() {
    let (_server, proxy) = before().await;
    let unknown = ErrorReply::Other("ERR unknown command 'CONFIG'".to_owned());
    let _refused = proxy.refuse_commands(On::commands(["CONFIG"]), unknown, Times::UntilCleared);
    let diagnosis = examine(proxy.url()).await;
    assert_found(&diagnosis, Topic::Settings, Severity::Hidden, &["+config|get"]);
}

#[tokio::test]
async fn a_proxy_that_answers_in_the_servers_place_is_found_out() {
    let (_server, proxy) = before().await;
    let on_scripts = On::commands(["EVALSHA"]);
    let _told = proxy.answer_commands(on_scripts, &Answer::status("OK"), Times::UntilCleared);
    let diagnosis = examine(proxy.url()).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::Scripts, Severity::Error, &["never gives", "proxy"]);
}

#[tokio::test]
async fn a_proxy_that_does_not_know_hello_is_spoken_to_in_the_older_protocol() {
    let (_server, proxy) = before().await;
    let unknown = ErrorReply::Other("ERR unknown command 'HELLO'".to_owned());
    let _refused = proxy.refuse_commands(On::commands(["HELLO"]), unknown, Times::UntilCleared);
    let diagnosis = examine(proxy.url()).await;
    assert_found(&diagnosis, Topic::Scripts, Severity::Ok, &[]);
    assert_found(&diagnosis, Topic::NearCache, Severity::Info, &["RESP2 only", "proxy"]);
}
