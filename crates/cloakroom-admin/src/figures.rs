//! [`Figures`]: the overview as the JSON interface writes it and the page's script reads it. Figures
//! that cannot be known are `null`, never zero.

use cloakroom::StorageHealth;
use serde::Serialize;

use crate::census::{Point, State};
use crate::observer::{AdminObserver, Period, Seen};

/// How many minutes are shown.
const MINUTES: usize = 60;

/// Everything at one moment. Moments are milliseconds since the epoch.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) now: u64,
    pub(crate) health: StorageHealth,
    /// Whose requests `seconds` and `minutes` are about: `application`, `page_only` or `nobody`.
    pub(crate) seen: &'static str,
    /// Since when they are counted.
    pub(crate) since: Option<u64>,
    /// The last 120 seconds, the oldest first; the last one is not over.
    pub(crate) seconds: Option<Series>,
    /// The last 60 minutes, the oldest first; the last one is not over.
    pub(crate) minutes: Option<Series>,
    pub(crate) incidents: Vec<IncidentFigure>,
    /// How long the storage has just taken for a question of the page's own, in microseconds.
    pub(crate) probe_us: Option<u64>,
    pub(crate) probe_error: Option<String>,
    /// Whether the storage has answered, and refuses the page that question.
    pub(crate) is_refused: bool,
    pub(crate) count: Option<CountFigures>,
    pub(crate) is_counting: bool,
    pub(crate) count_error: Option<String>,
    /// How many sessions there are, as far as a count that is under way can tell.
    pub(crate) so_far: Option<u64>,
    pub(crate) history: Vec<PointFigures>,
}

/// What was counted in each period.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Series {
    created: Vec<u32>,
    signed_in: Vec<u32>,
    ended: Vec<u32>,
    rejected: Vec<u32>,
    /// Questions to the storage that were answered.
    answers: Vec<u32>,
    /// Questions that it could not answer.
    errors: Vec<u32>,
    /// Within how many microseconds 99 of 100 answers came, rounded up by at most a quarter.
    p99_us: Vec<Option<u64>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct IncidentFigure {
    at: u64,
    text: String,
}

/// The newest count.
#[derive(Debug, Serialize)]
pub(crate) struct CountFigures {
    at: u64,
    took_ms: u64,
    sessions: u64,
    bytes: Option<u64>,
    signed_in: Option<u64>,
    /// How many sessions `signed_in` and the history's `created`, `sign_ins` and `ended` stand on.
    looked_at: u64,
    /// Whether those are all, so that nothing is estimated.
    is_exact: bool,
    memory: Option<u64>,
    memory_limit: Option<u64>,
    memory_policy: Option<String>,
    /// Why no more sessions could be looked at, or the servers' figures not be read.
    problem: Option<String>,
}

/// An older count.
#[derive(Debug, Serialize)]
pub(crate) struct PointFigures {
    at: u64,
    sessions: u64,
    memory: Option<u64>,
    /// `None` where too few sessions were seen to tell.
    created: Option<u64>,
    sign_ins: Option<u64>,
    ended: Option<u64>,
    seconds: u64,
}

impl Figures {
    /// What an observer has counted and a census knows.
    pub(crate) fn of(
        now: cloakroom::Timestamp,
        health: StorageHealth,
        observer: Option<&AdminObserver>,
        census: State,
    ) -> Self {
        let periods = observer.map(series);
        let (seconds, minutes) = periods.map_or((None, None), |(s, m)| (Some(s), Some(m)));
        let incidents = observer.map(AdminObserver::incidents).unwrap_or_default();
        let count = census.last.as_ref().map(CountFigures::of);
        Self {
            now: now.as_millis(),
            health,
            seen: match observer.map(AdminObserver::seen) {
                Some(Seen::Application) => "application",
                Some(Seen::PageOnly) => "page_only",
                None => "nobody",
            },
            since: observer.map(|it| it.since().as_millis()),
            seconds,
            minutes,
            incidents: incidents
                .into_iter()
                .map(|it| IncidentFigure { at: it.at.as_millis(), text: it.text() })
                .collect(),
            probe_us: None,
            probe_error: None,
            is_refused: false,
            count,
            is_counting: census.is_counting,
            count_error: census.error,
            so_far: census.so_far,
            history: census.history.iter().map(PointFigures::of).collect(),
        }
    }
}

fn series(observer: &AdminObserver) -> (Series, Series) {
    let (seconds, minutes) = observer.periods(|it| (it.clone(), it.latency.within_us(0.99)));
    let skipped = minutes.len().saturating_sub(MINUTES);
    (Series::of(seconds.iter()), Series::of(minutes.iter().skip(skipped)))
}

impl Series {
    fn of<'a>(periods: impl Iterator<Item = &'a (Period, Option<u64>)>) -> Self {
        let mut series = Self::default();
        for (period, p99_us) in periods {
            series.created.push(period.created);
            series.signed_in.push(period.signed_in);
            series.ended.push(period.ended);
            series.rejected.push(period.rejected);
            series.answers.push(period.latency.answers().saturating_sub(period.errors));
            series.errors.push(period.errors);
            series.p99_us.push(*p99_us);
        }
        series
    }
}

impl CountFigures {
    fn of(count: &crate::census::Count) -> Self {
        Self {
            at: count.at.as_millis(),
            took_ms: u64::try_from(count.took.as_millis()).unwrap_or(u64::MAX),
            sessions: count.sessions,
            bytes: count.sample.bytes(count.sessions),
            signed_in: count.sample.signed_in(count.sessions),
            looked_at: count.sample.looked_at,
            is_exact: count.sample.is_all,
            memory: count.metric("used_memory"),
            memory_limit: count.metric("maxmemory").filter(|limit| *limit > 0),
            memory_policy: count.metrics.get("maxmemory_policy").cloned(),
            problem: count.problem.clone(),
        }
    }
}

impl PointFigures {
    fn of(point: &Point) -> Self {
        Self {
            at: point.at.as_millis(),
            sessions: point.sessions,
            memory: point.memory,
            created: point.created,
            sign_ins: point.sign_ins,
            ended: point.ended,
            seconds: point.seconds,
        }
    }
}
