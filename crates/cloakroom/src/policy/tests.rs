//! The defaults, word for word, and everything that a policy refuses.

use super::*;
use crate::storage::HealthStatus;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const OTHER_OUTAGE: OutagePolicy =
    OutagePolicy { pending_sign_out: PendingSignOut::Unavailable, readiness: Readiness::NotReady };

fn from(variables: &[(&str, &str)]) -> Result<Policy, ConfigError> {
    env::read(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// The fields that a policy is refused for.
fn refused(change: impl FnOnce(&mut Policy)) -> Vec<&'static str> {
    let mut policy = Policy::default();
    change(&mut policy);
    match policy.check() {
        Ok(()) => Vec::new(),
        Err(error) => error.problems().iter().map(|problem| problem.field).collect(),
    }
}

#[test]
fn the_defaults_are_the_advice_for_production() {
    let policy = Policy::default();
    assert_eq!(policy.cookie.name, "__Host-id");
    assert_eq!(policy.cookie.same_site, SameSite::Lax);
    assert_eq!((policy.cookie.path.as_str(), policy.cookie.domain.as_deref()), ("/", None));
    assert!(policy.cookie.secure);
    assert_eq!(policy.idle_timeout, 30 * MINUTE);
    assert_eq!(policy.absolute_timeout, 12 * 60 * MINUTE);
    assert_eq!(policy.longest_lifetime, 30 * DAY);
    assert_eq!(policy.refresh_below, 0.5);
    assert_eq!(policy.commit_timeout, Duration::from_secs(1));
    assert_eq!(policy.on_server_error, OnServerError::Discard);
    assert_eq!(policy.outage.pending_sign_out, PendingSignOut::Accepted);
    assert_eq!(policy.outage.readiness, Readiness::Ready);
    assert_eq!((policy.fingerprint, policy.fingerprint_mode()), (None, FingerprintMode::Soft));
    assert!(policy.trusted_proxies.is_empty() && !policy.local_plain_http);
    assert!(policy.check().is_ok());
    assert!(Policy::for_local_development().check().is_ok());
}

#[test]
fn a_policy_survives_its_json_with_durations_that_people_can_read() {
    let policy = Policy {
        cookie: CookiePolicy {
            domain: Some("example.org".into()),
            same_site: SameSite::Strict,
            ..CookiePolicy::default()
        },
        idle_timeout: 15 * MINUTE,
        longest_lifetime: 14 * DAY,
        commit_timeout: Duration::from_millis(250),
        on_server_error: OnServerError::Commit,
        outage: OTHER_OUTAGE,
        fingerprint: Some(FingerprintMode::Strict),
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::1/128".parse().unwrap()],
        local_plain_http: true,
        ..Policy::default()
    };
    let json = serde_json::to_string(&policy).unwrap();
    let texts = ["15m", "14days", "250ms", "strict", "commit", "10.0.0.0/8", "not_ready"];
    for text in texts {
        assert!(json.contains(&format!("\"{text}\"")), "{text} in {json}");
    }
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
}

#[test]
fn what_a_configuration_leaves_out_is_the_default() {
    assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
    let json = r#"{ "idle_timeout": 600, "absolute_timeout": "1h 30m", "trusted_proxies": ["10.0.0.1"],
                    "cookie": { "name": "shop" } }"#;
    let policy: Policy = serde_json::from_str(json).unwrap();
    assert_eq!(policy.idle_timeout, 10 * MINUTE, "a number is seconds");
    assert_eq!(policy.absolute_timeout, 90 * MINUTE);
    assert_eq!(policy.trusted_proxies, ["10.0.0.1/32".parse::<IpNet>().unwrap()]);
    assert_eq!((policy.cookie.name.as_str(), policy.cookie.path.as_str()), ("shop", "/"));
    assert!(policy.cookie.secure, "no configuration file turns Secure off");
}

#[test]
fn unknown_fields_and_unreadable_values_are_refused() {
    let texts = [
        r#"{ "idle_timeuot": "15m" }"#,
        r#"{ "cookie": { "secure": false } }"#,
        r#"{ "cookie": { "http_only": false } }"#,
        r#"{ "idle_timeout": "soon" }"#,
        r#"{ "idle_timeout": -1 }"#,
        r#"{ "idle_timeout": 1.5 }"#,
        r#"{ "trusted_proxies": ["10.0.0.0/33"] }"#,
        r#"{ "fingerprint": "fuzzy" }"#,
        r#"{ "on_server_error": "panic" }"#,
        r#"{ "outage": { "readiness": "perhaps" } }"#,
        r#"{ "outage": { "fall_back_to": "memory" } }"#,
        r#"{ "cookie": { "same_site": "sometimes" } }"#,
    ];
    for text in texts {
        assert!(serde_json::from_str::<Policy>(text).is_err(), "{text}");
    }
}

