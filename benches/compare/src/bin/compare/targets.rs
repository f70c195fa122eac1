//! The bars that Cloakroom has set itself, and whether they are met.

use serde::Serialize;

use crate::correctness::TRIES;
use crate::figures::ratio;
use crate::report::{Library, Report};
use crate::speed::Route;
use cloakroom_compare::KEY_COUNT;

/// A rate that has to be so many times another one.
struct Bar {
    route: Route,
    ours: &'static str,
    theirs: &'static str,
    at_least: f64,
    /// The application by hand on the client that Cloakroom uses, where what it reaches says something.
    by_hand: Option<&'static str>,
}

const BARS: [Bar; 10] = [
    bar(Route::Plain, "cloakroom-axum", "none", 0.95),
    bar(Route::Read, "cloakroom-axum", "tower-sessions", 1.6).by_hand(AXUM_BY_HAND),
    bar(Route::Read, "cloakroom-axum", "deadpool", 4.0).by_hand(AXUM_BY_HAND),
    bar(Route::Write, "cloakroom-axum", "tower-sessions", 1.8).by_hand(AXUM_BY_HAND),
    bar(Route::Write, "cloakroom-axum", "deadpool", 4.0).by_hand(AXUM_BY_HAND),
    bar(Route::Plain, "cloakroom-actix", "actix-session", 1.7),
    bar(Route::Read, "cloakroom-actix", "actix-session", 1.1).by_hand(ACTIX_BY_HAND),
    bar(Route::Write, "cloakroom-actix", "actix-session", 1.25).by_hand(ACTIX_BY_HAND),
    bar(Route::Read, "cloakroom-axum+near-cache", "none", 0.85),
    bar(Route::Read, "cloakroom-actix+near-cache", "none-actix", 0.85),
];

const AXUM_BY_HAND: &str = "redis-rs";
const ACTIX_BY_HAND: &str = "redis-rs-actix";

/// One bar and what was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    pub what: String,
    pub measured: String,
    /// What the application by hand reaches; empty where that says nothing.
    pub by_hand: String,
    pub bar: String,
    /// `None` where it was not measured.
    pub met: Option<bool>,
}

impl Verdict {
    pub fn word(&self) -> &'static str {
        match self.met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "not measured",
        }
    }
}

/// All bars that concern somebody who took part.
pub fn judge(report: &Report) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    if report.has_speed() {
        verdicts.extend(BARS.iter().filter_map(|bar| bar.judge(report)));
    }
    for library in report.libraries.iter().filter(|library| library.is_cloakroom()) {
        verdicts.extend(commands(library));
        verdicts.extend(correctness(library));
    }
    verdicts
}

impl Bar {
    const fn by_hand(mut self, contestant: &'static str) -> Self {
        self.by_hand = Some(contestant);
        self
    }

    fn judge(&self, report: &Report) -> Option<Verdict> {
        let (ours, theirs) = (report.find(self.ours)?, report.find(self.theirs)?);
        let against_theirs =
            |library: &Library| ratio(library.rates(self.route), theirs.rates(self.route));
        let measured = against_theirs(ours);
        let by_hand = self.by_hand.and_then(|name| against_theirs(report.find(name)?));
        // Rounded down, so that what misses its bar does not look as if it met it.
        let shown = |ratio: f64| format!("{:.2}", (ratio * 100.0).floor() / 100.0);
        Some(Verdict {
            what: format!("`{}`: {} against {}", self.route.path(), self.ours, self.theirs),
            measured: measured.map_or_else(|| "-".to_owned(), shown),
            by_hand: by_hand.map_or_else(String::new, shown),
            bar: format!("at least {}", self.at_least),
            met: measured.map(|ratio| ratio >= self.at_least),
        })
    }
}

/// A node that keeps a copy writes with one command; without a copy it has to read first.
fn commands(library: &Library) -> Option<Verdict> {
    let sent = library.speed.get(&Route::Write)?.commands.sent_in_all();
    let at_most = if library.has_near_cache() { 1.0 } else { 2.0 };
    Some(Verdict {
        what: format!("commands sent for a write, {}", library.name),
        measured: format!("{sent:.1}"),
        by_hand: String::new(),
        bar: format!("at most {at_most}"),
        // A heartbeat may come in between.
        met: Some(sent < at_most + 0.1),
    })
}

fn correctness(library: &Library) -> Vec<Verdict> {
    let Some(rows) = &library.correctness else { return Vec::new() };
    let (one, two) = (rows.one_node, rows.two_nodes);
    let verdict = |what: &str, measured: String, bar: String, met: bool| Verdict {
        what: format!("{what}, {}", library.name),
        measured,
        by_hand: String::new(),
        bar,
        met: Some(met),
    };
    // A copy may be used within its stated bound, and not beyond.
    let accepted =
        if library.has_near_cache() { rows.accepted_later } else { rows.accepted_at_once };
    vec![
        verdict(
            "parallel writes kept on one node and two",
            format!("{} and {}", one.kept, two.kept),
            format!("{KEY_COUNT} and {KEY_COUNT}"),
            one.kept == KEY_COUNT as u64 && two.kept == KEY_COUNT as u64,
        ),
        verdict(
            "sign-outs undone on one node and two",
            format!("{} and {} of {TRIES}", one.undone, two.undone),
            "0 and 0".to_owned(),
            one.undone + two.undone + one.came_back + two.came_back == 0,
        ),
        verdict(
            "signed-out tickets accepted on another node",
            format!("{accepted} of {TRIES}"),
            "0".to_owned(),
            accepted == 0,
        ),
    ]
}

const fn bar(route: Route, ours: &'static str, theirs: &'static str, at_least: f64) -> Bar {
    Bar { route, ours, theirs, at_least, by_hand: None }
}
