//! [`Load`]: the work, phase by phase, and the removal of what it has made, however it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cloakroom::Token;
use cloakroom_redis::RedisSessionStorage;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::figures::{Measured, Tally};
use super::plan::{Phase, Plan};
use super::worker::{Worked, Worker};
use crate::failure::Failure;
use crate::output::remark;
use crate::progress::Progress;
use crate::signals::Signals;

/// How long the removal may take at the end, or as long as the making.
const CLEANING: Duration = Duration::from_secs(60);

/// The work that is measured.
pub(super) struct Load {
    storage: RedisSessionStorage,
    plan: Plan,
    stop: Arc<AtomicBool>,
}

impl Load {
    pub(super) fn new(storage: RedisSessionStorage, plan: Plan) -> Self {
        Self { storage, plan, stop: Arc::default() }
    }

    /// Does all of it; answers the figures of each phase.
    pub(super) async fn run(self, mut signals: Signals) -> Result<Measured, Failure> {
        let progress = Progress::steps(Phase::ALL.len() as u64, "");
        let (mut workers, empty) = (self.workers()?, Tally::new()?);
        let mut measured = Measured::default();
        let mut refused = None;
        {
            let work = async {
                for phase in Phase::ALL {
                    progress.now(phase.name());
                    let begin = Instant::now();
                    let tally = work_at(&mut workers, phase, self.plan, &empty).await;
                    if tally.successes() == 0 {
                        refused = tally.first_failure().map(str::to_owned);
                        break;
                    }
                    if phase == Phase::SignIn {
                        measured.sessions = workers.iter().map(|worker| worker.made).sum();
                    }
                    measured.add(&tally, phase, begin.elapsed());
                    progress.step("");
                }
            };
            tokio::pin!(work);
            tokio::select! {
                () = &mut work => {}
                () = signals.next() => {
                    self.stop.store(true, Ordering::Relaxed);
                    work.await;
                }
            }
        }
        progress.now("removing what was made");
        let left = clean(workers, CLEANING.max(self.plan.length), &mut signals).await;
        drop(progress);
        let left = self.told(left);
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::interrupted(format!("ended before it was done; {left}")));
        }
        match refused {
            Some(error) => Err(Failure::new(format!("nothing could be measured: {error}; {left}"))),
            None => Ok(measured),
        }
    }

    fn workers(&self) -> Result<Vec<Worker>, Failure> {
        let own_name = Token::generate().map_err(Failure::new)?.key().public_id();
        let run: Arc<str> = own_name.to_string().into();
        let of = self.plan.concurrency as u64;
        let worker = |number| Worker {
            storage: self.storage.clone(),
            run: run.clone(),
            number,
            of,
            stop: self.stop.clone(),
            made: 0,
            perhaps: 0,
        };
        Ok((0..of).map(worker).collect())
    }

    /// What is left of the sessions, in words; a remark where that is more than nothing.
    fn told(&self, left: u64) -> String {
        if left == 0 {
            return "everything that was made is removed".to_owned();
        }
        let life = humantime::format_duration(self.plan.life());
        let text =
            format!("{left} sessions could not be removed; they end by themselves in {life}");
        remark(&text);
        text
    }
}

/// Lets all of them work at once, and adds up what they have measured.
async fn work_at(workers: &mut Vec<Worker>, phase: Phase, plan: Plan, empty: &Tally) -> Tally {
    let mut working = JoinSet::new();
    for worker in workers.drain(..) {
        working.spawn(worker.work(phase, plan, empty.clone()));
    }
    let mut all = empty.clone();
    while let Some(worked) = working.join_next().await {
        let Ok(Worked { worker, tally }) = worked else { continue };
        workers.push(worker);
        all.add(tally);
    }
    all
}

/// Removes what is there; a second signal, or too long a time, leaves the rest to its end.
async fn clean(workers: Vec<Worker>, limit: Duration, signals: &mut Signals) -> u64 {
    let made = workers.iter().map(|worker| worker.made + worker.perhaps).sum();
    let mut cleaning = JoinSet::new();
    for worker in workers {
        cleaning.spawn(async move { worker.clean().await });
    }
    let mut left = 0;
    let all = async {
        while let Some(cleaned) = cleaning.join_next().await {
            left += cleaned.unwrap_or(0);
        }
    };
    let in_time = tokio::select! {
        done = tokio::time::timeout(limit, all) => done.is_ok(),
        () = signals.next() => false,
    };
    if in_time { left } else { made }
}
