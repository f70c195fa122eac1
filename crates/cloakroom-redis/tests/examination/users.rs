//! Users with too few rights, with as many as they need, and with too many.

use cloakroom_redis::{AclRule, DEFAULT_PREFIX, Severity, Topic, Verdict};
use cloakroom_testkit::{RedisServer, RedisServerBuilder};

use super::support::{SECRET, assert_found, assert_helps, examine, on, sound, verdict};

fn rules() -> String {
    AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap().access_string()
}

fn rules_without(right: &str) -> String {
    let (rules, lacking) = (rules(), format!("+{right}"));
    rules.split(' ').filter(|word| *word != lacking).collect::<Vec<_>>().join(" ")
}

/// A server into which other machines get without a password.
fn open_to_all() -> RedisServerBuilder {
    RedisServer::builder().setting("bind", "0.0.0.0").setting("protected-mode", "no")
}

#[tokio::test]
async fn the_user_with_the_fewest_rights_can_look_at_what_matters() {
    let server = sound().user("app", SECRET, &rules()).start().await.unwrap();
    let diagnosis = examine(server.url()).await;
    assert_helps(&diagnosis, Verdict::Sound);
    assert_found(&diagnosis, Topic::Rights, Severity::Ok, &["all"]);
    assert_found(&diagnosis, Topic::Scripts, Severity::Ok, &["written"]);
    assert_found(&diagnosis, Topic::Eviction, Severity::Ok, &[]);
    assert_found(&diagnosis, Topic::User, Severity::Ok, &["nobody is let in without"]);
    for (topic, right) in [(Topic::User, "+acl|whoami"), (Topic::Settings, "+config|get")] {
        assert_found(&diagnosis, topic, Severity::Hidden, &["not allowed to look", right]);
    }
    assert_eq!(server.ask(["DBSIZE"]).await.unwrap().number(), 0);
}

#[tokio::test]
async fn every_right_that_is_missing_is_named_with_what_it_is_for() {
    for (right, severity) in [
        ("evalsha", Severity::Error),
        ("get", Severity::Error),
        ("pexpireat", Severity::Error),
        ("scan", Severity::Warning),
        ("client|tracking", Severity::Warning),
    ] {
        let fewer = rules_without(right);
        let server = sound().user("app", SECRET, &fewer).start().await.unwrap();
        let diagnosis = examine(server.url()).await;
        let words = [format!("+{right} ("), "cloakroom acl".to_owned()];
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let found = assert_found(&diagnosis, Topic::Rights, severity, &words);
        assert_eq!(found.seen.matches('+').count(), 1, "{found:?}");
        let others = on(&diagnosis, Topic::Rights).len();
        assert_eq!(others, 1, "{right}: {diagnosis:#?}");
    }
}

#[tokio::test]
async fn a_user_without_info_hides_what_it_would_tell() {
    let fewer = rules_without("info");
    let server = sound().user("app", SECRET, &fewer).start().await.unwrap();
    let diagnosis = examine(server.url()).await;
    for topic in [Topic::Version, Topic::Role, Topic::Persistence, Topic::Eviction, Topic::Memory] {
        assert_found(&diagnosis, topic, Severity::Hidden, &["+info"]);
    }
    assert_eq!(verdict(&diagnosis), Verdict::Warnings, "{diagnosis:#?}");
}

#[tokio::test]
async fn another_prefix_than_the_users_is_an_error() {
    let server = sound().user("app", SECRET, &rules()).start().await.unwrap();
    let mut config = super::support::config(server.url());
    config.prefix = "shop:session:".to_owned();
    let diagnosis = super::support::examine_as(config).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::Rights, Severity::Error, &["+get (", "+set ("]);
}

#[tokio::test]
async fn a_server_without_a_password_is_told_and_worse_where_others_get_in() {
    let server = RedisServer::start().await.unwrap();
    let diagnosis = examine(server.plain_url()).await;
    let words = ["without a password", "this machine only", "requirepass"];
    assert_found(&diagnosis, Topic::User, Severity::Info, &words);
    let server = open_to_all().start().await.unwrap();
    let diagnosis = examine(server.plain_url()).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::User, Severity::Error, &["from other machines too"]);
    // What was told helps.
    let told = on(&diagnosis, Topic::User)[0].remedy.as_deref().unwrap();
    let order = told.split('`').nth(1).unwrap().replace("PASSWORD", SECRET);
    assert_eq!(server.ask(order.split(' ')).await.unwrap().text(), "OK", "{order}");
    let diagnosis = examine(server.url_as("default", SECRET)).await;
    assert_found(&diagnosis, Topic::User, Severity::Ok, &["nobody is let in"]);
    assert!(on(&diagnosis, Topic::User).iter().all(|it| it.severity < Severity::Warning));
}

