//! [`Bars`]: a table of figures, each with the bar that it has to meet.
//!
//! A time is the median of the rounds, and the worst round stands beside it: on a machine that does
//! other things as well a single round says little. A count is the sum of all rounds.

use std::process::ExitCode;
use std::time::Duration;

use crate::{group, median};

/// The table; it prints itself line by line.
#[derive(Default)]
pub struct Bars {
    missed: usize,
}

impl Bars {
    /// Begins with a line that says what was done.
    pub fn new(title: &str) -> Self {
        println!("{title}");
        println!("  {:<52}{:>12}{:>12}{:>12}", "", "median", "worst", "bar");
        Self::default()
    }

    /// A time of each round, of which the median must not be above the bar.
    pub fn at_most(&mut self, name: &str, times: &[Duration], bar: Duration) {
        let verdict = self.judge(!times.is_empty() && middle(times) <= bar);
        let worst = times.iter().max().copied().unwrap_or_default();
        let beyond = if worst > bar && verdict == "met" { " (not in every round)" } else { "" };
        println!(
            "  {name:<52}{:>12}{:>12}{:>12}  {verdict}{beyond}",
            millis(middle(times)),
            millis(worst),
            millis(bar)
        );
    }

    /// A time of each round that has no bar.
    pub fn tell(&self, name: &str, times: &[Duration]) {
        let worst = times.iter().max().copied().unwrap_or_default();
        println!("  {name:<52}{:>12}{:>12}", millis(middle(times)), millis(worst));
    }

    /// Something that must not have happened at all, and how often it might have.
    pub fn none(&mut self, name: &str, count: usize, of: usize) {
        let verdict = self.judge(count == 0 && of > 0);
        let of = format!("of {}", group(of as f64));
        println!("  {name:<52}{:>12}{of:>12}{:>12}  {verdict}", group(count as f64), 0);
    }

    /// How often something happened.
    pub fn count(&self, name: &str, count: usize) {
        println!("  {name:<52}{:>12}", group(count as f64));
    }

    /// A failure where any bar was missed.
    pub fn end(self) -> ExitCode {
        if self.missed == 0 {
            return ExitCode::SUCCESS;
        }
        println!("  {} missed", self.missed);
        ExitCode::FAILURE
    }

    fn judge(&mut self, met: bool) -> &'static str {
        self.missed += usize::from(!met);
        if met { "met" } else { "MISSED" }
    }
}

fn middle(times: &[Duration]) -> Duration {
    let seconds: Vec<_> = times.iter().map(Duration::as_secs_f64).collect();
    Duration::try_from_secs_f64(median(&seconds)).unwrap_or_default()
}

fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    if millis < 10.0 { format!("{millis:.2} ms") } else { format!("{} ms", group(millis)) }
}
