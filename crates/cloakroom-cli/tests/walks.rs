//! Walks over 20,000 sessions: to the end, interrupted, and on servers that freeze or die on the way.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod process;
    pub mod sessions;
}

use std::collections::HashSet;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cloakroom_testkit::fault_proxy::{Direction, Latency, Scope};
use cloakroom_testkit::{FaultProxy, RedisServer};
use serde_json::Value;
use support::process::{Left, cloakroom, run_with};
use support::sessions::{Application, keys, moment};
use tempfile::NamedTempFile;
use tokio::process::Child;

const MANY: usize = 20_000;

/// A server with many sessions behind a proxy that makes each step take some time.
struct Stage {
    server: RedisServer,
    proxy: FaultProxy,
    /// When all of them had been made.
    moment: String,
    config: NamedTempFile,
}

impl Stage {
    async fn set() -> Self {
        let server = RedisServer::start().await.unwrap();
        Application::on(&server.plain_url()).await.put_many(MANY).await;
        let moment = moment(&server).await;
        let proxy = FaultProxy::before(&server).await.unwrap();
        proxy.delay(Scope::All, Direction::Replies, Latency::of(Duration::from_millis(80)));
        let mut config = NamedTempFile::new().unwrap();
        let limits = "connection_timeout = \"2s\"\ncommand_timeout = \"1s\"";
        write!(config, "url = \"{}\"\n{limits}\n", proxy.url()).unwrap();
        Self { server, proxy, moment, config }
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let path = self.config.path().to_str().unwrap();
        let mut command = cloakroom(&[("CLOAKROOM_REDIS_CONFIG", path)], arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits until a walk is under way; some of it is over then, and most of it to come.
    async fn under_way(&self) {
        self.proxy.until_commands("scan", 4).await;
    }
}

async fn ended(child: Child) -> Left {
    let left = child.wait_with_output().await.unwrap();
    Left {
        status: left.status,
        output: String::from_utf8(left.stdout).unwrap(),
        errors: String::from_utf8(left.stderr).unwrap(),
    }
}

/// The position of a walk that was cut short, which both outputs tell.
fn position_in(left: &Left, moment: &str) -> String {
    let told: Value = serde_json::from_str(&left.output).unwrap();
    assert_eq!((&told["complete"], &told["before"]), (&false.into(), &moment.into()));
    let looked_at = told["looked_at"].as_u64().unwrap();
    assert!((1000..20_000).contains(&looked_at), "{told}");
    let position = told["position"].as_str().unwrap().to_owned();
    let hint = format!("go on there with: cloakroom revoke-before {moment} --resume {position}\n");
    assert!(left.errors.ends_with(&hint) && left.errors.lines().count() == 1, "{left:?}");
    position
}

#[tokio::test]
async fn twenty_thousand_sessions_are_listed_once_each_and_ended() {
    let server = RedisServer::start().await.unwrap();
    let url = server.plain_url();
    let place = [("CLOAKROOM_REDIS_URL", url.as_str())];
    Application::on(&url).await.put_many(MANY).await;
    let left = run_with(&place, &["list", "--json"]).await;
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""));
    let ids: HashSet<_> = left.output.lines().map(|line| &line[..45]).collect();
    assert_eq!((left.output.lines().count(), ids.len()), (MANY, MANY));
    let left = run_with(&place, &["list", "--signed-in"]).await;
    assert!(left.output.ends_with("\n6,667 sessions\n") && left.errors.is_empty());
    let first = ["list", "--sort", "created", "--limit", "5"];
    assert_eq!(run_with(&place, &first).await.output.lines().count(), 8);
    let moment = moment(&server).await;
    let late = Application::on(&url).await.sign_in("ann").await.id.to_string();
    let left = run_with(&place, &["revoke-before", &moment, "--yes"]).await;
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    assert!(left.output.starts_with("20,000 sessions created before "), "{left:?}");
    let left = run_with(&place, &["list", "--json"]).await;
    assert!(left.output.lines().count() == 1 && left.output.contains(&late), "{left:?}");
}

#[tokio::test]
async fn an_interrupted_revocation_is_taken_up_where_it_stood() {
    let stage = Stage::set().await;
    let mut position = String::new();
    for signal in ["INT", "TERM"] {
        let (before, scans) = (keys(&stage.server).await, stage.proxy.commands("scan"));
        let resume = ["revoke-before", &stage.moment, "--yes", "--json", "--resume", &position];
        let child = stage.start(&resume);
        stage.proxy.until_commands("scan", scans + 4).await;
        let process = child.id().unwrap().to_string();
        let mut kill = tokio::process::Command::new("kill");
        let sent = kill.args([&format!("-{signal}"), &process]).status().await.unwrap();
        assert!(sent.success());
        let left = ended(child).await;
        assert_eq!(left.status.code(), Some(130), "{left:?}");
        position = position_in(&left, &stage.moment);
        let now = keys(&stage.server).await;
        assert!(now < before && now > 0, "{now} of {before}");
    }
    let resume = ["revoke-before", &stage.moment, "--yes", "--resume", &position];
    let left = ended(stage.start(&resume)).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    assert_eq!(keys(&stage.server).await, 0);
}

