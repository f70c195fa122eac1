//! `cloakroom revoke`, `revoke-owner` and `revoke-before`: what they end, what they leave, and what
//! they say where a server does not take it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod process;
    pub mod sessions;
}

use std::process::Stdio;
use std::time::Duration;

use cloakroom_redis::{AclRule, DEFAULT_PREFIX};
use cloakroom_testkit::{ClusterSet, RedisServer};
use serde_json::Value;
use support::process::{Left, cloakroom, run_with};
use support::sessions::{Application, Browser, keys, moment};

async fn run(url: &str, arguments: &[&str]) -> Left {
    let left = run_with(&[("CLOAKROOM_REDIS_URL", url)], arguments).await;
    for text in [&left.output, &left.errors] {
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text}");
    }
    left
}

async fn done(url: &str, arguments: &[&str]) -> String {
    let left = run(url, arguments).await;
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    left.output
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn start() -> (RedisServer, String, Application) {
    let server = RedisServer::start().await.unwrap();
    let url = server.plain_url();
    let application = Application::on(&url).await;
    (server, url, application)
}

#[tokio::test]
async fn sessions_end_by_their_ids_and_leave_their_owners_index() {
    let (server, url, application) = start().await;
    let (first, second) = (application.sign_in("ann").await, application.sign_in("ann").await);
    let [id, other, absent] = [first.id.to_string(), second.id.to_string(), "0".repeat(32)];
    let told = json(&done(&url, &["revoke", &id, &id, "--yes", "--json"]).await);
    assert_eq!(told["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(told["sessions"][0]["outcome"], "ended");
    assert!(!application.admits(&first).await && application.admits(&second).await);
    let left = run(&url, &["revoke", &absent, &other, "--yes"]).await;
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(5), ""), "{left:?}");
    let lines = format!("{absent}  there is no such session\n{other}  ended\n");
    assert_eq!(left.output, lines);
    assert!(!application.admits(&second).await);
    assert_eq!(keys(&server).await, 0);
}

#[tokio::test]
async fn hundreds_end_by_one_command() {
    let (server, url, application) = start().await;
    application.put_many(600).await;
    let listed = done(&url, &["list", "--json"]).await;
    let ids: Vec<_> =
        listed.lines().map(|line| json(line)["id"].as_str().unwrap().to_owned()).collect();
    let all: Vec<_> = ids.iter().map(String::as_str).collect();
    let text = done(&url, &[&["revoke", "--yes"], &all[..]].concat()).await;
    let told: Vec<_> = text.lines().map(|line| line.split_once("  ").unwrap()).collect();
    assert_eq!(told, all.iter().map(|id| (*id, "ended")).collect::<Vec<_>>());
    assert_eq!(keys(&server).await, 0);
}

#[tokio::test]
async fn nothing_ends_in_a_trial_or_without_a_yes() {
    let (_server, url, application) = start().await;
    let browser = application.sign_in("ann").await;
    let id = browser.id.to_string();
    let commands = [&["revoke", &id][..], &["revoke-owner", "ann"], &["revoke-before", "0s"]];
    for command in commands {
        let left = run(&url, command).await;
        assert_eq!((left.status.code(), left.output.as_str()), (Some(2), ""), "{left:?}");
        assert!(left.errors.contains("add --yes"), "{left:?}");
        let text = done(&url, &[command, &["--dry-run"]].concat()).await;
        assert!(text.contains("would end"), "{text}");
        // The trial counts, whatever else was said.
        let told = json(&done(&url, &[command, &["--dry-run", "--yes", "--json"]].concat()).await);
        assert_eq!(told["dry_run"], true);
        assert!(told["ended"] == 1 || told["sessions"][0]["outcome"] == "would_end", "{told}");
        assert!(application.admits(&browser).await, "{command:?}");
    }
    let left = run(&url, &["revoke", &"0".repeat(32), "--dry-run"]).await;
    assert_eq!(left.status.code(), Some(5), "{left:?}");
}

#[tokio::test]
async fn an_owners_sessions_end_all_or_all_but_one() {
    let (_server, url, application) = start().await;
    let kept = application.sign_in("ann").await;
    let (ann, bob) = (application.sign_in("ann").await, application.sign_in("bob").await);
    let keep = ["revoke-owner", "ann", "--yes", "--keep", &kept.id.to_string()];
    let trial = json(&done(&url, &[&keep[..], &["--dry-run", "--json"]].concat()).await);
    assert_eq!(trial["sessions"][0], ann.id.to_string());
    let text = done(&url, &keep).await;
    assert_eq!(text, format!("1 session of ann has ended, {} stays\n", kept.id));
    assert!(application.admits(&kept).await && !application.admits(&ann).await);
    // Nothing ends where the one that shall stay is not the owner's.
    let wrong = ["revoke-owner", "ann", "--yes", "--keep", &bob.id.to_string()];
    let left = run(&url, &wrong).await;
    assert_eq!((left.status.code(), left.output.as_str()), (Some(1), ""), "{left:?}");
    assert!(left.errors.contains("nothing was done"), "{left:?}");
    let over = ["revoke-owner", "ann", "--yes", "--keep", &ann.id.to_string()];
    assert_eq!(run(&url, &over).await.status.code(), Some(5));
    assert!(application.admits(&kept).await && application.admits(&bob).await);
    let told = json(&done(&url, &["revoke-owner", "ann", "--yes", "--json"]).await);
    assert_eq!((&told["ended"], &told["pending"]), (&1.into(), &0.into()));
    assert!(!application.admits(&kept).await && application.admits(&bob).await);
    assert_eq!(
        done(&url, &["revoke-owner", "ann", "--yes"]).await,
        "0 sessions of ann have ended\n"
    );
}

#[tokio::test]
async fn what_was_created_before_a_moment_ends_and_nothing_else() {
    let (server, url, application) = start().await;
    let old = application.sign_in("ann").await;
    let moment = moment(&server).await;
    let new = application.sign_in("ann").await;
    let trial = done(&url, &["revoke-before", &moment, "--dry-run"]).await;
    assert_eq!(trial, format!("1 session created before {moment} would end, 2 were looked at\n"));
    let told = json(&done(&url, &["revoke-before", &moment, "--yes", "--json"]).await);
    assert_eq!((&told["ended"], &told["looked_at"]), (&1.into(), &2.into()));
    let end = (told["complete"].as_bool(), told["before"].as_str(), told["position"].as_str());
    assert_eq!(end, (Some(true), Some(moment.as_str()), None));
    assert!(!application.admits(&old).await && application.admits(&new).await);
    assert!(done(&url, &["revoke-before", "1h", "--yes"]).await.starts_with("0 sessions"));
    assert!(application.admits(&new).await);
    // A moment to come would end some of what is created meanwhile.
    let left = run(&url, &["revoke-before", "2999-01-01T00:00:00Z", "--yes"]).await;
    assert_eq!(left.status.code(), Some(2), "{left:?}");
    assert!(left.errors.contains("still to come"), "{left:?}");
    let left = run(&url, &["revoke-before", "1h", "--yes", "--resume", "nonsense"]).await;
    assert_eq!((left.status.code(), left.output.as_str()), (Some(2), ""), "{left:?}");
    assert_eq!(left.errors, "cloakroom: the position is none of a walk over a Redis\n");
    assert!(application.admits(&new).await);
}

#[tokio::test]
async fn a_command_that_waits_for_its_server_can_be_ended() {
    let (server, url, application) = start().await;
    let browser = application.sign_in("ann").await;
    server.ask(["CONFIG", "SET", "min-replicas-to-write", "1"]).await.unwrap();
    for command in [&["revoke", &browser.id.to_string()][..], &["revoke-owner", "ann"]] {
        let arguments = [command, &["--yes"]].concat();
        let mut command = cloakroom(&[("CLOAKROOM_REDIS_URL", &url)], &arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let process = child.id().unwrap().to_string();
        let calls = server.calls("evalsha").await.unwrap();
        while server.calls("evalsha").await.unwrap() == calls {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut kill = tokio::process::Command::new("kill");
        assert!(kill.args(["-TERM", &process]).status().await.unwrap().success());
        let left = child.wait_with_output().await.unwrap();
        let errors = String::from_utf8(left.stderr).unwrap();
        assert_eq!((left.status.code(), left.stdout.len()), (Some(130), 0), "{errors}");
        assert!(errors.contains("may still live"), "{errors}");
    }
    assert!(application.admits(&browser).await);
}

#[tokio::test]
async fn what_is_no_session_goes_by_its_id_only() {
    let (server, url, _application) = start().await;
    let id = "1".repeat(32);
    let name = format!("cloakroom:session:{id}");
    server.ask(["SET", &name, "of somebody else"]).await.unwrap();
    for (mode, code) in [("--dry-run", 0), ("--yes", 1)] {
        let left = run(&url, &["revoke-before", "0s", mode]).await;
        assert_eq!(left.status.code(), Some(code), "{left:?}");
        assert!(left.output.starts_with("0 sessions"), "{left:?}");
        assert!(left.output.ends_with(", 1 cannot be read and left alone\n"), "{left:?}");
    }
    let left = done(&url, &["revoke", &id, "--dry-run", "--json"]).await;
    assert_eq!(json(&left)["sessions"][0]["outcome"], "unreadable");
    assert_eq!(server.ask(["GET", &name]).await.unwrap().text(), "of somebody else");
    done(&url, &["revoke", &id, "--yes"]).await;
    assert_eq!(keys(&server).await, 0);
}

/// As a newer release writes it: its format has another version.
async fn rewrite(server: &RedisServer, browser: &Browser) {
    let name = format!("cloakroom:session:{}", browser.id);
    server.ask(["SETRANGE", &name, "4", "\u{2}"]).await.unwrap();
}

#[tokio::test]
async fn a_session_that_was_left_alone_is_a_failure_and_not_a_success() {
    let (server, url, application) = start().await;
    let (ann, newer) = (application.sign_in("ann").await, application.sign_in("ann").await);
    rewrite(&server, &newer).await;
    let trial = json(&done(&url, &["revoke-owner", "ann", "--dry-run", "--json"]).await);
    assert_eq!((&trial["ended"], &trial["unreadable"]), (&1.into(), &1.into()));
    let left = run(&url, &["revoke-owner", "ann", "--yes", "--json"]).await;
    assert_eq!((left.status.code(), left.errors.lines().count()), (Some(1), 1), "{left:?}");
    assert!(left.errors.contains("1 cannot be read by this release"), "{left:?}");
    let told = json(&left.output);
    assert_eq!((&told["ended"], &told["unreadable"]), (&1.into(), &1.into()));
    assert_eq!(told["pending"], 0);
    assert!(!application.admits(&ann).await && application.lives(newer.id).await);
    let left = run(&url, &["revoke-owner", "ann", "--yes"]).await;
    let text = "0 sessions of ann have ended, 1 cannot be read and left alone\n";
    assert_eq!((left.status.code(), left.output.as_str()), (Some(1), text), "{left:?}");

    let ann = application.sign_in("ann").await;
    let moment = moment(&server).await;
    let told = json(&done(&url, &["revoke-before", &moment, "--dry-run", "--json"]).await);
    assert_eq!((&told["ended"], &told["unreadable"]), (&1.into(), &1.into()));
    let left = run(&url, &["revoke-before", &moment, "--yes", "--json"]).await;
    assert_eq!((left.status.code(), left.errors.lines().count()), (Some(1), 1), "{left:?}");
    let told = json(&left.output);
    assert_eq!((&told["ended"], &told["unreadable"]), (&1.into(), &1.into()));
    let end = (&told["complete"], &told["position"], &told["at_least"]);
    assert_eq!(end, (&false.into(), &Value::Null, &false.into()));
    assert!(!application.admits(&ann).await && application.lives(newer.id).await);
}

#[tokio::test]
async fn a_cluster_is_revoked_altogether() {
    let cluster = ClusterSet::start().await.unwrap();
    let url = cluster.plain_url();
    let application = Application::on(&url).await;
    application.put_many(300).await;
    let (ann, bob) = (application.sign_in("ann").await, application.sign_in("bob").await);
    done(&url, &["revoke", &bob.id.to_string(), "--yes"]).await;
    done(&url, &["revoke-owner", "ann", "--yes"]).await;
    assert!(!application.admits(&ann).await && !application.admits(&bob).await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let told = json(&done(&url, &["revoke-before", "0s", "--yes", "--json"]).await);
    assert_eq!((&told["ended"], &told["complete"]), (&300.into(), &true.into()));
    for primary in cluster.primaries().await {
        assert_eq!(keys(primary).await, 0);
    }
}

#[tokio::test]
async fn what_a_server_does_not_take_is_a_failure_and_not_a_promise() {
    let (server, url, application) = start().await;
    let (ann, bob) = (application.sign_in("ann").await, application.sign_in("bob").await);
    server.ask(["CONFIG", "SET", "min-replicas-to-write", "1"]).await.unwrap();
    let ids = [ann.id.to_string(), bob.id.to_string()];
    let by_id = ["revoke", &ids[0], &ids[1], "--yes", "--json"];
    let by_owner = ["revoke-owner", "ann", "--yes", "--json"];
    let by_age = ["revoke-before", "0s", "--yes", "--json"];
    let (by_id, by_owner, by_age) =
        tokio::join!(run(&url, &by_id), run(&url, &by_owner), run(&url, &by_age));
    for left in [&by_id, &by_owner, &by_age] {
        assert_eq!(left.status.code(), Some(1), "{left:?}");
        assert_eq!(left.errors.lines().count(), 1, "{left:?}");
    }
    assert!(by_id.errors.contains("2 sessions may still live"), "{by_id:?}");
    assert_eq!(json(&by_id.output)["sessions"][0]["outcome"], "pending");
    assert!(by_owner.errors.contains("1 session may still live"), "{by_owner:?}");
    let told = json(&by_owner.output);
    assert_eq!((&told["ended"], &told["pending"]), (&0.into(), &1.into()));
    assert!(by_age.errors.contains("go on there with: cloakroom revoke-before"), "{by_age:?}");
    assert!(application.admits(&ann).await && application.admits(&bob).await);
    // A server that comes back while the command waits is enough.
    let back = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        server.ask(["CONFIG", "SET", "min-replicas-to-write", "0"]).await.unwrap();
    };
    let asked = ["revoke", &ids[0], "--yes"];
    let (left, ()) = tokio::join!(run(&url, &asked), back);
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    assert!(left.output.ends_with("  ended\n"), "{left:?}");
    assert!(!application.admits(&ann).await && application.admits(&bob).await);
}

#[tokio::test]
async fn nothing_is_taken_for_ended_on_a_replica_that_has_not_heard_of_it() {
    let (server, url, _application) = start().await;
    // Cut off from a primary that is gone.
    server.ask(["REPLICAOF", "127.0.0.1", "1"]).await.unwrap();
    let id = "0".repeat(32);
    for command in [&["revoke", &id][..], &["revoke-owner", "ann"], &["revoke-before", "0s"]] {
        let left = run(&url, &[command, &["--yes"]].concat()).await;
        assert_eq!((left.status.code(), left.output.as_str()), (Some(1), ""), "{left:?}");
        assert!(left.errors.contains("is a replica"), "{left:?}");
        assert_eq!(left.errors.lines().count(), 1, "{left:?}");
    }
    for command in [&["list"][..], &["stats"], &["revoke-owner", "ann", "--dry-run"]] {
        let left = run(&url, command).await;
        assert_eq!(left.status.code(), Some(0), "{left:?}");
        assert!(left.errors.contains("is a replica, and may lack sessions"), "{left:?}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_ask_for_the_role_is_told_that_it_is_not_known() {
    let rule = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap();
    let rights = rule.access_string().replace(" +info", "").replace(" +role", "");
    let server = RedisServer::builder().password("of-nobody").user("app", "pw", &rights);
    let server = server.start().await.unwrap();
    let left = run(&server.url_as("app", "pw"), &["revoke-owner", "ann", "--yes"]).await;
    assert_eq!(left.output, "0 sessions of ann have ended\n", "{left:?}");
    assert!(left.errors.contains("needs +info"), "{left:?}");
}

#[tokio::test]
async fn machines_are_not_told_that_none_has_ended_where_nobody_knows() {
    let rule = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap();
    let rights = rule.access_string().replace(" +zrange", "");
    let server = RedisServer::builder().user("app", "pw", &rights).start().await.unwrap();
    let left = run(&server.url_as("app", "pw"), &["revoke-owner", "ann", "--yes", "--json"]).await;
    assert_eq!(left.status.code(), Some(1), "{left:?}");
    let told = json(&left.output);
    assert_eq!((&told["ended"], &told["pending"]), (&Value::Null, &Value::Null));
    let left = run(&server.url_as("app", "pw"), &["revoke-owner", "ann", "--yes"]).await;
    assert_eq!(left.output, "nobody knows how many sessions of ann have ended\n");
}

#[tokio::test]
async fn the_way_to_go_on_leads_to_the_same_server() {
    let (server, url, application) = start().await;
    let browser = application.sign_in("ann").await;
    server.ask(["CONFIG", "SET", "min-replicas-to-write", "1"]).await.unwrap();
    let moment = moment(&server).await;
    let place = ["--url", &url, "--prefix", "cloakroom:session:"];
    let arguments = [&["revoke-before", &moment, "--yes"], &place[..]].concat();
    let left = run("redis://127.0.0.1:1", &arguments).await;
    assert_eq!(left.status.code(), Some(1), "{left:?}");
    let hint = format!("cloakroom revoke-before {moment} --url {url} --prefix cloakroom:session:");
    assert!(left.errors.trim_end().ends_with(&hint), "{hint}: {left:?}");
    assert!(application.admits(&browser).await);
}

#[tokio::test]
async fn the_names_in_json_are_the_ones_that_scripts_read() {
    let (_server, url, application) = start().await;
    let id = application.sign_in("ann").await.id.to_string();
    let names = async |arguments: &[&str]| {
        let told = json(&done(&url, &[arguments, &["--json"]].concat()).await);
        let mut names: Vec<_> = told.as_object().unwrap().keys().cloned().collect();
        names.sort_unstable();
        names.join(" ")
    };
    let of_stats = "bytes place server sessions";
    let of_all = "absolute_deadline address age_seconds browser bytes commits created id \
                  idle_deadline idle_seconds idle_timeout_seconds last_seen owner signed_in ends \
                  user_agent";
    let mut of_all: Vec<_> = of_all.split_whitespace().collect();
    of_all.sort_unstable();
    let before = "at_least before complete dry_run ended looked_at place position unreadable";
    for (arguments, expected) in [
        (&["stats"][..], of_stats.to_owned()),
        (&["list"], of_all.join(" ")),
        (&["show", &id], of_all.join(" ")),
        (&["revoke", &id, "--dry-run"], "dry_run place sessions".to_owned()),
        (
            &["revoke-owner", "ann", "--dry-run"],
            "dry_run ended kept owner pending place sessions unreadable".to_owned(),
        ),
        (&["revoke-before", "0s", "--dry-run"], before.to_owned()),
        (&["revoke-before", "0s", "--yes"], before.to_owned()),
        (
            &["revoke-owner", "ann", "--yes"],
            "dry_run ended kept owner pending place unreadable".to_owned(),
        ),
        (
            &["stats", "--full"],
            "ages anonymous bytes idle largest_bytes median_bytes owners p99_bytes place server \
             sessions signed_in unreadable"
                .to_owned(),
        ),
    ] {
        assert_eq!(names(arguments).await, expected, "{arguments:?}");
    }
}
