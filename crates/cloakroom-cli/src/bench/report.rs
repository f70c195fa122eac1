//! What the figures mean: a table, and in words what the installation can do.

use serde::Serialize;

use super::figures::{Figures, Measured};
use super::plan::{Phase, Plan, SESSION_BYTES};
use crate::table::{Table, thousands};

/// What machines are told.
#[derive(Serialize)]
pub(super) struct Told {
    place: String,
    concurrency: usize,
    sessions: u64,
    sessions_asked_for: u64,
    session_bytes: usize,
    phases: Vec<Figures>,
}

impl Told {
    pub(super) fn new(place: String, plan: &Plan, measured: Measured) -> Self {
        Self {
            place,
            concurrency: plan.concurrency,
            sessions: measured.sessions,
            sessions_asked_for: plan.sessions,
            session_bytes: SESSION_BYTES,
            phases: measured.phases,
        }
    }
}

/// The text for people.
pub(super) fn text(told: &Told) -> String {
    let Told { place, concurrency, sessions, sessions_asked_for, session_bytes, phases } = told;
    let mut table = Table::new(["", "per second", "median", "p99", "p99.9", "longest", "failed"]);
    for figures in phases {
        table.row([
            figures.name.to_owned(),
            thousands(figures.per_second),
            time(figures.p50_micros),
            time(figures.p99_micros),
            time(figures.p999_micros),
            time(figures.longest_micros),
            thousands(figures.failed),
        ]);
    }
    let asked_for = thousands(*sessions_asked_for);
    let fewer = match sessions < sessions_asked_for {
        true => format!("\n{asked_for} were asked for: in --seconds not all of them could be made"),
        false => String::new(),
    };
    format!(
        "{place}\n{concurrency} requests at once on {} sessions of {session_bytes} bytes{fewer}\n\n{}\n{}",
        thousands(*sessions),
        table.lines(),
        words(phases)
    )
}

/// What this installation can do.
fn words(phases: &[Figures]) -> String {
    let of = |phase: Phase| phases.iter().find(|figures| figures.name == phase.name());
    let (Some(read), Some(write), Some(mixed)) =
        (of(Phase::Read), of(Phase::Write), of(Phase::Mixed))
    else {
        return String::new();
    };
    let mut text = format!(
        "This installation serves about {} requests a second that read their session, {} that change\n\
         it, and {} of a usual mix: 78 in 100 read, 20 change, 2 sign out and in again. That is {}\n\
         visitors who click every ten seconds. At this load half of the mix waits less than {} for its\n\
         session, and one request in a thousand longer than {}.\n",
        about(read.per_second),
        about(write.per_second),
        about(mixed.per_second),
        about(mixed.per_second * 10),
        time(mixed.p50_micros),
        time(mixed.p999_micros),
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    text += &format!(
        "This machine ({cores} cores) took part in it: with more application nodes it may be more.\n"
    );
    text
}

/// Two digits of a rate; the others change from run to run.
fn about(rate: u64) -> String {
    let step = 10_u64.pow(rate.max(1).ilog10().saturating_sub(1));
    thousands((rate + step / 2) / step * step)
}

/// A time in the unit that people use for it.
fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_by_two_digits() {
        for (rate, text) in
            [(0, "0"), (7, "7"), (42, "42"), (449, "450"), (48_612, "49,000"), (999, "1,000")]
        {
            assert_eq!(about(rate), text);
        }
    }

    #[test]
    fn a_time_has_a_unit() {
        for (micros, text) in [(7, "7 µs"), (1_549, "1.5 ms"), (2_345_678, "2.35 s")] {
            assert_eq!(time(micros), text);
        }
    }
}