#[tokio::test]
async fn a_trial_goes_on_where_it_stood_and_begins_anew_where_the_position_means_nothing() {
    let stage = Stage::set().await;
    let trial = ["revoke-before", &stage.moment, "--dry-run", "--json"];
    let child = stage.start(&trial);
    stage.under_way().await;
    let process = child.id().unwrap().to_string();
    let mut kill = tokio::process::Command::new("kill");
    assert!(kill.args(["-INT", &process]).status().await.unwrap().success());
    let left = ended(child).await;
    assert_eq!(left.status.code(), Some(130), "{left:?}");
    let told: Value = serde_json::from_str(&left.output).unwrap();
    let position = told["position"].as_str().unwrap();
    let looked_at = |left: &Left| {
        let told: Value = serde_json::from_str(&left.output).unwrap();
        assert_eq!((left.status.code(), &told["complete"]), (Some(0), &true.into()), "{left:?}");
        told["looked_at"].as_u64().unwrap()
    };
    let resumed = ended(stage.start(&[&trial[..], &["--resume", position]].concat())).await;
    assert_eq!(resumed.errors, "");
    let sum = told["looked_at"].as_u64().unwrap() + looked_at(&resumed);
    // A walk may meet a session twice.
    assert!((20_000..21_000).contains(&sum), "{sum}");
    let (place, _) = position.rsplit_once('#').unwrap();
    let of_another = format!("{place}#00000000");
    let anew = ended(stage.start(&[&trial[..], &["--resume", &of_another]].concat())).await;
    assert_eq!(looked_at(&anew), 20_000);
    assert!(anew.errors.contains("the walk begins anew"), "{anew:?}");
}

#[tokio::test]
async fn a_server_that_freezes_on_the_way_ends_a_walk_in_time_with_its_position() {
    let stage = Stage::set().await;
    let child = stage.start(&["revoke-before", &stage.moment, "--yes", "--json"]);
    stage.under_way().await;
    stage.server.freeze();
    let start = Instant::now();
    let left = ended(child).await;
    let elapsed = start.elapsed();
    stage.server.thaw();
    assert_eq!(left.status.code(), Some(1), "{left:?}");
    assert!(elapsed < Duration::from_secs(12), "{elapsed:?}");
    let position = position_in(&left, &stage.moment);
    let resume = ["revoke-before", &stage.moment, "--yes", "--resume", &position];
    let left = ended(stage.start(&resume)).await;
    assert_eq!(left.status.code(), Some(0), "{left:?}");
    assert_eq!(keys(&stage.server).await, 0);
}

#[tokio::test]
async fn a_server_that_dies_on_the_way_ends_walks_in_time_with_one_line() {
    let stage = Stage::set().await;
    let revocation = stage.start(&["revoke-before", &stage.moment, "--yes", "--json"]);
    stage.under_way().await;
    let list = stage.start(&["list", "--json"]);
    let stats = stage.start(&["stats", "--full"]);
    stage.proxy.until_commands("scan", stage.proxy.commands("scan") + 8).await;
    stage.server.kill_now();
    let start = Instant::now();
    let (revocation, list, stats) = tokio::join!(ended(revocation), ended(list), ended(stats));
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    position_in(&revocation, &stage.moment);
    for left in [&revocation, &list, &stats] {
        assert_eq!(left.status.code(), Some(1), "{}", left.errors);
        assert_eq!(left.errors.lines().count(), 1, "{}", left.errors);
    }
    assert!(list.errors.contains("the list is not complete"), "{}", list.errors);
    // What was listed is whole.
    for line in list.output.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    assert_eq!(stats.output, "");
}

#[tokio::test]
async fn a_short_outage_on_the_way_is_survived() {
    let stage = Stage::set().await;
    let child = stage.start(&["revoke-before", &stage.moment, "--yes", "--json"]);
    stage.under_way().await;
    let stats = stage.start(&["stats", "--json"]);
    stage.proxy.until_commands("scan", stage.proxy.commands("scan") + 8).await;
    stage.server.freeze();
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.server.thaw();
    let (left, stats) = tokio::join!(ended(child), ended(stats));
    assert_eq!((stats.status.code(), stats.errors.as_str()), (Some(0), ""), "{stats:?}");
    assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{left:?}");
    assert_eq!(keys(&stage.server).await, 0);
}
