//! Starts each example as a process of its own, uses it as a visitor would, and ends it.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use cloakroom_testkit::RedisServer;
use cloakroom_testkit::http::{HttpAnswer, HttpClient};

/// A running example that serves HTTP; it ends with the value.
struct Example {
    process: Child,
    output: BufReader<ChildStdout>,
    node: SocketAddr,
}

impl Example {
    /// Starts an example on a free port and waits until it says where it listens.
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).arg("127.0.0.1:0");
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let node = address(&mut output);
        Self { process, output, node }
    }

    /// A visitor who knows the ticket under the name that it has over plain HTTP.
    fn visitor(&self) -> HttpClient {
        HttpClient::new(self.node).with_cookie_name("id")
    }

    /// Presses Ctrl-C and waits for the end.
    fn interrupt(mut self) -> ExitStatus {
        let process = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &process]).status().unwrap().success());
        self.process.wait().unwrap()
    }
}

/// Where the program says that it listens.
fn address(output: &mut impl BufRead) -> SocketAddr {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.trim().strip_prefix("http://").unwrap().parse().unwrap()
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const MINIMAL: [&str; 2] =
    [env!("CARGO_BIN_EXE_axum-minimal"), env!("CARGO_BIN_EXE_actix-minimal")];

const REDIS_LOGIN: [&str; 2] =
    [env!("CARGO_BIN_EXE_axum-redis-login"), env!("CARGO_BIN_EXE_actix-redis-login")];

#[tokio::test]
async fn the_minimal_examples_count_visits() {
    for program in MINIMAL {
        let example = Example::start(program, &[]);
        let mut visitor = example.visitor();
        assert_eq!(visitor.text("/").await, "Visits: 1\n");
        assert_eq!(visitor.text("/").await, "Visits: 2\n");
        assert_eq!(example.visitor().text("/").await, "Visits: 1\n");
    }
}

#[test]
fn the_readme_shows_axum_minimal_as_it_is() {
    let readme = include_str!("../../README.md");
    let (_, code) = include_str!("../axum-minimal.rs").split_once("\nuse ").unwrap();
    assert!(readme.contains(&format!("```rust\nuse {code}```")));
}

#[test]
fn the_readme_shows_what_actix_minimal_does() {
    let readme = include_str!("../../README.md");
    let code = include_str!("../actix-minimal.rs");
    let (_, section) = readme.split_once("\n## Use it with actix-web\n").unwrap();
    let (_, shown) = section.split_once("```rust\n").unwrap();
    for line in shown.lines().take_while(|line| !line.starts_with("```")) {
        assert!(code.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn the_minimal_examples_have_at_most_30_lines() {
    for code in [include_str!("../axum-minimal.rs"), include_str!("../actix-minimal.rs")] {
        assert!(code.lines().count() <= 30);
    }
}

async fn sign_in(visitor: &mut HttpClient, fields: &[(&str, &str)]) -> HttpAnswer {
    let answer = visitor.post("/sign-in", fields).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    assert_eq!(answer.headers("location"), ["/"]);
    answer
}

#[tokio::test]
async fn the_login_examples_sign_in_and_out() {
    for program in REDIS_LOGIN {
        signs_in_and_out(program).await;
    }
}

async fn signs_in_and_out(program: &str) {
    let redis = RedisServer::start().await.unwrap();
    let example = Example::start(program, &[&redis.url()]);
    let mut visitor = example.visitor();
    assert!(visitor.text("/").await.contains("Please sign in"));
    assert_eq!(visitor.ticket(), None, "looking around makes no session");

    sign_in(&mut visitor, &[("name", "ada"), ("password", "guess")]).await;
    assert!(visitor.text("/").await.contains("Name or password is wrong."));
    assert!(visitor.text("/").await.contains("Please sign in"));

    let before = visitor.clone();
    let answer = sign_in(&mut visitor, &[("name", "<b>ada"), ("password", "open sesame")]).await;
    assert_eq!(visitor.ticket_cookie(&answer).unwrap().max_age, None);
    assert_ne!(visitor.ticket(), before.ticket());
    let page = visitor.text("/").await;
    assert!(page.contains("Welcome, &#60;b&#62;ada."), "{page}");
    assert!(page.contains("Hello, &#60;b&#62;ada"), "{page}");
    assert!(!visitor.text("/").await.contains("Welcome"), "a message is shown once");
    assert!(before.clone().text("/").await.contains("Please sign in"), "the old ticket is dead");

    let signed_in = visitor.clone();
    assert_eq!(visitor.post("/sign-out", &[]).await.status(), 303);
    assert!(visitor.text("/").await.contains("You are signed out."));
    assert!(signed_in.clone().text("/").await.contains("Please sign in"));
    assert!(example.interrupt().success());
}

#[tokio::test]
async fn the_login_examples_remember_a_visitor() {
    for program in REDIS_LOGIN {
        remembers_a_visitor(program).await;
    }
}

async fn remembers_a_visitor(program: &str) {
    let redis = RedisServer::start().await.unwrap();
    let example = Example::start(program, &[&redis.url()]);
    let mut visitor = example.visitor();
    let fields = [("name", "ada"), ("password", "open sesame"), ("remember", "on")];
    sign_in(&mut visitor, &fields).await;
    // Another process on the same Redis, as after a restart: the visitor is still signed in.
    drop(example);
    let example = Example::start(program, &[&redis.url()]);
    let mut visitor = visitor.at(example.node);
    visitor.close_browser();
    assert!(visitor.text("/").await.contains("Hello, ada"));
}

#[tokio::test]
async fn the_login_examples_show_a_page_when_redis_is_down() {
    for program in REDIS_LOGIN {
        shows_a_page_when_redis_is_down(program).await;
    }
}

async fn shows_a_page_when_redis_is_down(program: &str) {
    let redis = RedisServer::start().await.unwrap();
    let example = Example::start(program, &[&redis.url()]);
    let mut visitor = example.visitor();
    sign_in(&mut visitor, &[("name", "ada"), ("password", "open sesame")]).await;
    redis.kill();
    let answer = visitor.get("/").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers("retry-after"), ["1"]);
    assert_eq!(answer.headers("content-type"), ["text/html; charset=utf-8"]);
    assert!(answer.text().contains("You are still signed in."));
    assert!(visitor.ticket().is_some());
}

#[test]
fn the_login_examples_say_what_to_do_when_redis_is_not_there() {
    REDIS_LOGIN.iter().for_each(|program| says_what_to_do(program));
}

fn says_what_to_do(program: &str) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = Command::new(program)
        .args([format!("redis://{free}"), "127.0.0.1:0".to_owned()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&free.to_string()) && said.contains("check host and port"), "{said}");
}

fn direct(arguments: &[&str]) -> String {
    let Output { status, stdout, .. } =
        Command::new(env!("CARGO_BIN_EXE_direct")).args(arguments).output().unwrap();
    assert!(status.success());
    String::from_utf8(stdout).unwrap()
}

#[tokio::test]
async fn direct_does_the_same_in_memory_and_in_redis() {
    let tail = "language: en\nquestions: 1\na stranger sees it: false\ndeleted: true\nstill there: false\n";
    assert_eq!(direct(&[]), format!("storage: memory\n{tail}"));
    let redis = RedisServer::start().await.unwrap();
    assert_eq!(direct(&[&redis.url()]), format!("storage: redis\n{tail}"));
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

const ADA: [(&str, &str); 2] = [("name", "ada"), ("password", "open sesame")];

#[tokio::test]
async fn the_devices_example_signs_out_elsewhere() {
    let example = Example::start(env!("CARGO_BIN_EXE_axum-devices"), &[]);
    let mut here = example.visitor().with_user_agent(FIREFOX);
    let (mut lost, mut shared, mut other) =
        (example.visitor(), example.visitor(), example.visitor());
    for visitor in [&mut here, &mut lost, &mut shared] {
        sign_in(visitor, &ADA).await;
    }
    sign_in(&mut other, &[("name", "bob"), ("password", "open sesame")]).await;

    let page = here.text("/").await;
    assert!(page.contains("Firefox on Linux") && page.contains("127.0.0.1"), "{page}");
    let ids: Vec<_> =
        page.match_indices("value=\"").map(|(at, _)| &page[at + 7..at + 39]).collect();
    assert_eq!(ids.len(), 2, "{page}");
    assert_eq!(here.post("/devices/end", &[("id", ids[0])]).await.status(), 303);
    let page = here.text("/").await;
    assert!(page.contains("Signed out there.") && !page.contains(ids[0]), "{page}");
    let one_is_left = [lost.text("/").await, shared.text("/").await];
    let signed_out = one_is_left.iter().filter(|page| page.contains("Please sign in")).count();
    assert_eq!(signed_out, 1, "{one_is_left:?}");

    // Whose id a form holds makes no difference.
    assert_eq!(other.post("/devices/end", &[("id", ids[1])]).await.status(), 303);
    assert!(other.text("/").await.contains("That one was signed out already."));
    assert_eq!(here.post("/devices/end-others", &[]).await.status(), 303);
    assert!(here.text("/").await.contains("Signed out in 1 other places."));
    assert!(lost.text("/").await.contains("Please sign in"));
    assert!(shared.text("/").await.contains("Please sign in"));
    assert!(other.text("/").await.contains("Your devices, bob"));
}

#[tokio::test]
async fn the_devices_example_has_at_most_five() {
    let example = Example::start(env!("CARGO_BIN_EXE_axum-devices"), &[]);
    let mut visitors: Vec<_> = (0..6).map(|_| example.visitor()).collect();
    for visitor in &mut visitors {
        sign_in(visitor, &ADA).await;
    }
    let mut signed_in = 0;
    for visitor in &mut visitors {
        signed_in += usize::from(visitor.text("/").await.contains("Your devices, ada"));
    }
    assert_eq!(signed_in, 5);
    assert!(visitors[5].text("/").await.contains("Your devices, ada"), "whoever came last stays");
}

#[tokio::test]
async fn the_operators_example_shows_its_pages_to_operators_only() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axum-operators"));
    command.args(["127.0.0.1:0"; 2]).env("ADMIN_PASSWORD", "correct-horse-battery");
    let mut example = Example::run(command);
    let mut inside = HttpClient::new(address(&mut example.output));
    let mut visitor = example.visitor();
    assert_eq!(visitor.text("/").await, "Visits: 1\n");

    assert_eq!(visitor.get("/admin").await.status(), 303);
    for hidden in ["/metrics", "/health"] {
        assert_eq!(visitor.get(hidden).await.status(), 404);
    }
    assert!(visitor.text("/readyz").await.contains("healthy"));
    assert!(inside.text("/health").await.contains("\"healthy\""));
    let metrics = inside.text("/metrics").await;
    assert!(metrics.contains("cloakroom_events_total{event=\"created\"} 1"), "{metrics}");
}

#[test]
fn the_operators_example_wants_a_password() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_axum-operators")).env_remove("ADMIN_PASSWORD").output();
    let output = output.unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("ADMIN_PASSWORD is not set"), "{error}");
}
