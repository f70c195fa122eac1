//! `cloakroom list`, `show` and `stats`: what they tell, of whom, and what never reaches a terminal.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod process;
    pub mod sessions;
}

use std::io::Read;
use std::process::Stdio;

use cloakroom_redis::{AclRule, DEFAULT_PREFIX};
use cloakroom_testkit::{ClusterSet, FakeRequest, RedisServer};
use serde_json::Value;
use support::process::{Left, cloakroom, run_with};
use support::sessions::{Application, FIREFOX};

/// Orders to a terminal, changes of direction and what is not to be seen.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\r\u{202e}nna\u{2066}\u{200b}\u{7f}";

/// Runs a command on a server, after which nothing hostile, secret or coloured may be in its output.
async fn run(url: &str, arguments: &[&str]) -> Left {
    let left = run_with(&[("CLOAKROOM_REDIS_URL", url)], arguments).await;
    for text in [&left.output, &left.errors] {
        assert!(!text.chars().any(|it| it.is_control() && it != '\n'), "{text:?}");
        let hidden = ['\u{202e}', '\u{2066}', '\u{200b}'];
        assert!(!text.contains(hidden) && !text.contains("of-the-session"), "{text:?}");
    }
    left
}

/// The same for a command that succeeds and says nothing beside its result.
async fn done(url: &str, arguments: &[&str]) -> String {
    let left = run(url, arguments).await;
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    left.output
}

