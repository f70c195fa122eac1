//! All connections go silent, as behind a firewall that has forgotten them: how soon they are
//! replaced where new ones work, without traffic and with it; and how soon all is well where new
//! ones hang as well, until the network heals.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloakroom::{HealthStatus, SessionData, SessionStorage};
use cloakroom_benches::{Bars, EventLog, Happened, rounds};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::fault_proxy::{Direction, Scope};
use cloakroom_testkit::{FaultProxy, RedisServer};
use tokio::task::JoinHandle;
use tokio::time::sleep;

const CONNECTIONS: usize = 10;
const CALLERS: usize = 8;
const SILENT: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(20);

/// Which connections work again after the network is healed.
#[derive(Clone, Copy, PartialEq)]
enum Healed {
    /// All: what was on its way arrives.
    All,
    /// Those that are opened from then on; whatever was opened before stays silent for ever.
    Later,
}

#[tokio::main]
async fn main() -> ExitCode {
    let rounds = rounds(7);
    let title = format!("{CONNECTIONS} connections go silent, {rounds} rounds of each");
    let (replaced, recovered) = (Duration::from_millis(1500), Duration::from_secs(1));
    let mut bars = Bars::new(&title);

    let mut idle = Vec::new();
    for _ in 0..rounds {
        idle.push(Scene::set().await.until_replaced().await);
    }
    bars.at_most("nobody asks: until all are replaced", &idle, replaced);

    let (mut first, mut all) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let scene = Scene::set().await;
        let callers = scene.call();
        sleep(Duration::from_millis(200)).await;
        all.push(scene.until_replaced().await);
        let since = scene.silent_since();
        first.push(first_good(callers, since).await);
    }
    bars.at_most("8 callers: until a call succeeds", &first, replaced);
    bars.at_most("8 callers: until all are replaced", &all, replaced);

    for (healed, name) in [(Healed::All, "all connections"), (Healed::Later, "new ones only")] {
        let (mut first, mut well) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let scene = Scene::set().await;
            let callers = scene.call();
            scene.proxy.black_hole(Scope::All, Direction::Both);
            sleep(SILENT).await;
            match healed {
                Healed::All => scene.proxy.heal(Scope::All),
                Healed::Later => {
                    scene.proxy.heal(Scope::New);
                }
            }
            let since = Instant::now();
            scene.until(|| scene.storage.health().status == HealthStatus::Healthy).await;
            well.push(since.elapsed());
            first.push(first_good(callers, since).await);
        }
        bars.at_most(&format!("{name} healed: until a call succeeds"), &first, recovered);
        bars.tell(&format!("{name} healed: until everything is healthy"), &well);
    }
    bars.end()
}

/// A storage behind a proxy, with one session.
struct Scene {
    proxy: FaultProxy,
    storage: RedisSessionStorage,
    events: EventLog,
    silent: std::sync::Mutex<Instant>,
    _server: RedisServer,
}

impl Scene {
    async fn set() -> Self {
        let server = RedisServer::start().await.expect("redis-server is installed");
        let proxy = FaultProxy::before(&server).await.expect("a free port");
        let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(CONNECTIONS);
        let storage = builder.build().await.expect("the server was just started");
        let events = EventLog::start();
        storage.observe_with(Arc::new(events.observer()));
        let mut data = SessionData::new();
        data.insert("count", 1).expect("a number is JSON");
        storage.set("ann", &data, None).await.expect("the session is stored");
        // Heartbeats of all connections shall not lie at the same moment because of the start.
        sleep(Duration::from_millis(700)).await;
        Self { proxy, storage, events, silent: Instant::now().into(), _server: server }
    }

    fn silent_since(&self) -> Instant {
        *self.silent.lock().expect("nobody panics")
    }

    /// Callers who ask again and again; each answers when its calls succeeded.
    fn call(&self) -> Vec<JoinHandle<Vec<(Instant, Instant)>>> {
        let call = |storage: RedisSessionStorage| async move {
            let mut good = Vec::new();
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_secs(6) {
                let asked = Instant::now();
                if storage.get("ann", None).await.is_ok_and(|data| data.is_some()) {
                    good.push((asked, Instant::now()));
                }
                sleep(Duration::from_millis(5)).await;
            }
            good
        };
        (0..CALLERS).map(|_| tokio::spawn(call(self.storage.clone()))).collect()
    }

    /// Makes all connections silent; how long it takes until each has been replaced.
    async fn until_replaced(&self) -> Duration {
        let before = self.proxy.accepted();
        self.proxy.black_hole(Scope::OpenNow, Direction::Both);
        let since = Instant::now();
        *self.silent.lock().expect("nobody panics") = since;
        let restored = || {
            let events = self.events.since(since);
            events.iter().filter(|(_, what)| matches!(what, Happened::Restored(_))).count()
        };
        self.until(|| restored() >= CONNECTIONS).await;
        let took = since.elapsed();
        assert!(self.proxy.accepted() >= before + CONNECTIONS as u64, "they are new ones");
        took
    }

    async fn until(&self, reached: impl Fn() -> bool) {
        let begin = Instant::now();
        while !reached() {
            assert!(begin.elapsed() < LIMIT, "{:?}", self.storage.health());
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// How long after a moment the first call succeeded that began after it or hung then.
async fn first_good(callers: Vec<JoinHandle<Vec<(Instant, Instant)>>>, since: Instant) -> Duration {
    let mut first = Duration::MAX;
    for caller in callers {
        let good = caller.await.expect("no caller panics");
        let after = good.iter().filter(|(asked, _)| *asked > since).map(|(_, end)| *end - since);
        first = after.chain([first]).min().unwrap_or(first);
    }
    first
}
