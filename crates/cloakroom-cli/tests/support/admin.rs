//! `cloakroom admin` as a process of the test, over a Redis of its own with sessions in it.

use std::io::Write;
use std::process::Stdio;

use cloakroom::{Answer, Engine, PublicId};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{FakeRequest, RedisServer};
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::webdriver::Browser;

pub const PASSWORD: &str = "a password that was drawn";

/// The page that serves, its Redis, and the application beside it.
pub struct Admin {
    // Ended with the value.
    _child: Child,
    pub redis: RedisServer,
    pub engine: Engine,
    pub url: String,
    pub greeting: String,
}

impl Admin {
    pub async fn start() -> Self {
        let redis = RedisServer::start().await.unwrap();
        let url = redis.url();
        Self::serving(redis, &["--url", &url]).await
    }

    /// A page that finds its Redis under another URL, that of a proxy, and waits long for it.
    pub async fn through(redis: RedisServer, url: &str) -> Self {
        let mut config = NamedTempFile::new().unwrap();
        write!(config, "url = {url:?}\nconnection_timeout = \"5s\"\ncommand_timeout = \"5s\"\n")
            .unwrap();
        Self::serving(redis, &["--config", config.path().to_str().unwrap()]).await
    }

    async fn serving(redis: RedisServer, place: &[&str]) -> Self {
        let storage = RedisSessionStorage::builder().url(redis.url()).build().await.unwrap();
        let engine = Engine::builder(storage).build().unwrap();
        let mut command = command(&["--listen", "127.0.0.1:0"]);
        command.args(place);
        let (child, greeting) = serve(command.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
        let url = place_in(&greeting);
        Self { _child: child, redis, engine, url, greeting }
    }

    /// Somebody with a session in the application.
    pub async fn visit(&self, owner: Option<&str>, user_agent: &str) -> PublicId {
        visit(&self.engine, owner, user_agent).await
    }

    /// Many of them, of a hundred owners and of nobody.
    pub async fn crowd(&self, sessions: usize) {
        for first in (0..sessions).step_by(40) {
            let mut visits = JoinSet::new();
            for at in first..sessions.min(first + 40) {
                let engine = self.engine.clone();
                visits.spawn(async move {
                    let owner = (at % 3 != 0).then(|| format!("visitor-{:03}", at % 100));
                    visit(&engine, owner.as_deref(), AGENTS[at % AGENTS.len()]).await
                });
            }
            visits.join_all().await;
        }
    }

    pub async fn lives(&self, id: PublicId) -> bool {
        self.engine.session(id).await.unwrap().session().is_some()
    }

    pub async fn sign_in(&self, browser: &Browser) {
        sign_in(browser, &self.url).await;
    }

    pub async fn open(&self, browser: &Browser, path: &str) {
        browser.open(&format!("{}{path}", self.url)).await;
    }
}

/// Starts the command and waits for its greeting.
pub async fn serve(command: &mut Command) -> (Child, String) {
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut greeting = String::new();
    while !greeting.contains("Ctrl-C") {
        assert!(output.read_line(&mut greeting).await.unwrap() > 0, "it ended: {greeting}");
    }
    child.stdout = Some(output.into_inner());
    (child, greeting)
}

/// Where the page is, as its greeting tells.
pub fn place_in(greeting: &str) -> String {
    let (_, place) = greeting.split_once("http://127.0.0.1:").unwrap();
    format!("http://127.0.0.1:{}", place.split('/').next().unwrap())
}

/// The command, with its arguments, without a password.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.arg("admin").args(arguments).kill_on_drop(true);
    command.env_remove("CLOAKROOM_ADMIN_PASSWORD");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What today's browsers send.
pub const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36",
];

/// Signs an operator in to the page that is served there.
pub async fn sign_in(browser: &Browser, url: &str) {
    browser.open(&format!("{url}/sign-in")).await;
    browser.write("#name", "admin").await;
    browser.write("#password", PASSWORD).await;
    browser.click("form button").await;
    browser.shows("h1", "Overview").await;
}

/// Somebody with a session.
pub async fn visit(engine: &Engine, owner: Option<&str>, user_agent: &str) -> PublicId {
    let request = FakeRequest::new().peer("192.0.2.7").user_agent(user_agent);
    let scope = engine.begin(&request);
    let session = scope.handle().load().await.unwrap();
    session.insert("visits", 1).unwrap();
    if let Some(owner) = owner {
        session.set_owner(owner).unwrap();
    }
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
    session.public_id().unwrap()
}
