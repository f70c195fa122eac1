//! What `cloakroom import` does and prints.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod process;
}

use std::process::Stdio;
use std::time::Duration;

use cloakroom_testkit::RedisServer;
use serde_json::{Value, json};
use support::process::{Left, run_command};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const FROM: [&str; 3] = ["import", "--from", "connect-redis"];

async fn server() -> RedisServer {
    let server = RedisServer::start().await.unwrap();
    let script = "for i = 1, 3000 do \
        redis.call('SET', 'sess:id' .. i, '{\"cookie\":{},\"passport\":{\"user\":\"u' .. i .. '\"}}') \
      end redis.call('SET', 'sess:id-of-a-live-session', 's3cret')";
    server.ask(["EVAL", script, "0"]).await.unwrap();
    server
}

async fn import(server: &RedisServer, more: &[&str]) -> Left {
    let url = server.url();
    run_command(&[&FROM[..], &["--url", &url], more].concat()).await
}

fn report(left: &Left) -> Value {
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    serde_json::from_str(&left.output).unwrap()
}

#[tokio::test]
async fn sessions_are_imported_once_with_their_owners() {
    let server = server().await;
    let owner = ["--yes", "--json", "--owner-field", "passport.user"];
    let first = report(&import(&server, &owner).await);
    let expected = json!({
        "dry_run": false, "read": 3001, "written": 3000, "with_owner": 3000, "present": 0,
        "ended": 0, "owner_full": 0, "expired": 0, "empty": 0, "left_behind": [], "began_anew": false, "resume": null,
        "unreadable": [{
            "reason": "the value is not a JSON object", "count": 1, "examples": ["sess:id-o…"],
        }],
    });
    assert_eq!(first, expected);
    let again = report(&import(&server, &owner).await);
    assert_eq!((&again["written"], &again["present"]), (&json!(0), &json!(3000)));
}

#[tokio::test]
async fn an_imported_session_is_shown_without_times_that_nobody_knows() {
    let server = server().await;
    import(&server, &["--yes", "--owner-field", "passport.user"]).await;
    let url = server.url();
    let left = run_command(&["list", "--url", &url, "--json", "--owner", "u7"]).await;
    let session = report(&left);
    for unknown in ["created", "age_seconds", "signed_in"] {
        assert!(session[unknown].is_null(), "{unknown}: {session}");
    }
    let left = run_command(&["show", "--url", &url, session["id"].as_str().unwrap()]).await;
    assert!(left.output.contains("signed in      before the move\n"), "{left:?}");
    assert!(left.output.contains("created        before the move\n"), "{left:?}");
    let moment = "2001-01-01T00:00:00Z";
    let left = run_command(&["revoke-before", moment, "--yes", "--json", "--url", &url]).await;
    assert_eq!(report(&left)["ended"], json!(3000), "older than any moment");
    let again = import(&server, &["--yes", "--json", "--owner-field", "passport.user"]).await;
    assert_eq!((&report(&again)["written"], &report(&again)["ended"]), (&json!(0), &json!(3000)));
}

#[tokio::test]
async fn a_dry_run_asks_nobody_and_writes_nothing() {
    let server = server().await;
    let left = import(&server, &["--dry-run"]).await;
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    assert!(
        left.output.contains("      3000  would be written, 0 of them signed in\n"),
        "{left:?}"
    );
    assert!(left.output.contains("             1  the value is not a JSON object: sess:id-o…\n"));
    assert!(!left.output.contains("live-session") && !left.output.contains("s3cret"));
    assert_eq!(server.ask(["DBSIZE"]).await.unwrap().number(), 3001);
}

#[tokio::test]
async fn nothing_begins_where_nobody_can_be_asked() {
    let server = server().await;
    let left = import(&server, &[]).await;
    assert_eq!(left.status.code(), Some(2), "{left:?}");
    assert!(left.errors.contains("add --yes"), "{left:?}");
    assert_eq!(server.ask(["DBSIZE"]).await.unwrap().number(), 3001);
}

#[tokio::test]
async fn a_cursor_of_another_run_of_the_server_begins_anew_and_is_told() {
    let server = server().await;
    // As it was printed before a restart of the server.
    let cursor = format!("5120@127.0.0.1:{}#00000000", server.port());
    let left = import(&server, &["--yes", "--json", "--resume", &cursor]).await;
    let all = report(&left);
    assert_eq!((&all["read"], &all["began_anew"]), (&json!(3001), &json!(true)));
    let left = import(&server, &["--yes", "--resume", "somewhere"]).await;
    assert_eq!(left.status.code(), Some(2), "{left:?}");
    assert!(left.errors.contains("a cursor is what an earlier walk has printed"), "{left:?}");
}

#[tokio::test]
async fn a_field_that_signs_nobody_in_writes_nothing() {
    let server = server().await;
    let left = import(&server, &["--yes", "--owner-field", "passport.usr"]).await;
    assert_eq!((left.status.code(), left.output.as_str()), (Some(1), ""), "{left:?}");
    assert!(left.errors.contains("by the field passport.usr; nothing was written"), "{left:?}");
    assert_eq!(server.ask(["DBSIZE"]).await.unwrap().number(), 3001);
    let left = import(&server, &["--yes", "--json", "--owner-field", "passport.user"]).await;
    assert_eq!(report(&left)["with_owner"], json!(3000));
}

#[tokio::test]
async fn names_of_another_library_move_no_cursor_and_leave_ascii() {
    let server = RedisServer::start().await.unwrap();
    server.ask(["SET", "sess:\u{202e}\u{9b}31m", "broken"]).await.unwrap();
    let left = import(&server, &["--yes"]).await;
    assert!(left.output.contains(r"sess:\u{202e}\u{9b}31"), "{left:?}");
    assert!(!left.output.contains(['\u{202e}', '\u{9b}']), "{left:?}");
    let left = import(&server, &["--yes", "--json"]).await;
    assert!(left.output.is_ascii(), "{left:?}");
    assert_eq!(report(&left)["unreadable"][0]["examples"][0], "sess:\u{202e}\u{9b}31…");
}

