//! Every form of URL, what it means, and what is said to those that mean nothing.

use cloakroom::ConfigError;
use proptest::prelude::*;
use redis::ProtocolVersion;

use super::*;
use crate::config::RedisConfig;

fn topology(url: &str) -> Result<Topology, ConfigError> {
    RedisConfig::from_url(url).topology()
}

fn endpoint(url: &str) -> Endpoint {
    match topology(url) {
        Ok(Topology::Standalone(endpoint)) => endpoint,
        Ok(_) => panic!("{url} is not one server"),
        Err(error) => panic!("{url}: {error}"),
    }
}

/// What goes over the wire at the beginning: user, password and database.
fn introduction(access: &Access) -> (Option<String>, Option<String>, i64) {
    let it = access.introduction(ProtocolVersion::RESP3);
    (it.username().map(Into::into), it.password().map(Into::into), it.db())
}

fn message(url: &str) -> String {
    match topology(url) {
        Ok(_) => panic!("{url} is accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_server_is_read_with_everything_that_its_url_says() {
    let some = |text: &str| Some(text.to_owned());
    let table = [
        ("redis://localhost", "localhost:6379", (None, None, 0)),
        ("redis://localhost/", "localhost:6379", (None, None, 0)),
        ("  REDIS://localhost:7000/3 ", "localhost:7000", (None, None, 3)),
        ("valkey://127.0.0.1", "127.0.0.1:6379", (None, None, 0)),
        ("redis://127.9.9.9/0", "127.9.9.9:6379", (None, None, 0)),
        ("redis://[::1]", "[::1]:6379", (None, None, 0)),
        ("redis://[::1]:7000/1/", "[::1]:7000", (None, None, 1)),
        ("redis://[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]:6379", (None, None, 0)),
        ("redis://:pw@localhost", "localhost:6379", (None, some("pw"), 0)),
        ("redis://ann:pw@localhost/2", "localhost:6379", (some("ann"), some("pw"), 2)),
        ("redis://ann:@localhost", "localhost:6379", (some("ann"), some(""), 0)),
        ("redis://:@localhost", "localhost:6379", (None, None, 0)),
        ("redis://@localhost", "localhost:6379", (None, None, 0)),
        (
            "redis://a%40b:p%2Fw%3A%25%23+%C3%A4@localhost",
            "localhost:6379",
            (some("a@b"), some("p/w:%#+ä"), 0),
        ),
        ("redis://ann:p:w@x@localhost", "localhost:6379", (some("ann"), some("p:w@x"), 0)),
        ("redis://db.internal?plaintext=allow", "db.internal:6379", (None, None, 0)),
        ("redis://10.0.0.1/4?plaintext=allow", "10.0.0.1:6379", (None, None, 4)),
        ("redis://a_b-c.:1?plaintext=allow", "a_b-c:1", (None, None, 0)),
        ("unix:///run/redis.sock", "/run/redis.sock", (None, None, 0)),
        ("unix:/run/redis.sock", "/run/redis.sock", (None, None, 0)),
        ("redis+unix:///a%20b.sock?db=5", "/a b.sock", (None, None, 5)),
        ("valkey+unix:///s?user=ann&pass=p%26w&db=1", "/s", (some("ann"), some("p&w"), 1)),
    ];
    for (url, name, expected) in table {
        let endpoint = endpoint(url);
        assert_eq!(endpoint.name(), name, "{url}");
        assert_eq!(introduction(endpoint.access()), expected, "{url}");
        assert!(!endpoint.access().is_encrypted(), "{url}");
    }
}

#[test]
fn the_protocol_is_left_open_unless_it_is_asked_for() {
    assert_eq!(endpoint("redis://localhost").access().protocol(), None);
    for (word, protocol) in [
        ("2", ProtocolVersion::RESP2),
        ("resp2", ProtocolVersion::RESP2),
        ("3", ProtocolVersion::RESP3),
        ("resp3", ProtocolVersion::RESP3),
    ] {
        let endpoint = endpoint(&format!("redis://localhost?protocol={word}"));
        assert_eq!(endpoint.access().protocol(), Some(protocol));
    }
}

#[test]
fn a_sentinel_group_keeps_its_own_credentials_apart_from_the_datas() {
    let url = "redis+sentinel://ann:pw@localhost,127.0.0.1:7001,[::1]/my%2Fmaster/3\
               ?sentinel_user=bob&sentinel_password=s%40x";
    let Ok(Topology::Sentinel(group)) = topology(url) else { panic!("no Sentinel group") };
    let names: Vec<_> = group.sentinels.iter().map(Endpoint::name).collect();
    assert_eq!(names, ["localhost:26379", "127.0.0.1:7001", "[::1]:26379"]);
    assert_eq!(&*group.master, "my/master");
    assert_eq!(introduction(&group.data), (Some("ann".into()), Some("pw".into()), 3));
    for sentinel in &group.sentinels {
        let expected = (Some("bob".into()), Some("s@x".into()), 0);
        assert_eq!(introduction(sentinel.access()), expected);
    }
}

#[test]
fn a_cluster_is_a_list_of_nodes() {
    for url in [
        "redis+cluster://ann:pw@localhost:7000,127.0.0.1/",
        "valkey+cluster://ann:pw@localhost:7000,127.0.0.1/0",
        "REDIS+CLUSTER://ann:pw@localhost:7000,127.0.0.1",
    ] {
        let Ok(Topology::Cluster(seeds)) = topology(url) else { panic!("no Cluster: {url}") };
        let names: Vec<_> = seeds.nodes.iter().map(Endpoint::name).collect();
        assert_eq!(names, ["localhost:7000", "127.0.0.1:6379"]);
        assert_eq!(introduction(&seeds.data), (Some("ann".into()), Some("pw".into()), 0));
    }
}

#[cfg(feature = "tls")]
#[test]
fn encrypted_addresses_may_lead_anywhere() {
    for url in ["rediss://db.internal", "valkeys://10.0.0.1:6380/1", "REDISS://[2001:db8::1]"] {
        assert!(endpoint(url).access().is_encrypted(), "{url}");
    }
    let url = "valkeys+sentinel://s1.internal,s2.internal/main";
    let Ok(Topology::Sentinel(group)) = topology(url) else { panic!("no Sentinel group") };
    assert!(group.data.is_encrypted() && group.sentinels[1].access().is_encrypted());
    assert_eq!(group.data.at("elsewhere.internal", 1).unwrap().name(), "elsewhere.internal:1");
    let url = "rediss+cluster://n1.internal,n2.internal";
    let Ok(Topology::Cluster(seeds)) = topology(url) else { panic!("no Cluster") };
    assert!(seeds.data.is_encrypted());
}

#[test]
fn plain_text_leaves_the_machine_only_with_the_word_for_it() {
    for url in [
        "redis://db.internal",
        "redis://10.0.0.1",
        "redis://128.0.0.1",
        "redis://[2001:db8::1]",
        "redis://localhost.example",
        "redis://db.internal?plaintext=loopback",
        "redis+sentinel://localhost,s2.internal/main",
        "redis+cluster://localhost,n2.internal",
    ] {
        let message = message(url);
        for part in ["plaintext", "rediss://", "?plaintext=allow", "Plaintext::Allow"] {
            assert!(message.contains(part), "{part} is missing in: {message}");
        }
        let allowed = format!("{}?plaintext=allow", url.split('?').next().unwrap());
        assert!(topology(&allowed).is_ok(), "{allowed}");
    }
}

#[test]
fn an_address_that_a_server_names_is_held_to_the_same_rule() {
    let Ok(Topology::Sentinel(group)) = topology("redis+sentinel://localhost/main") else {
        panic!("no Sentinel group");
    };
    assert_eq!(group.data.at("127.0.0.1", 7000).unwrap().name(), "127.0.0.1:7000");
    let error = group.data.at("10.0.0.1", 7000).err().unwrap().to_string();
    assert!(error.contains("10.0.0.1:7000") && error.contains("plaintext=allow"), "{error}");
    for (host, port) in [("", 7000), ("127.0.0.1", 0), ("0.0.0.0", 1), ("::", 1), ("a b", 1)] {
        assert!(group.data.at(host, port).is_err(), "{host}:{port}");
    }
}

#[test]
fn what_means_nothing_is_refused_with_what_to_write_instead() {
    let table = [
        ("", "redis://localhost:6379"),
        ("localhost:6379", "redis://localhost:6379"),
        ("http://localhost", "redis://localhost:6379"),
        ("redis+else://localhost", "redis://localhost:6379"),
        ("redis+://localhost", "redis://localhost:6379"),
        ("rediss+unix:///s", "redis://localhost:6379"),
        ("redis:localhost", "://"),
        ("redis://", "a host is missing"),
        ("redis:///0", "a host is missing"),
        ("redis://:7000", "a host is missing"),
        ("redis://localhost:99999", "1 to 65535"),
        ("redis://localhost:0", "1 to 65535"),
        ("redis://localhost:+1", "1 to 65535"),
        ("redis://::1", "brackets"),
        ("redis://[::1", "brackets"),
        ("redis://[localhost]", "brackets"),
        ("redis://[::1]7", "1 to 65535"),
        ("redis://0.0.0.0", "listen on"),
        ("redis://lo cal", "host name"),
        ("redis://lo%63al", "host name"),
        ("redis://ann@localhost", "user:@"),
        ("redis://ann:%zz@localhost", "%25"),
        ("redis://ann:%ff@localhost", "%25"),
        ("redis://ann:%@localhost", "%25"),
        ("redis://localhost/x", "not a number"),
        ("redis://localhost/-1", "not a number"),
        ("redis://localhost/99999999999", "not a number"),
        ("redis://localhost/0/1", "not a number"),
        ("redis://localhost,127.0.0.1", "redis+sentinel://"),
        ("redis://localhost?db=1", "/0"),
        ("redis://localhost?ca=/x", "rediss://"),
        ("redis://localhost?timeout=1", "unknown parameter"),
        ("redis://localhost?plaintext=yes", "allow or loopback"),
        ("redis://localhost?plaintext", "allow or loopback"),
        ("redis://localhost?protocol=4", "resp2 or resp3"),
        ("redis://localhost?protocol=2&protocol=3", "twice"),
        ("redis://localhost?sentinel_user=ann", "unknown parameter"),
        ("rediss://localhost#insecure", "always checked"),
        ("redis://localhost#", "%23"),
        ("unix://run/redis.sock", "three"),
        ("unix://", "three"),
        ("unix:///s?db=x", "not a number"),
        ("unix:///s?user=ann", "without a password"),
        ("unix:///s?password=x", "db, user, pass"),
        ("unix:///s%00", "%25"),
        ("redis+sentinel://localhost", "name is missing"),
        ("redis+sentinel://localhost/", "name is missing"),
        ("redis+sentinel:///main", "a host is missing"),
        ("redis+sentinel://localhost,/main", "a host is missing"),
        ("redis+sentinel://localhost/main/x", "not a number"),
        ("redis+sentinel://localhost/main?sentinel_user=ann", "without a password"),
        ("redis+cluster://", "a host is missing"),
        ("redis+cluster://localhost,,127.0.0.1", "a host is missing"),
        ("redis+cluster://localhost/1", "no databases"),
    ];
    for (url, part) in table {
        let message = message(url);
        assert!(message.starts_with("url: "), "{url}: {message}");
        assert!(message.contains(part), "`{part}` is missing for {url}: {message}");
    }
}

#[test]
fn a_password_beside_a_url_completes_the_user_that_it_names() {
    for url in ["redis://ann@localhost/2", "unix:///run/redis.sock?user=ann&db=2"] {
        let mut config = RedisConfig::from_url(url);
        config.password = Some("secret".into());
        let Ok(Topology::Standalone(endpoint)) = config.topology() else { panic!("{url}") };
        let known = introduction(endpoint.access());
        assert_eq!(known, (Some("ann".into()), Some("secret".into()), 2), "{url}");
        config.username = Some("bob".into());
        assert!(config.topology().is_err(), "{url} and another user");
    }
}

#[test]
fn a_password_with_forbidden_characters_is_never_repeated() {
    for secret in ["a/b-horse", "a?b-horse", "a#b-horse", "a@b-horse", "12/b-horse", "1?b-horse"] {
        for url in [
            format!("redis://user:{secret}@db.internal"),
            format!("redis+sentinel://user:{secret}@localhost/main"),
            format!("redis+cluster://:{secret}@localhost"),
            format!("rediss://user:{secret}@lo cal"),
        ] {
            if let Err(error) = topology(&url) {
                assert!(!format!("{error} {error:?}").contains("horse"), "{url}: {error}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let _ = topology(&text);
    }

    #[test]
    fn no_text_behind_a_scheme_makes_the_reader_panic(
        scheme in "(redis|rediss|valkey|unix|redis\\+sentinel|rediss\\+cluster)",
        rest in "[a-z0-9:/?#@%,=&\\[\\]. ]{0,40}",
    ) {
        let _ = topology(&format!("{scheme}://{rest}"));
    }

    #[test]
    fn no_message_repeats_the_password(
        scheme in "(redis|rediss|redis\\+sentinel|redis\\+cluster|http|redis\\+x)",
        secret in "XYZZY[a-z0-9:/?#@%,=&\\[\\] ]{0,12}XYZZY",
        rest in "(@localhost|@db\\.internal|@|@lo cal|@\\[::1|@localhost:x)[/a-z0-9?=]{0,8}",
    ) {
        let url = format!("{scheme}://user:{secret}{rest}");
        if let Err(error) = topology(&url) {
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(&secret), "{}", shown);
            // What stands behind an @ or a comma is a host to every reader of URLs.
            if !secret.contains(['@', ',']) {
                prop_assert!(!shown.contains("XYZZY"), "{}", shown);
            }
        }
    }

    #[test]
    fn what_is_percent_encoded_arrives_as_it_was(user in "\\PC{1,12}", password in "\\PC{0,20}") {
        let encode = |text: &str| -> String {
            text.bytes().map(|byte| format!("%{byte:02X}")).collect()
        };
        let url = format!("redis://{}:{}@localhost", encode(&user), encode(&password));
        let endpoint = endpoint(&url);
        prop_assert_eq!(introduction(endpoint.access()), (Some(user), Some(password), 0));
    }
}