fn json_lines(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sorted_ids(output: &str) -> Vec<String> {
    let mut ids: Vec<_> =
        json_lines(output).iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn sessions_are_listed_by_what_they_are() {
    let server = RedisServer::start().await.unwrap();
    let url = server.plain_url();
    let application = Application::on(&url).await;
    let ann = [application.sign_in("ann").await, application.sign_in("ann").await];
    let bob = application.sign_in("bob").await;
    let nobody = application.visit(FakeRequest::new(), None).await;
    let expected = |browsers: &[&support::sessions::Browser]| {
        let mut ids: Vec<_> = browsers.iter().map(|browser| browser.id.to_string()).collect();
        ids.sort_unstable();
        ids
    };
    let all = [&ann[0], &ann[1], &bob, &nobody];
    for (filter, browsers) in [
        (&[][..], &all[..]),
        (&["--owner", "ann"], &all[..2]),
        (&["--owner", "carl"], &[]),
        (&["--signed-in"], &all[..3]),
        (&["--anonymous"], &all[3..]),
        (&["--older-than", "0s"], &all),
        (&["--older-than", "1h"], &[]),
        (&["--younger-than", "1h", "--owner", "bob"], &all[2..3]),
        (&["--idle-for", "1h"], &[]),
    ] {
        let listed = done(&url, &[&["list", "--json"], filter].concat()).await;
        assert_eq!(sorted_ids(&listed), expected(browsers), "{filter:?}");
    }
    let limited = done(&url, &["list", "--json", "--limit", "2"]).await;
    assert_eq!(limited.lines().count(), 2);
    let first = done(&url, &["list", "--json", "--sort", "created", "--limit", "1"]).await;
    assert_eq!(sorted_ids(&first), expected(&all[..1]));
    let text = done(&url, &["list", "--owner", "bob"]).await;
    assert!(text.starts_with("SESSION ") && text.ends_with("\n1 session\n"), "{text}");
    let line = text.lines().nth(1).unwrap();
    assert!(line.contains("192.0.2.7") && line.ends_with(" bob"), "{line}");
    assert!(line.contains("Firefox on Linux"), "{line}");
    let none = done(&url, &["list", "--owner", "carl"]).await;
    assert_eq!(none, "no session is like that\n");
}

#[tokio::test]
async fn a_list_of_one_owner_asks_the_index_and_never_walks() {
    let server = RedisServer::start().await.unwrap();
    let application = Application::on(&server.plain_url()).await;
    application.put_many(3000).await;
    application.sign_in("ann").await;
    let listed = done(&server.plain_url(), &["list", "--owner", "ann", "--json"]).await;
    assert_eq!(listed.lines().count(), 1);
    assert_eq!(server.calls("scan").await.unwrap(), 0);
}

#[tokio::test]
async fn one_session_is_shown_with_all_but_its_values() {
    let server = RedisServer::start().await.unwrap();
    let url = server.plain_url();
    let application = Application::on(&url).await;
    let id = application.sign_in("ann").await.id.to_string();
    let text = done(&url, &["show", &id]).await;
    for part in [&id, "owner          ann\n", FIREFOX, "192.0.2.7", "Firefox on Linux", "30m"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let told: Value = serde_json::from_str(&done(&url, &["show", &id, "--json"]).await).unwrap();
    assert_eq!((&told["id"], &told["owner"]), (&Value::from(id.as_str()), &Value::from("ann")));
    assert_eq!(told["idle_timeout_seconds"], 1800);
    assert_eq!(told["commits"], 1);
    assert!(told["bytes"].as_u64().unwrap() > 132);
    // Capital letters are the same id.
    done(&url, &["show", &id.to_uppercase()]).await;
}

#[tokio::test]
async fn what_is_not_there_and_what_is_no_id_have_exit_codes_of_their_own() {
    let server = RedisServer::start().await.unwrap();
    let url = server.plain_url();
    let left = run(&url, &["show", &"0".repeat(32)]).await;
    assert_eq!((left.status.code(), left.output.as_str()), (Some(5), ""), "{left:?}");
    // A ticket that was pasted by mistake is not repeated.
    let ticket = "Q29uZ3JhdHVsYXRpb25zQ29uZ3JhdHVsYXRpb25z";
    for arguments in [&["show", ticket][..], &["revoke", "--yes", ticket]] {
        let left = run(&url, arguments).await;
        assert_eq!((left.status.code(), left.output.as_str()), (Some(2), ""), "{left:?}");
        assert!(!left.errors.contains("Q29u") && left.errors.contains("32 hex"), "{left:?}");
    }
    let odd = "1".repeat(32);
    server.ask(["SET", &format!("cloakroom:session:{odd}"), "of somebody else"]).await.unwrap();
    let left = run(&url, &["show", &odd]).await;
    assert_eq!((left.status.code(), left.output.as_str()), (Some(1), ""), "{left:?}");
    let left = run(&url, &["list"]).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    assert!(left.errors.contains("one key below the prefix holds something else"), "{left:?}");
    assert_eq!(run(&url, &["list", "--sort", "created"]).await.status.code(), Some(2));
    let contradiction = ["list", "--anonymous", "--owner", "ann"];
    assert_eq!(run(&url, &contradiction).await.status.code(), Some(2));
}

#[tokio::test]
async fn what_visitors_write_gives_a_terminal_no_orders() {
    let server = RedisServer::start().await.unwrap();
    let url = server.plain_url();
    let application = Application::on(&url).await;
    let request = FakeRequest::new().peer("192.0.2.7").user_agent(HOSTILE);
    let id = application.visit(request, Some(HOSTILE)).await.id.to_string();
    let key = cloakroom::SessionKey::from_name("x");
    application.put(key, Some("bob"), HOSTILE, HOSTILE).await;
    for arguments in [
        &["list"][..],
        &["list", "--owner", HOSTILE],
        &["list", "--sort", "size", "--limit", "9"],
        &["show", &id],
        &["show", &key.public_id().to_string()],
        &["stats", "--full"],
        &["revoke-owner", HOSTILE, "--dry-run"],
        &["revoke-before", "0s", "--dry-run"],
    ] {
        let text = done(&url, arguments).await;
        assert!(arguments[0] != "show" || text.contains(r"\u{1b}]0;owned"), "{text}");
        let machines = done(&url, &[arguments, &["--json"]].concat()).await;
        assert!(machines.is_ascii(), "{machines}");
    }
    let refused = run(&url, &["revoke-owner", HOSTILE]).await;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    // Machines are told it as it is.
    let told = json_lines(&done(&url, &["list", "--owner", HOSTILE, "--json"]).await);
    assert_eq!((&told[0]["owner"], &told[0]["user_agent"]), (&HOSTILE.into(), &HOSTILE.into()));
}

#[tokio::test]
async fn sessions_are_counted_by_all_that_they_are() {
    let server = RedisServer::start().await.unwrap();
    let url = server.plain_url();
    let application = Application::on(&url).await;
    application.sign_in("ann").await;
    application.sign_in("ann").await;
    application.sign_in("bob").await;
    application.visit(FakeRequest::new(), None).await;
    let told: Value = serde_json::from_str(&done(&url, &["stats", "--json"]).await).unwrap();
    assert_eq!((told["sessions"].as_u64(), told.get("owners")), (Some(4), None));
    assert_eq!(told["server"]["maxmemory_policy"], "noeviction");
    let full = done(&url, &["stats", "--full", "--json"]).await;
    let full: Value = serde_json::from_str(&full).unwrap();
    let number = |name: &str| full[name].as_u64().unwrap();
    assert_eq!(["sessions", "signed_in", "anonymous", "owners"].map(number), [4, 3, 1, 2]);
    assert_eq!((number("bytes"), number("unreadable")), (told["bytes"].as_u64().unwrap(), 0));
    assert!(number("median_bytes") > 132 && number("largest_bytes") >= number("median_bytes"));
    for spans in [&full["ages"], &full["idle"]] {
        let groups = spans.as_array().unwrap();
        let counts = groups.iter().map(|it| it["sessions"].as_u64().unwrap());
        assert_eq!((counts.sum::<u64>(), groups[0]["below_seconds"].as_u64()), (4, Some(60)));
    }
    let text = done(&url, &["stats", "--full"]).await;
    for line in ["sessions     4", "signed in    3", "owners       2", "anonymous    1"] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
}

#[tokio::test]
async fn a_cluster_is_looked_at_altogether() {
    let cluster = ClusterSet::start().await.unwrap();
    let url = cluster.plain_url();
    let application = Application::on(&url).await;
    application.put_many(300).await;
    let id = application.sign_in("ann").await.id.to_string();
    assert_eq!(sorted_ids(&done(&url, &["list", "--json"]).await).len(), 301);
    let of_ann = done(&url, &["list", "--owner", "ann", "--json"]).await;
    assert_eq!(sorted_ids(&of_ann), [id.as_str()]);
    done(&url, &["show", &id]).await;
    let full = done(&url, &["stats", "--full", "--json"]).await;
    let full: Value = serde_json::from_str(&full).unwrap();
    assert_eq!((full["sessions"].as_u64(), full["owners"].as_u64()), (Some(301), Some(101)));
    assert_eq!(full["server"]["nodes"], cluster.primaries().await.len().to_string());
}

#[tokio::test]
async fn the_rights_of_the_applications_user_are_enough_for_every_command() {
    let rule = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap();
    let server = RedisServer::builder().password("of-nobody");
    let server = server.user("app", "pw", &rule.access_string()).start().await.unwrap();
    let url = server.url_as("app", "pw");
    let application = Application::on(&url).await;
    let id = application.sign_in("ann").await.id.to_string();
    for arguments in [
        &["stats", "--full"][..],
        &["list"],
        &["list", "--owner", "ann"],
        &["show", &id],
        &["revoke-before", "1h", "--yes"],
        &["revoke", &id, "--yes"],
        &["revoke-owner", "ann", "--yes"],
    ] {
        done(&url, arguments).await;
    }
}

#[tokio::test]
async fn a_reader_who_goes_away_ends_a_list() {
    let server = RedisServer::start().await.unwrap();
    let application = Application::on(&server.plain_url()).await;
    application.put_many(10_000).await;
    let before = server.calls("scan").await.unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = cloakroom(&[("CLOAKROOM_REDIS_URL", &server.plain_url())], &["list"]);
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let left = child.wait_with_output().await.unwrap();
    assert_eq!((left.status.code(), left.stderr.len()), (Some(0), 0));
    let scans = server.calls("scan").await.unwrap() - before;
    assert!(scans <= 2, "{scans} steps for nobody");
}

#[tokio::test]
async fn sessions_are_counted_for_a_user_who_may_not_ask_for_the_servers_figures() {
    let rule = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap();
    let rights = rule.access_string().replace(" +info", "");
    let server = RedisServer::builder().user("app", "pw", &rights).start().await.unwrap();
    let url = server.url_as("app", "pw");
    Application::on(&url).await.sign_in("ann").await;
    // A value of others that is as long as a record.
    let odd = format!("cloakroom:session:{}", "1".repeat(32));
    server.ask(["SET", &odd, &"x".repeat(200)]).await.unwrap();
    let text = done(&url, &["stats"]).await;
    for line in ["sessions     1", "memory       unknown", "eviction     unknown"] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    let full: Value =
        serde_json::from_str(&done(&url, &["stats", "--full", "--json"]).await).unwrap();
    assert_eq!((full["sessions"].as_u64(), full["unreadable"].as_u64()), (Some(1), Some(1)));
    assert_eq!(full["server"].get("used_memory"), None);
}

#[tokio::test]
async fn the_question_and_the_result_name_the_database_and_the_prefix() {
    let server = RedisServer::start().await.unwrap();
    let port = server.port();
    let variables = [
        ("CLOAKROOM_REDIS_URL", &*format!("redis://127.0.0.1:{port}/3")),
        ("CLOAKROOM_REDIS_PREFIX", "shop:"),
    ];
    let place = format!("Redis at 127.0.0.1:{port}, database 3, prefix shop:");
    let id = "0".repeat(32);
    for command in [&["revoke", &id][..], &["revoke-owner", "ann"], &["revoke-before", "0s"]] {
        // What the last one asks it asks a person only, with the moment by the storage's clock.
        if command[0] != "revoke-before" {
            let asked = run_with(&variables, command).await;
            assert!(asked.errors.contains(&format!("in {place}")), "{asked:?}");
        }
        let told = run_with(&variables, &[command, &["--dry-run", "--json"]].concat()).await;
        let told: Value = serde_json::from_str(&told.output).unwrap();
        assert_eq!(told["place"], *place, "{command:?}");
    }
    let told = run_with(&variables, &["stats", "--json"]).await;
    let told: Value = serde_json::from_str(&told.output).unwrap();
    assert_eq!(told["place"], *place);
}

#[cfg(unix)]
#[tokio::test]
async fn a_list_whose_reader_stands_still_ends_when_it_is_asked_to() {
    let server = RedisServer::start().await.unwrap();
    Application::on(&server.plain_url()).await.put_many(5000).await;
    for signal in ["INT", "TERM"] {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let url = server.plain_url();
        let mut command = cloakroom(&[("CLOAKROOM_REDIS_URL", &url)], &["list", "--json"]);
        let mut child = command.stdout(writer).spawn().unwrap();
        drop(command);
        // What has begun to come is more than a pipe holds.
        reader.read_exact(&mut [0]).unwrap();
        let process = child.id().unwrap().to_string();
        let mut kill = tokio::process::Command::new("kill");
        assert!(kill.args([&format!("-{signal}"), &process]).status().await.unwrap().success());
        let ended = tokio::time::timeout(std::time::Duration::from_secs(10), child.wait()).await;
        assert_eq!(ended.unwrap().unwrap().code(), Some(130));
        drop(reader);
    }
}