#[tokio::test]
async fn a_password_among_the_arguments_is_told_and_one_in_the_environment_is_not() {
    let server = server().await;
    server.ask(["CONFIG", "SET", "requirepass", ""]).await.unwrap();
    server.ask(["ACL", "SETUSER", "ann", "on", ">s3cret", "~*", "+@all"]).await.unwrap();
    let url = server.url_as("ann", "s3cret");
    let left = import(&server, &["--dry-run", "--from-url", &url]).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    assert!(left.errors.contains("can read the password in --from-url"), "{left:?}");
    assert!(!left.errors.contains("s3cret"), "{left:?}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.args(FROM).args(["--url", &server.url(), "--dry-run"]).stdin(Stdio::null());
    for (value, is_there) in [(url.as_str(), true), ("", true), ("nonsense", false)] {
        let left = command.env("CLOAKROOM_IMPORT_FROM_URL", value).output().await.unwrap();
        assert_eq!(left.status.success(), is_there, "{left:?}");
        assert_eq!(left.stderr.is_empty(), is_there, "{left:?}");
    }
}

#[tokio::test]
async fn what_axum_login_would_check_is_remarked() {
    let server = RedisServer::start().await.unwrap();
    let url = server.url();
    let arguments = ["import", "--from", "tower-sessions", "--url", &url, "--dry-run"];
    let field = ["--owner-field", "axum-login.data.user_id"];
    let left = run_command(&[&arguments[..], &field].concat()).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    assert!(left.errors.contains("auth_hash"), "{left:?}");
}

const SESSIONS: u64 = 30_000;

async fn many_sessions() -> RedisServer {
    let server = RedisServer::start().await.unwrap();
    let script = "for i = 1, tonumber(ARGV[1]) do \
        redis.call('SET', 'sess:id' .. i, '{\"cookie\":{},\"n\":1}') end";
    server.ask(["EVAL", script, "0", &SESSIONS.to_string()]).await.unwrap();
    server
}

/// An import that is in its second round at least.
async fn running(server: &RedisServer, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.args(FROM).args(["--url", &server.url(), "--json"]).args(more).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    while server.calls("scan").await.unwrap() < 2 {
        tokio::task::yield_now().await;
    }
    child
}

async fn interrupt(child: &Child) {
    let process = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &process]).status().await.unwrap().success());
}

#[tokio::test]
async fn an_import_that_is_interrupted_says_where_to_go_on() {
    let server = many_sessions().await;
    let child = running(&server, &["--yes"]).await;
    interrupt(&child).await;
    let left = child.wait_with_output().await.unwrap();
    assert_eq!(left.status.code(), Some(130));
    assert_eq!(left.stderr, b"cloakroom: the import was stopped\n");
    let first: Value = serde_json::from_slice(&left.stdout).unwrap();
    let cursor = first["resume"].as_str().unwrap();
    let rest = report(&import(&server, &["--yes", "--json", "--resume", cursor]).await);
    let written = |report: &Value| report["written"].as_u64().unwrap();
    assert!(written(&first) >= 1_000 && written(&rest) >= 1_000);
    assert_eq!(written(&first) + written(&rest), SESSIONS);
}

#[tokio::test]
async fn an_import_whose_server_has_gone_after_the_interruption_was_interrupted() {
    let server = many_sessions().await;
    let child = running(&server, &["--dry-run"]).await;
    server.freeze();
    interrupt(&child).await;
    server.kill();
    let left = child.wait_with_output().await.unwrap();
    assert_eq!(left.status.code(), Some(130), "{left:?}");
    assert!(left.stderr.starts_with(b"cloakroom: the import was interrupted: "), "{left:?}");
    let report: Value = serde_json::from_slice(&left.stdout).unwrap();
    assert!(report["resume"].is_string(), "{report}");
}

#[tokio::test]
async fn an_import_whose_server_hangs_ends_at_once_when_it_is_interrupted_again() {
    let server = many_sessions().await;
    let mut child = running(&server, &["--yes"]).await;
    server.freeze();
    let pause = Duration::from_millis(100);
    // Two that come too close together are one.
    while timeout(pause, child.wait()).await.is_err() {
        interrupt(&child).await;
    }
    let left = child.wait_with_output().await.unwrap();
    assert_eq!(left.status.code(), Some(130), "{left:?}");
    assert!(left.stdout.is_empty() && left.stderr.is_empty(), "it waited for the round: {left:?}");
}

#[tokio::test]
async fn a_mistake_is_told_without_the_password() {
    let gone = RedisServer::start().await.unwrap();
    let url = format!("redis://ann:s3cret@127.0.0.1:{}", gone.port());
    gone.kill();
    for (arguments, code) in
        [(&["--url", url.as_str()][..], 1), (&["--from-url", &url], 1), (&["--prefix", ""], 2)]
    {
        let left = run_command(&[&FROM[..], &["--yes"], arguments].concat()).await;
        assert_eq!((left.status.code(), left.output.as_str()), (Some(code), ""), "{left:?}");
        assert!(!left.errors.contains("s3cret"), "{left:?}");
        let mistake = left.errors.lines().last().unwrap();
        assert!(mistake.starts_with("cloakroom: "), "{left:?}");
    }
    let left = run_command(&["import", "--from", "sticky-notes"]).await;
    assert_eq!(left.status.code(), Some(2));
    assert!(left.errors.contains("tower-sessions, actix-session, connect-redis"), "{left:?}");
}