#[tokio::test]
async fn a_user_with_a_password_does_not_hide_that_anybody_gets_in_beside_it() {
    for more in ["", "+acl|whoami +acl|getuser +config|get"] {
        let server = open_to_all().user("app", SECRET, &format!("{} {more}", rules()));
        let server = server.start().await.unwrap();
        let diagnosis = examine(server.url()).await;
        // Without the right to read settings nobody can know where they may come from.
        let severity = if more.is_empty() { Severity::Warning } else { Severity::Error };
        let words = ["anybody is let in without a password", "requirepass"];
        assert_found(&diagnosis, Topic::User, severity, &words);
        // A default user who may do nothing but answer is not the same.
        let rules = ["ACL", "SETUSER", "default", "-@all", "+ping", "+auth"];
        let beside = ["ACL", "SETUSER", "operator", "on", "nopass", "~*", "+@all"];
        server.ask(beside).await.unwrap();
        server.ask(rules).await.unwrap();
        let diagnosis = examine(server.url()).await;
        assert_found(&diagnosis, Topic::User, Severity::Info, &["may not read sessions"]);
        assert!(on(&diagnosis, Topic::User).iter().all(|it| it.severity < Severity::Warning));
    }
}

#[tokio::test]
async fn a_user_who_takes_any_password_is_an_error() {
    let server = open_to_all().password(SECRET).start().await.unwrap();
    let user = ["ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all"];
    server.ask(user).await.unwrap();
    let diagnosis = examine(server.url_as("app", "whatever")).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::User, Severity::Ok, &["nobody is let in without"]);
    let words = ["user app, with any password"];
    let found = assert_found(&diagnosis, Topic::User, Severity::Error, &words);
    let told = found.remedy.as_deref().unwrap();
    let order = told.split('`').nth(1).unwrap().replace("PASSWORD", SECRET);
    assert_eq!(server.ask(order.split(' ')).await.unwrap().text(), "OK", "{order}");
    assert_eq!(verdict(&examine(server.url_as("app", "whatever")).await), Verdict::NotExamined);
}

#[tokio::test]
async fn a_user_with_limited_rights_who_may_look_is_told_so() {
    let more = format!("{} +acl|whoami +acl|getuser +config|get", rules());
    let server = sound().user("app", SECRET, &more).start().await.unwrap();
    let diagnosis = examine(server.url()).await;
    assert_helps(&diagnosis, Verdict::Sound);
    assert_found(&diagnosis, Topic::User, Severity::Ok, &["app", "limited"]);
    assert_eq!(diagnosis.count(Severity::Hidden), 0, "{diagnosis:#?}");
    // More than that is told, without a loss of peace.
    let wide = format!("{more} +flushall ~*");
    let server = sound().user("app", SECRET, &wide).start().await.unwrap();
    let diagnosis = examine(server.url()).await;
    assert_helps(&diagnosis, Verdict::Sound);
    assert_found(&diagnosis, Topic::User, Severity::Info, &["user app may do more", "~*"]);
}

#[tokio::test]
async fn another_database_needs_a_right_more() {
    let server = sound().user("app", SECRET, &rules()).start().await.unwrap();
    let diagnosis = examine(format!("{}/3", server.url())).await;
    assert_eq!(verdict(&diagnosis), Verdict::NotExamined, "{diagnosis:#?}");
    let more = format!("{} +select", rules());
    let server = sound().user("app", SECRET, &more).start().await.unwrap();
    let diagnosis = examine(format!("{}/3", server.url())).await;
    assert_helps(&diagnosis, Verdict::Sound);
}

#[tokio::test]
async fn both_versions_of_the_protocol_tell_the_same() {
    let open = open_to_all().start().await.unwrap();
    let more = format!("{} +acl|whoami +acl|getuser +config|get", rules());
    let limited = sound().user("app", SECRET, &more).start().await.unwrap();
    let strange = sound().user("app", SECRET, &rules_without("scan")).start().await.unwrap();
    for url in [open.plain_url(), limited.url(), limited.plain_url(), strange.url()] {
        let mut told = Vec::new();
        for protocol in ["resp2", "resp3"] {
            let diagnosis = examine(format!("{url}?protocol={protocol}")).await;
            // What is measured, and what the protocol itself is about.
            let differs = [Topic::Reachability, Topic::Latency, Topic::Memory, Topic::NearCache];
            let findings = diagnosis.findings.into_iter();
            told.push(findings.filter(|it| !differs.contains(&it.topic)).collect::<Vec<_>>());
        }
        assert!(told[0].len() > 10, "{told:#?}");
        assert_eq!(told[0], told[1], "{url}");
    }
}

#[tokio::test]
async fn a_command_that_the_server_does_not_know_is_named() {
    for (command, right, severity) in
        [("EVALSHA", "evalsha", Severity::Error), ("SCAN", "scan", Severity::Warning)]
    {
        let server = sound().setting("rename-command", &format!("{command} \"\""));
        let server = server.start().await.unwrap();
        let diagnosis = examine(server.plain_url()).await;
        let right = format!("does not know +{right} (");
        let words = [right.as_str(), "rename-command"];
        let found = assert_found(&diagnosis, Topic::Rights, severity, &words);
        assert_eq!(found.seen.matches('+').count(), 1, "{found:?}");
        if severity == Severity::Error {
            assert_helps(&diagnosis, Verdict::Errors);
            let words = ["does not know a command", "rights"];
            assert_found(&diagnosis, Topic::Scripts, Severity::Error, &words);
        }
    }
}
