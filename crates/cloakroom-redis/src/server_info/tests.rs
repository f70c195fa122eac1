//! What servers of many versions tell about themselves, as they write it.

use redis::VerbatimFormat;

use super::*;

const REPLICATION: &str = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n\
     slave0:ip=127.0.0.1,port=7001,state=online,offset=98,lag=0\r\n\
     master_replid:8e1f0c3b2a6d4f5e9b7c8d1e2f3a4b5c6d7e8f90\r\n\
     master_replid2:0000000000000000000000000000000000000000\r\n";

fn text(server: &str, policy: &str) -> String {
    format!(
        "# Server\r\n{server}redis_git_sha1:00000000\r\nos:Linux 6.1.0 x86_64\r\n\
         run_id:1234567890123456789012345678901234567890\r\ntcp_port:6379\r\n\r\n\
         # Memory\r\nused_memory:1024\r\nmaxmemory:1048576\r\nmaxmemory_human:1.00M\r\n\
         maxmemory_policy:{policy}\r\n\r\n# Persistence\r\nloading:0\r\nasync_loading:0\r\n\r\n\
         {REPLICATION}\r\n# Cluster\r\ncluster_enabled:0\r\n"
    )
}

fn version(major: u32, minor: u32, patch: u32) -> Version {
    Version { major, minor, patch }
}

#[test]
fn every_product_and_version_is_recognised_and_judged() {
    let table = [
        ("redis_version:5.0.14\r\n", Product::Redis, version(5, 0, 14), false),
        (
            "redis_version:6.0.16\r\nredis_mode:standalone\r\n",
            Product::Redis,
            version(6, 0, 16),
            false,
        ),
        ("redis_version:6.2.0\r\n", Product::Redis, version(6, 2, 0), true),
        ("redis_version:6.2.22\r\n", Product::Redis, version(6, 2, 22), true),
        ("redis_version:7.0.15\r\n", Product::Redis, version(7, 0, 15), true),
        ("redis_version:7.4.9\r\n", Product::Redis, version(7, 4, 9), true),
        ("redis_version:8.0.6\r\n", Product::Redis, version(8, 0, 6), true),
        ("redis_version:8.4-rc1\r\n", Product::Redis, version(8, 4, 0), true),
        ("redis_version:255.255.255\r\n", Product::Redis, version(255, 255, 255), true),
        (
            "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:7.2.13\r\n",
            Product::Valkey,
            version(7, 2, 13),
            true,
        ),
        (
            "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.0.4\r\n\
             valkey_release_stage:ga\r\nserver_mode:standalone\r\n",
            Product::Valkey,
            version(9, 0, 4),
            true,
        ),
        ("server_name:elsewhere\r\n", Product::Other, version(0, 0, 0), true),
    ];
    for (lines, product, version, works) in table {
        let info = ServerInfo::parse(&text(lines, "noeviction"));
        assert_eq!((info.product, info.version), (product, version), "{lines}");
        assert_eq!(info.check("db:6379").is_ok(), works, "{lines}");
        assert_eq!(info.role, Role::Primary);
        assert_eq!(info.connected_replicas, 2);
        assert_eq!(info.replication_id, "8e1f0c3b2a6d4f5e9b7c8d1e2f3a4b5c6d7e8f90");
        assert_eq!(info.run_id, "1234567890123456789012345678901234567890");
        assert!(!info.loading && !info.cluster);
    }
}

#[test]
fn a_server_that_is_too_old_is_told_its_version_what_it_lacks_and_where_it_is() {
    let error = ServerInfo::parse("redis_version:6.0.16\n").check("db:6379").unwrap_err();
    for part in ["db:6379", "6.0.16", "6.2", "PXAT", "Valkey"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn a_sentinel_that_is_taken_for_a_server_is_told_apart() {
    let info = ServerInfo::parse("redis_version:7.0.15\r\nredis_mode:sentinel\r\n");
    let error = info.check("s1:26379").unwrap_err();
    assert!(error.to_string().contains("redis+sentinel://s1:26379/"), "{error}");
}

#[test]
fn policies_that_end_sessions_early_are_named() {
    for policy in ["allkeys-lru", "allkeys-random", "volatile-ttl", "volatile-lfu"] {
        let info = ServerInfo::parse(&text("redis_version:7.0.15\r\n", policy));
        assert_eq!(info.evicts(), Some(policy));
        let unbounded = ServerInfo { maxmemory: 0, ..info };
        assert_eq!(unbounded.evicts(), None);
    }
    let info = ServerInfo::parse(&text("redis_version:7.0.15\r\n", "noeviction"));
    assert_eq!(info.evicts(), None);
    assert_eq!(ServerInfo::parse("redis_version:7.0.15").evicts(), None);
}

#[test]
fn roles_loading_and_cluster_are_read() {
    let info = ServerInfo::parse("role:slave\r\nloading:1\r\nredis_mode:cluster\r\n");
    assert_eq!((info.role, info.loading, info.cluster), (Role::Replica, true, true));
    let info = ServerInfo::parse("role:replica\ncluster_enabled:1\nserver_mode:cluster\n");
    assert_eq!((info.role, info.cluster), (Role::Replica, true));
    assert_eq!(ServerInfo::parse("role:else\nconnected_slaves:many").role, Role::Unknown);
}

#[test]
fn both_versions_of_the_protocol_are_understood() {
    let text = "redis_version:7.0.15\r\n".to_owned();
    let expected = Some(ServerInfo::parse(&text));
    assert_eq!(ServerInfo::read(&Value::BulkString(text.clone().into_bytes())), expected);
    let verbatim = Value::VerbatimString { format: VerbatimFormat::Text, text };
    assert_eq!(ServerInfo::read(&verbatim), expected);
    assert_eq!(ServerInfo::read(&Value::Nil), None);
}

proptest::proptest! {
    #[test]
    fn whatever_a_server_says_is_no_reason_to_panic(
        text in "((role|loading|redis_version|valkey_version|maxmemory|cluster_enabled):\\PC*\n|\\PC)*"
    ) {
        let info = ServerInfo::parse(&text);
        let _ = (info.check("host"), info.evicts().map(str::len));
    }
}
