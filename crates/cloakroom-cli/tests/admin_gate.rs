//! `cloakroom admin` before a browser sees it: who may sign in, from where, below which path, and what
//! is left of the audit trail when the process is gone.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod admin;
    pub mod webdriver;
}

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cloakroom::Engine;
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::fault_proxy::{FaultRule, On, Times};
use cloakroom_testkit::{FaultProxy, RedisServer};
use serde_json::Value;
use support::admin::{PASSWORD, command, place_in, serve, visit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Child;

const ADA: &str = "the first password of all";
const GRACE: &str = "the second password of all";

/// Sends a request's head and body as they are, and answers all that comes.
async fn ask(url: &str, method: &str, path: &str, headers: &str, body: &str) -> String {
    let place = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(place).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A program's question, passed on by a proxy.
async fn order(url: &str, password: &str, from: &str) -> String {
    let headers = format!(
        "Authorization: Bearer {password}\r\nX-Forwarded-For: {from}\r\nContent-Type: \
         application/json\r\n"
    );
    ask(url, "POST", "/api/revoke-owner", &headers, "{\"owner\":\"eve\u{202e}\"}").await
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    file.display().to_string()
}

fn lines(text: &str) -> Vec<Value> {
    assert!(text.is_ascii(), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Who, from where, what, and what became of it.
fn told(entries: &[Value]) -> Vec<[&str; 4]> {
    assert!(entries.iter().all(|entry| entry["at"].is_string()), "{entries:?}");
    let names = ["operator", "address", "action", "outcome"];
    entries.iter().map(|entry| names.map(|name| entry[name].as_str().unwrap())).collect()
}

#[tokio::test]
async fn the_audit_trail_names_people_and_their_addresses_and_outlives_the_process() {
    let redis = RedisServer::start().await.unwrap();
    let storage = RedisSessionStorage::builder().url(redis.url()).build().await.unwrap();
    let engine = Engine::builder(storage).build().unwrap();
    visit(&engine, Some("eve\u{202e}"), "Browser/1").await;
    let folder = tempfile::tempdir().unwrap();
    let ada = format!("ada={}", write(folder.path(), "ada", ADA));
    let grace = format!("grace={}", write(folder.path(), "grace", GRACE));
    let trail = folder.path().join("audit.json").display().to_string();
    let url = redis.url();
    let arguments = [
        "--url",
        &url,
        "--listen",
        "127.0.0.1:0",
        "--operator",
        &ada,
        "--operator",
        &grace,
        "--audit-file",
        &trail,
        "--trusted-proxy",
        "127.0.0.1",
    ];
    let (mut child, greeting) = serve(&mut command(&arguments)).await;
    assert!(greeting.contains("ada, grace") && greeting.contains(&trail), "{greeting}");
    assert!(!greeting.contains(ADA) && !greeting.contains(GRACE), "{greeting}");
    let url = place_in(&greeting);

    assert!(order(&url, GRACE, "192.0.2.7").await.contains("{\"outcome\":\"done\",\"ended\":1}"));
    // The file may be put away meanwhile, as logs are.
    std::fs::rename(&trail, format!("{trail}.1")).unwrap();
    assert!(order(&url, "a wrong one", "192.0.2.8").await.starts_with("HTTP/1.1 401"));
    assert!(order(&url, ADA, "2001:db8::1").await.contains("{\"outcome\":\"nothing\"}"));
    child.kill().await.unwrap();

    let first = lines(&std::fs::read_to_string(format!("{trail}.1")).unwrap());
    assert_eq!(told(&first), [["grace", "192.0.2.7", "end_owner", "done"]]);
    assert_eq!(first[0]["owner"], "eve\u{202e}");
    let second = lines(&std::fs::read_to_string(&trail).unwrap());
    assert_eq!(
        told(&second),
        [["", "192.0.2.8", "sign_in", "refused"], ["ada", "2001:db8::1", "end_owner", "nothing"],]
    );
    assert_eq!(std::fs::metadata(&trail).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn without_a_file_the_audit_trail_goes_to_the_standard_error_output() {
    let redis = RedisServer::start().await.unwrap();
    let mut admin = command(&["--url", &redis.url(), "--listen", "127.0.0.1:0"]);
    let (mut child, greeting) = serve(admin.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
    order(&place_in(&greeting), PASSWORD, "192.0.2.7").await;
    child.kill().await.unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
    // No proxy was named, so nobody's word for an address counts.
    assert_eq!(told(&lines(&errors)), [["admin", "127.0.0.1", "end_owner", "nothing"]]);
}

#[tokio::test]
async fn a_trail_that_cannot_be_kept_any_more_is_told_and_keeps_no_operator_from_acting() {
    let redis = RedisServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trail = folder.path().join("trail/audit.json");
    std::fs::create_dir(folder.path().join("trail")).unwrap();
    let url = redis.url();
    let file = trail.display().to_string();
    let mut admin = command(&["--url", &url, "--listen", "127.0.0.1:0", "--audit-file", &file]);
    let (mut child, greeting) = serve(admin.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
    std::fs::remove_dir_all(folder.path().join("trail")).unwrap();
    let answer = order(&place_in(&greeting), PASSWORD, "192.0.2.7").await;
    assert!(answer.contains("{\"outcome\":\"nothing\"}"), "{answer}");
    child.kill().await.unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
    let (reason, entry) = errors.split_once('\n').unwrap();
    assert!(reason.starts_with("cloakroom: ") && reason.contains("audit.json"), "{errors}");
    assert_eq!(lines(entry).len(), 1, "{errors}");
}

#[tokio::test]
async fn a_path_works_whether_the_proxy_takes_it_away_or_leaves_it() {
    let redis = RedisServer::start().await.unwrap();
    let url = redis.url();
    let mut admin =
        command(&["--url", &url, "--listen", "127.0.0.1:0", "--path", "/ops/sessions/"]);
    let (_child, greeting) = serve(admin.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
    let url = place_in(&greeting);
    for path in ["/", "/ops/sessions", "/ops/sessions/", "/audit", "/ops/sessions/audit"] {
        let answer = ask(&url, "GET", path, "", "").await;
        assert!(answer.starts_with("HTTP/1.1 303"), "{path}: {answer}");
        assert!(answer.contains("location: /ops/sessions/sign-in\r\n"), "{path}: {answer}");
    }
    for path in ["/sign-in", "/ops/sessions/sign-in"] {
        let answer = ask(&url, "GET", path, "", "").await;
        assert!(answer.contains("action=\"/ops/sessions/sign-in\""), "{path}: {answer}");
    }
}

/// A page whose Redis keeps an order waiting that its operator waits for no more, and the rule that
/// holds it.
async fn with_an_order_under_way(trail: &str) -> (Child, RedisServer, FaultProxy, FaultRule) {
    let redis = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&redis).await.unwrap();
    let url = proxy.url();
    let mut admin = command(&["--url", &url, "--listen", "127.0.0.1:0", "--audit-file", trail]);
    let (child, greeting) = serve(admin.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
    let held = proxy.hold_replies(On::commands(["SCAN"]), Times::UntilCleared);
    let url = place_in(&greeting);
    let headers = format!("Authorization: Bearer {PASSWORD}\r\nContent-Type: application/json\r\n");
    let order = "{\"moment\":\"2026-01-01T00:00:00Z\"}";
    let asking = async { ask(&url, "POST", "/api/revoke-before", &headers, order).await };
    tokio::select! {
        answer = asking => panic!("{answer}"),
        () = held.until_struck(1) => {}
    }
    (child, redis, proxy, held)
}

async fn signal(child: &Child, name: &str) {
    let process = child.id().unwrap().to_string();
    let sent = tokio::process::Command::new("kill").args([name, &process]).status().await;
    assert!(sent.unwrap().success());
}

#[tokio::test]
async fn what_an_operator_has_begun_is_done_and_in_the_trail_when_the_process_is_asked_to_end() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["-TERM", "-INT"] {
        let trail = folder.path().join(name).display().to_string();
        let (mut child, _redis, _proxy, held) = with_an_order_under_way(&trail).await;
        signal(&child, name).await;
        held.clear();
        assert!(child.wait().await.unwrap().success());
        let entries = lines(&std::fs::read_to_string(&trail).unwrap());
        let entry = ["admin", "127.0.0.1", "end_before", "nothing"];
        assert_eq!(told(&entries), [entry], "{name}");
    }
}

#[tokio::test]
async fn what_a_second_signal_breaks_off_is_in_the_trail() {
    let folder = tempfile::tempdir().unwrap();
    let trail = folder.path().join("trail").display().to_string();
    let (mut child, _redis, _proxy, _held) = with_an_order_under_way(&trail).await;
    signal(&child, "-TERM").await;
    // Two signals of one kind that come together are one.
    signal(&child, "-INT").await;
    assert_eq!(child.wait().await.unwrap().code(), Some(130));
    let entries = lines(&std::fs::read_to_string(&trail).unwrap());
    assert_eq!(told(&entries), [["admin", "127.0.0.1", "end_before", "unknown"]]);
    assert_eq!(entries[0]["reason"], "it broke off");
}

#[tokio::test]
async fn a_trail_whose_disk_hangs_keeps_no_operator_from_acting_and_is_written_later() {
    let redis = RedisServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trail = folder.path().join("trail");
    let pipe = std::process::Command::new("mkfifo").arg(&trail).status().unwrap();
    assert!(pipe.success());
    // Who opens a pipe in order to write waits for somebody who reads.
    let read = || {
        let pipe = std::fs::OpenOptions::new().read(true).write(true).open(&trail);
        std::io::BufReader::new(pipe.unwrap())
    };
    let first = read();
    let (url, file) = (redis.url(), trail.display().to_string());
    let mut admin = command(&["--url", &url, "--listen", "127.0.0.1:0", "--audit-file", &file]);
    let (_child, greeting) = serve(admin.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
    drop(first);
    let url = place_in(&greeting);
    // More than the process has threads for its tasks.
    let many = std::thread::available_parallelism().unwrap().get() * 4;
    let mut orders = tokio::task::JoinSet::new();
    for _ in 0..many {
        let url = url.clone();
        orders.spawn(async move { order(&url, PASSWORD, "192.0.2.7").await });
    }
    for answer in orders.join_all().await {
        assert!(answer.contains("{\"outcome\":\"nothing\"}"), "{answer}");
    }
    let kept = std::io::BufRead::lines(read()).take(many);
    assert!(kept.map(Result::unwrap).all(|line| line.contains("end_owner")));
}

#[tokio::test]
async fn a_password_and_a_trail_that_every_user_can_read_are_noticed() {
    let redis = RedisServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (password, trail) = (write(folder.path(), "ada", ADA), write(folder.path(), "trail", ""));
    for (mode, noticed) in [(0o644, ["password", "audit trail"].as_slice()), (0o640, &[])] {
        for file in [&password, &trail] {
            std::fs::set_permissions(file, PermissionsExt::from_mode(mode)).unwrap();
        }
        let url = redis.url();
        let place = ["--url", &url, "--listen", "127.0.0.1:0", "--password-file", &password];
        let mut admin = command(&[&place[..], &["--audit-file", &trail]].concat());
        let (mut child, _) = serve(&mut admin).await;
        child.kill().await.unwrap();
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
        assert_eq!(errors.lines().count(), noticed.len(), "{errors}");
        for what in noticed {
            assert!(errors.contains(&format!("every user of this machine can read the {what}")));
        }
    }
}

#[tokio::test]
async fn behind_tls_nobody_but_a_named_proxy_can_send_a_password() {
    let redis = RedisServer::start().await.unwrap();
    let url = redis.url();
    let place = ["--url", &url, "--listen", "127.0.0.1:0", "--behind-tls"];
    for (proxy, status) in [("192.0.2.1", "403"), ("127.0.0.0/8", "200")] {
        let mut admin = command(&[&place[..], &["--trusted-proxy", proxy]].concat());
        let (_child, greeting) = serve(admin.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
        assert!(!greeting.contains("http:") && greeting.contains("HTTPS"), "{greeting}");
        let (_, port) = greeting.split_once("127.0.0.1:").unwrap();
        let url = format!("http://127.0.0.1:{}", port.split_whitespace().next().unwrap());
        let answer = ask(&url, "GET", "/sign-in", "", "").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{proxy}: {answer}");
        let answer = order(&url, PASSWORD, "192.0.2.7").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{proxy}: {answer}");
    }
    let (mut child, _) = serve(command(&place).env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
    child.kill().await.unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
    assert!(errors.contains("nobody but the proxy reaches this port"), "{errors}");
}

#[tokio::test]
async fn no_page_that_ends_sessions_is_served_over_a_replica() {
    let redis = RedisServer::start().await.unwrap();
    redis.ask(["REPLICAOF", "127.0.0.1", "1"]).await.unwrap();
    let mut admin = command(&["--url", &redis.url(), "--listen", "127.0.0.1:0"]);
    let left = admin.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD).output().await.unwrap();
    let errors = String::from_utf8(left.stderr).unwrap();
    assert_eq!((left.status.code(), left.stdout.as_slice()), (Some(1), &b""[..]), "{errors}");
    assert!(errors.contains("is a replica") && errors.lines().count() == 1, "{errors}");
}

#[tokio::test]
async fn what_makes_no_sense_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let ada = format!("ada={}", write(folder.path(), "ada", ADA));
    let redis = RedisServer::start().await.unwrap();
    for (arguments, line) in [
        (vec!["--trusted-proxy", "10.0.0.0/33"], "--trusted-proxy"),
        (vec!["--path", "ops"], "no path such as"),
        (vec!["--path", "/sessions"], "/ops/sessions"),
        (vec!["--path", "/api/page/"], "/ops/api/page"),
        (vec!["--operator", "ada", "--operator", "grace"], "NAME=FILE"),
        (vec!["--operator", &ada, "--operator", "grace=/no/such/file"], "/no/such/file"),
        (vec!["--operator", &ada, "--password-file", &ada[4..]], "nobody's"),
        (vec!["--audit-file", "/no/such/folder/audit.json"], "/no/such/folder/audit.json"),
    ] {
        let mut admin = command(&["--url", &redis.url(), "--listen", "127.0.0.1:0"]);
        let left = admin.args(&arguments).output().await.unwrap();
        let errors = String::from_utf8(left.stderr).unwrap();
        assert!(!left.status.success() && errors.contains(line), "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}
