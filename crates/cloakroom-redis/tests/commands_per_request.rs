//! What each kind of request costs, by the server's own counters.
//!
//! `cargo test -p cloakroom-redis --test commands_per_request -- --nocapture` prints the tables.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::time::Duration;

use cloakroom::{Answer, Engine, Policy, Session, SessionData, SessionStorage, SetCookie};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{FakeRequest, RedisServer};

/// What our scripts call inside of the server, and what the counting itself takes.
const NOT_ON_THE_WIRE: [&str; 8] =
    ["exists", "getrange", "info", "pexpireat", "script", "set", "setrange", "time"];

const SECOND: Duration = Duration::from_secs(1);
const SHORT: Duration = Duration::from_millis(1500);

/// Counts what a piece of work sends to the server, and prints a table of it at the end: in one
/// piece, because tests run side by side.
struct Counter {
    server: RedisServer,
    table: String,
}

impl Counter {
    async fn start() -> (Self, RedisSessionStorage) {
        let server = RedisServer::start().await.unwrap();
        let builder = RedisSessionStorage::builder().url(server.url()).pool_size(2);
        let storage = builder.build().await.unwrap();
        // The server learns both scripts, as it does once after its start.
        let mut data = SessionData::new();
        data.insert("a", 1).unwrap();
        storage.set("first", &data, None).await.unwrap();
        let _ = storage.touch(&cloakroom::SessionKey::from_name("first")).await.unwrap();
        storage.delete("first").await.unwrap();
        (Self { server, table: String::new() }, storage)
    }

    async fn totals(&self) -> BTreeMap<String, u64> {
        let info = self.server.ask(["INFO", "commandstats"]).await.unwrap().text();
        let lines = info.lines().filter_map(|line| line.strip_prefix("cmdstat_"));
        let calls = lines.filter_map(|line| {
            let (name, rest) = line.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        });
        calls.filter(|(name, _)| !NOT_ON_THE_WIRE.contains(&name.as_str())).collect()
    }

    /// Checks that the work costs exactly these commands, such as `get evalsha`.
    async fn costs(&mut self, name: &str, expected: &str, work: impl Future<Output = ()>) {
        let before = self.totals().await;
        work.await;
        let (mut sent, mut cost) = (Vec::new(), String::new());
        for (command, calls) in self.totals().await {
            let calls = calls - before.get(&command).copied().unwrap_or(0);
            if calls > 0 {
                cost += &format!("  {calls} {}", command.to_uppercase());
            }
            sent.extend(std::iter::repeat_n(command, calls as usize));
        }
        let cost = if cost.is_empty() { "  nothing" } else { &cost };
        self.table += &format!("{name:<50}{cost}\n");
        let mut expected: Vec<_> = expected.split_whitespace().collect();
        expected.sort_unstable();
        assert_eq!(sent, expected, "{name}");
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        println!("\n{}", self.table);
    }
}

/// One request from begin to finish, and whatever it leaves to be done afterwards.
async fn request(
    engine: &Engine,
    facts: &FakeRequest,
    handler: impl AsyncFnOnce(Session),
) -> Option<SetCookie> {
    let scope = engine.begin(facts);
    handler(scope.handle().load().await.unwrap()).await;
    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie();
    assert!(engine.drain(SECOND).await);
    cookie
}

#[tokio::test]
async fn a_request_costs_nothing_that_it_does_not_use() {
    let (mut counter, storage) = Counter::start().await;
    let engine = Engine::builder(storage).build().unwrap();
    let nobody = FakeRequest::new();
    let mut cookie = None;
    counter
        .costs("the first write of a new visitor", "evalsha", async {
            cookie = request(&engine, &nobody, async |s| s.insert("a", 1).unwrap()).await;
        })
        .await;
    let visitor = FakeRequest::with(cookie.as_ref().unwrap());

    counter
        .costs("a handler that ignores the session", "", async {
            let scope = engine.begin(&visitor);
            assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
        })
        .await;
    counter
        .costs("a visitor without a ticket who only reads", "", async {
            request(&engine, &nobody, async |s| assert!(s.get::<u32>("a").is_ok())).await;
        })
        .await;
    counter
        .costs("a read", "get", async {
            request(&engine, &visitor, async |s| assert_eq!(s.get("a").unwrap(), Some(1))).await;
        })
        .await;
    counter
        .costs("ten reads of a fresh session: no touch", &"get ".repeat(10), async {
            for _ in 0..10 {
                request(&engine, &visitor, async |s| assert!(s.get::<u32>("a").is_ok())).await;
            }
        })
        .await;
    counter
        .costs("writing what is there already", "get", async {
            request(&engine, &visitor, async |s| s.insert("a", 1).unwrap()).await;
        })
        .await;
    counter
        .costs("a write", "get evalsha", async {
            request(&engine, &visitor, async |s| s.insert("a", 2).unwrap()).await;
        })
        .await;
    counter
        .costs("five writes, a removal and a new ticket in one", "get evalsha", async {
            let handler = async |s: Session| {
                (0..5).for_each(|at| s.insert(&format!("f{at}"), at).unwrap());
                s.remove("a").unwrap();
                s.rotate().unwrap();
            };
            cookie = request(&engine, &visitor, handler).await;
        })
        .await;
    let visitor = FakeRequest::with(cookie.as_ref().unwrap());
    counter
        .costs("a sign-out", "get del", async {
            request(&engine, &visitor, async |s| s.destroy().unwrap()).await;
        })
        .await;
    counter
        .costs("a ticket of an ended session", "get", async {
            request(&engine, &visitor, async |s| assert!(s.is_new())).await;
        })
        .await;
}

