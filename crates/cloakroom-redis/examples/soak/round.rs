//! [`Round`]: one history: load, faults, and the quiet in the end. Long runs are several rounds, so
//! that no history grows beyond the memory.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use cloakroom::{Engine, SessionStorage, Timestamp};
use cloakroom_testkit::history::{History, Resources, Verdict};
use cloakroom_testkit::workload::{Summary, Workload};
use tokio::time::Instant;

use crate::bounds::bounds;
use crate::dice::Dice;
use crate::effect::Effect;
use crate::lateness::Lateness;
use crate::scene::{Scene, Stretch};
use crate::story::stories;
use crate::topology::Topology;
use crate::unlisted::unlisted;

/// Before the first fault.
const WARM_UP: Duration = Duration::from_secs(3);
/// After the last one, to see what the process lets go of.
const QUIET: Duration = Duration::from_secs(8);
const SAMPLE: Duration = Duration::from_millis(500);

const VISITORS: u32 = 120;
const CLIENTS: u32 = 24;
const PER_SECOND: u32 = 400;
const GIVEN_UP: f64 = 0.02;
const PATIENCE: Duration = Duration::from_millis(10);

/// What came of a round.
pub(crate) struct Round {
    pub(crate) summary: Summary,
    pub(crate) verdict: Verdict,
    /// What led to the violations.
    pub(crate) stories: Vec<String>,
    /// By the faults' names.
    pub(crate) effects: BTreeMap<&'static str, Effect>,
    /// Sign-outs that were still pending when they had to be carried out, in words.
    pub(crate) overdue: Vec<String>,
    /// Sessions in the end that their owner's index does not know, in words.
    pub(crate) unlisted: Vec<String>,
    pub(crate) lateness: Duration,
    /// What the process held before the faults.
    pub(crate) held: Resources,
}

impl Round {
    /// Whether every invariant holds, no sign-out was left behind, and every session is found by its
    /// owner.
    pub(crate) fn holds(&self) -> bool {
        self.verdict.holds() && self.overdue.is_empty() && self.unlisted.is_empty()
    }

    /// Runs for about `length`. `held` is what the process held before the faults of the first
    /// round.
    pub(crate) async fn play<T: Topology>(
        servers: &T,
        nodes: &[Engine],
        length: Duration,
        mut dice: Dice,
        wanted: &str,
        held: Option<Resources>,
    ) -> io::Result<Self> {
        let history = History::new();
        let lateness = Lateness::measure(&history);
        let load = Workload::new()
            .visitors(VISITORS)
            .clients(CLIENTS)
            .per_second(PER_SECOND)
            .operations(u64::MAX)
            .given_up(GIVEN_UP, PATIENCE)
            .seed(dice.roll());
        let mut faults = BTreeMap::<_, Vec<Stretch>>::new();
        let mut overdue = Vec::new();
        let begin = history.now();
        let (mut first, mut listed_since) = (None, Timestamp::from_millis(0));
        tokio::select! {
            _ = load.run(nodes, &history) => {}
            done = async {
                tokio::time::sleep(WARM_UP).await;
                let before = match held {
                    Some(held) => {
                        history.sample_at(history.now(), held);
                        held
                    }
                    None => history.sample()?,
                };
                first = Some(before);
                let end = Instant::now() + length.saturating_sub(WARM_UP + QUIET);
                let mut scene = Scene::new(&history, dice);
                let mut left: Vec<&(&'static str, T::Fault)> = Vec::new();
                while Instant::now() < end {
                    let (name, fault) = next::<T>(&mut left, wanted, &mut scene.dice)?;
                    let in_words = |error| io::Error::other(format!("{name}: {error}"));
                    servers.strike(fault, &mut scene).await.map_err(in_words)?;
                    faults.entry(name).or_default().extend(scene.take_past());
                    scene.calm().await;
                    overdue.extend(still_pending(name, nodes));
                }
                listed_since = scene.listed_since;
                let quiet = Instant::now() + QUIET;
                while Instant::now() < quiet {
                    tokio::time::sleep(SAMPLE).await;
                    history.sample()?;
                }
                Ok::<_, io::Error>(())
            } => done?,
        }
        for node in nodes {
            node.drain(QUIET).await;
        }
        let node = nodes.first().ok_or_else(|| io::Error::other("there is no node"))?;
        let unlisted = unlisted(node, listed_since).await.map_err(io::Error::other)?;
        let verdict = history.check(&bounds::<T>());
        let summary = Summary::since(begin, &history);
        let effects = Effect::all(&faults, &history, &summary);
        Ok(Self {
            effects,
            overdue,
            unlisted,
            summary,
            stories: stories(&history, &verdict),
            verdict,
            lateness: lateness.longest(),
            held: first.unwrap_or_default(),
        })
    }
}

/// The next fault: all of them in a random order, then in another one.
fn next<T: Topology>(
    left: &mut Vec<&(&'static str, T::Fault)>,
    wanted: &str,
    dice: &mut Dice,
) -> io::Result<(&'static str, T::Fault)> {
    if left.is_empty() {
        left.extend(T::FAULTS.iter().filter(|(name, _)| name.contains(wanted)));
        dice.shuffle(left);
    }
    left.pop().copied().ok_or_else(|| io::Error::other("there is no such fault"))
}

/// The history notices a sign-out that was not carried out only where somebody uses its ticket.
fn still_pending(fault: &str, nodes: &[Engine]) -> Vec<String> {
    let pending = nodes.iter().map(|node| node.storage().health().pending_removals);
    let kept = pending.enumerate().filter(|(_, pending)| *pending > 0);
    kept.map(|(at, pending)| {
        format!("{pending} sign-outs are still pending at node {at}, 2.5 s after: {fault}")
    })
    .collect()
}
