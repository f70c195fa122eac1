//! [`turn_over`]: sessions come and expire all the time. With as many coming as going, memory must
//! not grow, and it must come back when they are gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cloakroom::SessionStorage;
use cloakroom_redis::RedisSessionStorage;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep_until};

use super::Fleet;
use super::contents::Contents;
use super::gauge::Gauge;
use crate::group;

const CALLERS: usize = 64;
/// How many generations of sessions come and go.
const LIFETIMES: u32 = 3;
/// How long the server may take to find the last ones that have expired.
const AFTERGLOW: Duration = Duration::from_secs(60);

/// How hard the server looks for keys that have expired.
#[derive(Clone, Copy, Debug)]
pub enum Expiry {
    /// With the settings that it comes with.
    Usual,
    /// With `active-expire-effort 5`, of 1 to 10.
    Eager,
}

impl Expiry {
    const fn effort(self) -> &'static str {
        match self {
            Self::Usual => "1",
            Self::Eager => "5",
        }
    }
}

/// Keeps so many sessions alive, each for `lifetime`, and prints the memory over time. Answers how
/// many keys are left in the end.
pub async fn turn_over(alive: usize, lifetime: Duration, expiry: Expiry) -> usize {
    let rate = alive as f64 / lifetime.as_secs_f64();
    println!(
        "\n### Turnover: {} sessions a second that live for {} s each, active-expire-effort {}\n",
        group(rate),
        lifetime.as_secs(),
        expiry.effort()
    );
    println!(
        "| second | made so far | alive | keys | memory, MB | resident, MB | core used so far, % |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let fleet = Fleet::one_with(&[("active-expire-effort", expiry.effort())]).await;
    let storage = Arc::new(fleet.patient_storage().await);
    let (made, mut callers) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    let pause = Duration::from_secs_f64(CALLERS as f64 / rate);
    for _ in 0..CALLERS {
        callers.spawn(keep_coming(storage.clone(), made.clone(), pause, lifetime));
    }
    let (watch, mut past) = (Watch::start(&fleet).await, Vec::new());
    watch.row(0, 0).await;
    for half in 1..=2 * LIFETIMES {
        sleep_until((watch.start + lifetime * half / 2).into()).await;
        past.push(made.load(Ordering::Relaxed));
        // What was made within the last lifetime, two samples back, is alive.
        let earlier = past.len().checked_sub(3).map_or(0, |at| past[at]);
        let last = past[past.len() - 1];
        watch.row(last, last - earlier).await;
    }
    callers.shutdown().await;
    let end = Instant::now() + lifetime + AFTERGLOW;
    while Gauge::read(&fleet).await.keys > 0.0 && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    watch.row(made.load(Ordering::Relaxed), 0).await;
    Gauge::read(&fleet).await.keys as usize
}

/// Somebody who looks at the server now and then.
struct Watch<'a> {
    fleet: &'a Fleet,
    start: Instant,
    cpu: Duration,
}

impl<'a> Watch<'a> {
    async fn start(fleet: &'a Fleet) -> Self {
        Self { fleet, start: Instant::now(), cpu: Gauge::read(fleet).await.cpu }
    }

    async fn row(&self, made: usize, alive: usize) {
        let gauge = Gauge::read(self.fleet).await;
        // In the first row no time has passed.
        let (seconds, cpu) = (self.start.elapsed().as_secs_f64(), gauge.cpu - self.cpu);
        println!(
            "| {seconds:.0} | {} | {} | {} | {:.1} | {} | {:.0} |",
            group(made as f64),
            group(alive as f64),
            group(gauge.keys),
            gauge.memory / 1e6,
            group(gauge.resident / 1e6),
            cpu.as_secs_f64() / seconds.max(1.0) * 100.0
        );
    }
}

async fn keep_coming(
    storage: Arc<RedisSessionStorage>,
    made: Arc<AtomicUsize>,
    pause: Duration,
    lifetime: Duration,
) {
    let mut ticks = interval(pause);
    loop {
        ticks.tick().await;
        let number = made.fetch_add(1, Ordering::Relaxed);
        let data = Contents::TYPICAL.data(number);
        let set = storage.set(&format!("visitor-{number}"), &data, lifetime).await;
        set.expect("the server takes it");
    }
}