#[tokio::test]
async fn a_read_touches_only_below_half_of_the_idle_timeout() {
    let (mut counter, storage) = Counter::start().await;
    let mut policy = Policy::default();
    policy.idle_timeout = SHORT;
    let engine = Engine::builder(storage).policy(policy).build().unwrap();
    let cookie = request(&engine, &FakeRequest::new(), async |s| s.insert("a", 1).unwrap()).await;
    let visitor = FakeRequest::with(cookie.as_ref().unwrap());
    let read = async |s: Session| assert!(s.get::<u32>("a").is_ok());
    counter
        .costs("a read with all of the idle timeout left", "get", async {
            request(&engine, &visitor, read).await;
        })
        .await;
    tokio::time::sleep(SHORT * 6 / 10).await;
    counter
        .costs("a read with less than half of it left", "get evalsha", async {
            request(&engine, &visitor, read).await;
        })
        .await;
    counter
        .costs("the read after that", "get", async {
            request(&engine, &visitor, read).await;
        })
        .await;
    tokio::time::sleep(SHORT * 6 / 10).await;
    counter
        .costs("a write with less than half of it left", "get evalsha", async {
            request(&engine, &visitor, async |s| s.insert("a", 2).unwrap()).await;
        })
        .await;
}

#[tokio::test]
async fn direct_use_costs_one_command_per_read_and_write() {
    let (mut counter, storage) = Counter::start().await;
    let mut data = SessionData::new();
    data.insert("a", 1).unwrap();
    counter
        .costs("set of a new session", "evalsha", async {
            storage.set("ann", &data, SHORT).await.unwrap();
        })
        .await;
    let mut got = None;
    counter.costs("get", "get", async { got = storage.get("ann", None).await.unwrap() }).await;
    counter
        .costs("set of what was got and changed", "evalsha", async {
            let mut data = got.take().unwrap();
            data.insert("a", 2).unwrap();
            storage.set("ann", &data, SHORT).await.unwrap();
        })
        .await;
    counter
        .costs("set of new data over a session: look, then write", "evalsha get evalsha", async {
            storage.set("ann", &data, SHORT).await.unwrap();
        })
        .await;
    counter.costs("exists", "get", async { assert!(storage.exists("ann").await.unwrap()) }).await;
    tokio::time::sleep(SHORT * 6 / 10).await;
    counter
        .costs("get with less than half of the TTL left", "get evalsha", async {
            drop(storage.get("ann", None).await.unwrap());
        })
        .await;
    counter
        .costs("get after that", "get", async { drop(storage.get("ann", None).await.unwrap()) })
        .await;
    counter.costs("delete", "del", async { assert!(storage.delete("ann").await.unwrap()) }).await;
}

/// A script's own commands are most of what a commit costs the server.
#[tokio::test]
async fn a_commit_runs_one_look_and_one_write_inside_of_the_server() {
    let (counter, storage) = Counter::start().await;
    let engine = Engine::builder(storage).build().unwrap();
    let inside = async || {
        let info = counter.server.ask(["INFO", "commandstats"]).await.unwrap().text();
        ["getrange", "exists", "set", "setrange"].map(|name| {
            let line =
                info.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
            line.and_then(|rest| rest.split(',').next()).map_or(0, |calls| calls.parse().unwrap())
        })
    };
    let since = |before: [u64; 4], after: [u64; 4]| [0, 1, 2, 3].map(|at| after[at] - before[at]);
    let before = inside().await;
    let cookie = request(&engine, &FakeRequest::new(), async |s| s.insert("a", 1).unwrap()).await;
    let created = inside().await;
    assert_eq!(since(before, created), [0, 0, 1, 0], "a creation");
    let visitor = FakeRequest::with(cookie.as_ref().unwrap());
    request(&engine, &visitor, async |s| s.insert("a", 2).unwrap()).await;
    assert_eq!(since(created, inside().await), [1, 0, 1, 0], "a write");
}
