//! [`Load`]: rounds with 1, 2 and 4 processes in turn, and the table of what they were like.

use std::time::Duration;

use super::Fleet;
use super::application::WRITES;
use super::popularity::{Popularity, SKEW};
use super::round::Round;
use super::scene::{Crowd, MOST_PROCESSES, Scene};
use crate::{group, median, percentile};

/// Who is at work, in turn. The last ones keep the server least busy: it gets each command by itself,
/// and has most to do for it.
const CROWDS: [Crowd; 4] =
    [Crowd::of(1, 64), Crowd::of(2, 32), Crowd::EVERYBODY, Crowd::of(MOST_PROCESSES, 1)];

/// All rounds.
pub struct Load {
    rounds: [Vec<Round>; CROWDS.len()],
}

impl Load {
    /// Lets each of the crowds have a round, again and again.
    pub async fn run(scene: &mut Scene<'_>, rounds: usize, length: Duration) -> Self {
        let mut load = Self { rounds: Default::default() };
        for _ in 0..rounds {
            for (at, crowd) in CROWDS.into_iter().enumerate() {
                load.rounds[at].push(scene.round(crowd, length).await);
            }
        }
        load
    }

    /// Prints the table.
    pub fn print(&self, fleet: &Fleet, sessions: usize) {
        let count = self.rounds[0].len();
        let hottest = Popularity::of(sessions);
        println!(
            "\n### Load: {} visitors, {:.0} % writes, {}\n",
            group(sessions as f64),
            WRITES * 100.0,
            fleet.topology().name()
        );
        println!(
            "Visitors come by Zipf's law (s = {SKEW}): {:.1} % of the requests are the busiest one's, \
             {:.0} % those of the busiest thousand. {count} rounds of {} s in turn; median of the \
             rounds, in brackets the lowest and the highest.\n",
            hottest.share_of(1) * 100.0,
            hottest.share_of(1_000) * 100.0,
            self.rounds[0][0].length.as_secs()
        );
        let connected = &self.rounds[0][0].after;
        let servers = fleet.servers().len() as f64;
        println!(
            "All processes together have {} connections to each server, which takes {:.1} KB of \
             memory for each of them.\n",
            connected.clients / servers - 1.0,
            connected.client_memory / connected.clients / 1e3
        );
        let heads = CROWDS.map(|crowd| crowd.processes.to_string());
        println!(
            "| processes | {} |\n| --- |{}",
            heads.join(" | "),
            " ---: |".repeat(CROWDS.len())
        );
        let in_flight = CROWDS.map(|crowd| (crowd.processes * crowd.callers).to_string());
        println!("| requests in flight, altogether | {} |", in_flight.join(" | "));
        let row = |name: &str, show: fn(f64) -> String, value: &dyn Fn(&Round) -> f64| {
            let cells = self.rounds.iter().map(|rounds| spread(rounds, show, value));
            println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
        };
        let delay = |share| move |round: &Round| percentile(&round.tally.millis(), share);
        row("requests per second", group, &Round::rate);
        row("p50, ms", fine, &delay(0.5));
        row("p99, ms", fine, &delay(0.99));
        row("p99.9, ms", fine, &delay(0.999));
        row("p99 of writes, ms", fine, &|round| percentile(&round.tally.write_millis(), 0.99));
        row("server's processor time per request, µs", fine, &Round::server_micros);
        row("application's processor time per request, µs", fine, &Round::application_micros);
        row("commands per request", fine, &Round::commands);
        row("bytes on the wire per request", group, &Round::traffic);
        if fleet.servers().len() > 1 {
            row("share of the busiest primary", fine, &Round::busiest);
        }
        row("requests that failed", group, &|round| round.tally.failed as f64);
        row("answers of another session, or none", group, &|round| round.tally.foreign as f64);
    }

    /// The servers' processor time for one request in microseconds, where it is dearest.
    pub fn server_micros(&self) -> f64 {
        self.dearest(Round::server_micros)
    }

    /// The bytes of one request on the wire.
    pub fn traffic(&self) -> f64 {
        self.dearest(Round::traffic)
    }

    fn dearest(&self, value: fn(&Round) -> f64) -> f64 {
        let medians =
            self.rounds.iter().map(|rounds| median(&rounds.iter().map(value).collect::<Vec<_>>()));
        medians.fold(0.0, f64::max)
    }

    /// Requests that failed or met another session.
    pub fn unsound(&self) -> u64 {
        let tallies = self.rounds.iter().flatten().map(|round| &round.tally);
        tallies.map(|tally| tally.failed + tally.foreign).sum()
    }
}

fn spread(rounds: &[Round], show: fn(f64) -> String, value: &dyn Fn(&Round) -> f64) -> String {
    let values: Vec<_> = rounds.iter().map(value).collect();
    let [low, middle, high] = [0.0, 0.5, 1.0].map(|share| show(percentile(&values, share)));
    if low == high { middle } else { format!("{middle} ({low} - {high})") }
}

fn fine(number: f64) -> String {
    format!("{number:.2}")
}