#[test]
fn an_empty_environment_is_the_default_policy() {
    assert_eq!(from(&[]).unwrap(), Policy::default());
}

#[test]
fn every_field_can_be_set_from_the_environment() {
    let policy = from(&[
        ("CLOAKROOM_COOKIE_NAME", "__Secure-shop"),
        ("CLOAKROOM_COOKIE_SAME_SITE", "Strict"),
        ("CLOAKROOM_COOKIE_PATH", "/shop"),
        ("CLOAKROOM_COOKIE_DOMAIN", "example.org"),
        ("CLOAKROOM_IDLE_TIMEOUT", " 15m "),
        ("CLOAKROOM_ABSOLUTE_TIMEOUT", "1h"),
        ("CLOAKROOM_LONGEST_LIFETIME", "7days"),
        ("CLOAKROOM_CONCURRENT_SESSIONS_LIMIT", "3"),
        ("CLOAKROOM_CONCURRENT_SESSIONS_AT_LIMIT", "End-Least-Recently-Used"),
        ("CLOAKROOM_REFRESH_BELOW", "0.25"),
        ("CLOAKROOM_COMMIT_TIMEOUT", "500ms"),
        ("CLOAKROOM_ON_SERVER_ERROR", "commit"),
        ("CLOAKROOM_OUTAGE_PENDING_SIGN_OUT", "Unavailable"),
        ("CLOAKROOM_OUTAGE_READINESS", "not_ready"),
        ("CLOAKROOM_FINGERPRINT", "disabled"),
        ("CLOAKROOM_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1,"),
        ("CLOAKROOM_LOCAL_PLAIN_HTTP", "on"),
    ])
    .unwrap();
    let wanted = Policy {
        cookie: CookiePolicy {
            name: "__Secure-shop".into(),
            same_site: SameSite::Strict,
            path: "/shop".into(),
            domain: Some("example.org".into()),
            secure: true,
        },
        idle_timeout: 15 * MINUTE,
        absolute_timeout: 60 * MINUTE,
        longest_lifetime: 7 * DAY,
        concurrent_sessions: ConcurrentSessions {
            limit: 3,
            at_limit: AtLimit::EndLeastRecentlyUsed,
        },
        refresh_below: 0.25,
        commit_timeout: Duration::from_millis(500),
        on_server_error: OnServerError::Commit,
        outage: OTHER_OUTAGE,
        fingerprint: Some(FingerprintMode::Disabled),
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "192.0.2.1/32".parse().unwrap()],
        local_plain_http: true,
    };
    assert_eq!(policy, wanted);
}

