//! Replicas, Sentinels and Clusters: every primary is looked at, and those who name it.

use cloakroom_redis::{Finding, RedisConfig, Severity, Topic, Verdict};
use cloakroom_testkit::{ClusterSet, RedisServer, SentinelSet};

use super::support::{assert_found, assert_helps, config, examine, examine_as, on, sound};

#[tokio::test]
async fn a_replica_as_the_target_is_an_error_that_names_the_primary() {
    let set = SentinelSet::start().await.unwrap();
    let primary = set.primary().await.unwrap().port();
    let replica = set.replicas().await.unwrap()[0];
    let diagnosis = examine(replica.plain_url()).await;
    assert_helps(&diagnosis, Verdict::Errors);
    let words = ["replica of", &primary.to_string(), "redis+sentinel://"];
    assert_found(&diagnosis, Topic::Role, Severity::Error, &words);
}

#[tokio::test]
async fn sentinels_are_asked_and_their_primary_is_looked_at() {
    let set = SentinelSet::start().await.unwrap();
    let primary = set.primary().await.unwrap().port();
    let diagnosis = examine(set.plain_url()).await;
    assert_eq!(diagnosis.servers, [format!("127.0.0.1:{primary}")]);
    assert_found(&diagnosis, Topic::Sentinels, Severity::Ok, &["3 Sentinels"]);
    assert_found(&diagnosis, Topic::Role, Severity::Ok, &[]);
    assert_found(&diagnosis, Topic::Replication, Severity::Ok, &["2 replicas"]);
    assert_found(&diagnosis, Topic::Replication, Severity::Info, &["min-replicas-to-write"]);

    set.sentinels()[0].kill_now();
    let diagnosis = examine(set.plain_url()).await;
    assert_found(&diagnosis, Topic::Sentinels, Severity::Ok, &["2 Sentinels"]);
    assert_found(&diagnosis, Topic::Sentinels, Severity::Warning, &["refused"]);

    let misspelt = set.plain_url().replace(&format!("/{}", set.name()), "/nobody");
    let diagnosis = examine(misspelt).await;
    assert_helps(&diagnosis, Verdict::NotExamined);
    assert_found(&diagnosis, Topic::Sentinels, Severity::Error, &["nobody", "sentinel monitor"]);
}

#[tokio::test]
async fn a_replica_that_is_gone_and_writes_that_wait_for_it_are_told() {
    let set = SentinelSet::start().await.unwrap();
    let primary = set.primary().await.unwrap();
    primary.ask(["CONFIG", "SET", "min-replicas-to-write", "3"]).await.unwrap();
    let diagnosis = examine(set.plain_url()).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::Replication, Severity::Error, &["3 are needed"]);
    assert_found(&diagnosis, Topic::Scripts, Severity::Error, &["NOREPLICAS"]);
}

#[tokio::test]
async fn every_primary_of_a_cluster_is_looked_at() {
    let cluster = ClusterSet::start().await.unwrap();
    let diagnosis = examine(cluster.plain_url()).await;
    assert_eq!(diagnosis.servers.len(), 3, "{diagnosis:#?}");
    assert_found(&diagnosis, Topic::Cluster, Severity::Ok, &["3 primaries", "16384 of 16384"]);
    for topic in [Topic::Scripts, Topic::Rights, Topic::Role, Topic::NearCache] {
        let found = on(&diagnosis, topic);
        let ok = found.iter().filter(|finding| finding.severity == Severity::Ok).count();
        assert_eq!(ok, 3, "{topic}: {found:#?}");
    }
    for node in cluster.nodes() {
        assert_eq!(node.ask(["DBSIZE"]).await.unwrap().number(), 0);
    }
    // One node alone is not the Cluster.
    let node = &cluster.primaries().await[0];
    let diagnosis = examine(node.plain_url()).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::Role, Severity::Error, &["redis+cluster://"]);
    let of_another = |it: &&Finding| it.seen.contains("another node");
    // A third of all sessions belong to this one.
    for finding in on(&diagnosis, Topic::Scripts).iter().copied().filter(of_another) {
        assert!(finding.remedy.as_deref().unwrap().contains("redis+cluster://"), "{finding:?}");
    }

    // All sessions on one node: the others would never be used.
    let mut tagged = config(cluster.plain_url());
    tagged.prefix = "{shop}:".to_owned();
    let diagnosis = examine_as(tagged).await;
    assert_found(&diagnosis, Topic::Scripts, Severity::Warning, &["braces"]);
    assert_found(&diagnosis, Topic::Scripts, Severity::Ok, &[]);
}

#[tokio::test]
async fn a_server_that_belongs_to_no_cluster_says_what_to_write() {
    let server = sound().start().await.unwrap();
    let url = server.plain_url().replace("redis://", "redis+cluster://");
    let diagnosis = examine(url).await;
    assert_helps(&diagnosis, Verdict::NotExamined);
    assert_found(&diagnosis, Topic::Cluster, Severity::Error, &["no Cluster", "redis://127"]);
}

#[tokio::test]
async fn a_sentinel_as_the_target_is_one_error_that_says_what_to_write() {
    let set = SentinelSet::start().await.unwrap();
    let diagnosis = examine(set.sentinels()[0].plain_url()).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::Role, Severity::Error, &["Sentinel", "redis+sentinel://127"]);
    assert_eq!(diagnosis.problems().count(), 1, "{diagnosis:#?}");
}

#[tokio::test]
async fn what_is_no_sentinel_is_called_so() {
    let server = RedisServer::start().await.unwrap();
    let url = format!("redis+sentinel://127.0.0.1:{}/sessions", server.port());
    let diagnosis = examine(url).await;
    assert_helps(&diagnosis, Verdict::NotExamined);
    assert_found(&diagnosis, Topic::Sentinels, Severity::Error, &["no Sentinel"]);
}

#[test]
fn a_place_is_local_where_nobody_can_name_another_machine() {
    for (url, is_local) in [
        ("redis://localhost", true),
        ("redis://127.0.0.2:7000/3", true),
        ("unix:///run/redis.sock", true),
        ("rediss://[::1]", true),
        ("redis+sentinel://localhost,127.0.0.1:26380/sessions", false),
        ("rediss+sentinel://localhost,db.internal/sessions", false),
        ("redis+cluster://127.0.0.1", false),
        ("redis+cluster://10.0.0.1?plaintext=allow", false),
        ("rediss://db.internal", false),
    ] {
        assert_eq!(RedisConfig::from_url(url).is_local().unwrap(), is_local, "{url}");
    }
}