#[test]
fn every_variable_that_cannot_be_read_is_reported_at_once() {
    let variables = [
        ("CLOAKROOM_COOKIE_SAME_SITE", "sometimes"),
        ("CLOAKROOM_IDLE_TIMEOUT", "soon"),
        ("CLOAKROOM_ABSOLUTE_TIMEOUT", ""),
        ("CLOAKROOM_LONGEST_LIFETIME", "-1s"),
        ("CLOAKROOM_CONCURRENT_SESSIONS_LIMIT", "few"),
        ("CLOAKROOM_CONCURRENT_SESSIONS_AT_LIMIT", "cry"),
        ("CLOAKROOM_REFRESH_BELOW", "half"),
        ("CLOAKROOM_COMMIT_TIMEOUT", "soon"),
        ("CLOAKROOM_ON_SERVER_ERROR", "panic"),
        ("CLOAKROOM_OUTAGE_PENDING_SIGN_OUT", "done"),
        ("CLOAKROOM_OUTAGE_READINESS", "perhaps"),
        ("CLOAKROOM_FINGERPRINT", "fuzzy"),
        ("CLOAKROOM_TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.0/33"),
        ("CLOAKROOM_LOCAL_PLAIN_HTTP", "maybe"),
    ];
    let error = from(&variables).unwrap_err();
    let fields: Vec<_> = error.problems().iter().map(|problem| problem.field).collect();
    assert_eq!(fields, variables.map(|(name, _)| name));
    for (name, _) in variables {
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_misspelt_variable_is_refused_beside_the_other_problems() {
    let error = from(&[
        ("CLOAKROOM_IDLE_TIMEOUT", "soon"),
        ("CLOAKROOM_IDEL_TIMEOUT", "15m"),
        ("CLOAKROOM_OUTAGE", "closed"),
    ]);
    let error = error.unwrap_err();
    let fields: Vec<_> = error.problems().iter().map(|problem| problem.field).collect();
    assert_eq!(fields, ["CLOAKROOM_IDLE_TIMEOUT", "environment", "environment"]);
    for name in ["`CLOAKROOM_IDEL_TIMEOUT`", "`CLOAKROOM_OUTAGE`"] {
        assert!(error.to_string().contains(name), "{error}");
    }
    assert!(!error.to_string().contains("15m"), "a value may be a secret: {error}");
}

#[test]
fn variables_of_other_programs_are_none_of_the_policys_business() {
    let policy = from(&[
        ("PATH", "/bin"),
        ("IDLE_TIMEOUT", "soon"),
        ("CLOAKROOM", "on"),
        ("CLOAKROOM_TEST_REDIS_SERVER", "valkey-server"),
        ("CLOAKROOM_REDIS_URL", "redis://cache"),
        ("CLOAKROOM_ADMIN_PASSWORD", "hush"),
        ("CLOAKROOM_IMPORT_FROM_URL", "redis://old"),
        ("CLOAKROOM_SERVICE_HOST", "10.0.0.7"),
        ("CLOAKROOM_SERVICE_PORT", "80"),
        ("CLOAKROOM_WEB_SERVICE_PORT_HTTP", "80"),
        ("CLOAKROOM_PORT", "tcp://10.0.0.7:80"),
        ("CLOAKROOM_PORT_80_TCP_ADDR", "10.0.0.7"),
        ("CLOAKROOM_WEB_PORT_80_TCP", "tcp://10.0.0.7:80"),
    ]);
    assert_eq!(policy.unwrap(), Policy::default());
}

#[test]
fn a_node_is_ready_without_its_storage_unless_the_policy_says_otherwise() {
    for status in [HealthStatus::Healthy, HealthStatus::Degraded, HealthStatus::Unavailable] {
        assert!(OutagePolicy::default().is_ready(status));
        let is_down = status == HealthStatus::Unavailable;
        assert_eq!(OTHER_OUTAGE.is_ready(status), !is_down, "{status:?}");
    }
}

#[test]
fn lifetimes_that_make_no_sense_are_refused() {
    for limit in [0, 1_001] {
        let problems = refused(|policy| policy.concurrent_sessions.limit = limit);
        assert_eq!(problems, ["concurrent_sessions.limit"]);
    }
    assert_eq!(refused(|policy| policy.idle_timeout = Duration::ZERO), ["idle_timeout"]);
    assert_eq!(refused(|policy| policy.longest_lifetime = Duration::ZERO), ["longest_lifetime"]);
    assert_eq!(refused(|policy| policy.longest_lifetime = 401 * DAY), ["longest_lifetime"]);
    assert_eq!(refused(|policy| policy.absolute_timeout = 401 * DAY), ["absolute_timeout"]);
    assert_eq!(refused(|policy| policy.idle_timeout = 13 * 60 * MINUTE), ["idle_timeout"]);
    assert_eq!(refused(|policy| policy.commit_timeout = Duration::ZERO), ["commit_timeout"]);
    let equal = |policy: &mut Policy| policy.idle_timeout = policy.absolute_timeout;
    assert_eq!(refused(equal), Vec::<&str>::new());
}

#[test]
fn a_commit_timeout_that_no_clock_can_add_is_refused() {
    let hour = 60 * MINUTE;
    for timeout in [hour + Duration::from_millis(1), Duration::MAX] {
        assert_eq!(refused(|policy| policy.commit_timeout = timeout), ["commit_timeout"]);
    }
    assert_eq!(refused(|policy| policy.commit_timeout = hour), Vec::<&str>::new());
    let policy = Policy { commit_timeout: Duration::MAX, ..Policy::default() };
    let message = policy.check().unwrap_err().to_string();
    assert!(message.contains("commit_timeout: more than 1h"), "{message}");
}

#[test]
fn a_share_is_between_zero_and_one() {
    for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(refused(|policy| policy.refresh_below = share), ["refresh_below"], "{share}");
    }
    for share in [0.0, 1.0] {
        assert_eq!(refused(|policy| policy.refresh_below = share), Vec::<&str>::new());
    }
}

#[test]
fn cookie_names_that_would_break_the_header_are_refused() {
    let long = "x".repeat(129);
    for name in ["", "a b", "a;b", "a=b", "a,b", "a\"b", "a\r\nSet-Cookie: b", "é", "a\0", &long] {
        assert_eq!(refused(|policy| policy.cookie.name = name.into()), ["cookie.name"], "{name:?}");
    }
    for path in ["", "shop", "/a;Domain=evil", "/a\r\n", "/é"] {
        let change = |policy: &mut Policy| {
            policy.cookie.name = "id".into();
            policy.cookie.path = path.into();
        };
        assert_eq!(refused(change), ["cookie.path"], "{path:?}");
    }
    for domain in ["", "a b", "a;b", "a\r\nb", "é.example"] {
        let change = |policy: &mut Policy| {
            policy.cookie.name = "id".into();
            policy.cookie.domain = Some(domain.into());
        };
        assert_eq!(refused(change), ["cookie.domain"], "{domain:?}");
    }
}

#[test]
fn the_host_prefix_forbids_a_path_and_a_domain() {
    assert_eq!(refused(|policy| policy.cookie.path = "/shop".into()), ["cookie.name"]);
    let domain = |policy: &mut Policy| policy.cookie.domain = Some("example.org".into());
    assert_eq!(refused(domain), ["cookie.name"]);
    let secure = |policy: &mut Policy| {
        policy.cookie.name = "__Secure-id".into();
        policy.cookie.path = "/shop".into();
        policy.cookie.domain = Some("example.org".into());
    };
    assert_eq!(refused(secure), Vec::<&str>::new());
}

#[test]
fn a_prefix_holds_in_capital_and_in_small_letters() {
    for name in ["__host-id", "__HOST-id", "__hOsT-id"] {
        let change = |policy: &mut Policy| {
            policy.cookie.name = name.into();
            policy.cookie.path = "/shop".into();
        };
        assert_eq!(refused(change), ["cookie.name"], "{name}");
    }
    for name in ["__host-id", "__SECURE-id", "__Host-__Host-id", "__secure-__HOST-id"] {
        let mut policy = Policy::for_local_development();
        policy.cookie.name = name.into();
        assert_eq!(policy.effective().cookie.name, "id", "{name}");
    }
    for name in ["__Host", "_Host-id", "host-id", "__Hostid"] {
        let mut policy = Policy::for_local_development();
        policy.cookie.name = name.into();
        assert_eq!(policy.effective().cookie.name, name, "no prefix");
    }
}

#[test]
fn a_name_that_is_a_prefix_alone_is_refused_where_the_prefix_is_taken_away() {
    for name in ["__Host-", "__Secure-", "__host-", "__Secure-__Host-"] {
        let change = |policy: &mut Policy| {
            policy.local_plain_http = true;
            policy.cookie.name = name.into();
        };
        assert_eq!(refused(change), ["cookie.name"], "{name}");
        assert_eq!(refused(|policy| policy.cookie.name = name.into()), Vec::<&str>::new());
    }
}

#[test]
fn a_cookie_for_every_site_needs_https() {
    let change = |policy: &mut Policy| {
        policy.local_plain_http = true;
        policy.cookie.same_site = SameSite::None;
    };
    assert_eq!(refused(change), ["cookie.same_site"]);
    assert_eq!(refused(|policy| policy.cookie.same_site = SameSite::None), Vec::<&str>::new());
}

#[test]
fn all_problems_are_reported_at_once_each_with_its_remedy() {
    let everything = |policy: &mut Policy| {
        policy.idle_timeout = Duration::ZERO;
        policy.absolute_timeout = 500 * DAY;
        policy.cookie.path = "shop".into();
        policy.cookie.domain = Some(String::new());
        policy.refresh_below = 2.0;
        policy.commit_timeout = Duration::ZERO;
    };
    let wanted = [
        "idle_timeout",
        "absolute_timeout",
        "cookie.path",
        "cookie.domain",
        "cookie.name",
        "refresh_below",
        "commit_timeout",
    ];
    assert_eq!(refused(everything), wanted);
    let mut policy = Policy::default();
    everything(&mut policy);
    let error = policy.check().unwrap_err();
    assert_eq!(error.kind(), crate::error::ConfigErrorKind::Invalid);
    for problem in error.problems() {
        assert!(error.to_string().contains(&format!("{}: {}", problem.field, problem.message)));
    }
}

#[test]
fn local_plain_http_takes_secure_and_the_prefix_away_and_nothing_else_does() {
    let plain = Policy::for_local_development().effective();
    assert_eq!((plain.cookie.name.as_str(), plain.cookie.secure), ("id", false));
    let mut policy = Policy::for_local_development();
    policy.cookie.name = "__Secure-shop".into();
    assert_eq!(policy.effective().cookie.name, "shop");
    assert_eq!(Policy::default().effective(), Policy::default());
}
