//! [`Verdict`]: what a check has found.

use std::fmt;

use super::{Entry, Invariant};

/// How many violations of one invariant are kept with their entries; all are counted.
const KEPT: usize = 20;
/// How many of them are printed.
const PRINTED: usize = 3;

/// What became of each invariant. Its `Display` is a small table, with the first violations.
#[derive(Clone, Debug)]
#[must_use = "a verdict that nobody reads finds nothing"]
pub struct Verdict {
    findings: Vec<Findings>,
    lost: u64,
}

/// What was found about one invariant.
#[derive(Clone, Debug)]
pub struct Findings {
    invariant: Invariant,
    checked: u64,
    violated: u64,
    violations: Vec<Violation>,
}

/// One violation, with the operations that show it.
#[derive(Clone, Debug)]
pub struct Violation {
    what: String,
    entries: Vec<Entry>,
}

impl Verdict {
    pub(super) fn new(findings: Vec<Findings>, lost: u64) -> Self {
        Self { findings, lost }
    }

    /// Whether no invariant was violated, and all operations found room in the history.
    ///
    /// An invariant of which nothing was checked is not violated: look at [`Findings::checked`].
    pub fn holds(&self) -> bool {
        self.lost == 0 && self.findings.iter().all(|found| found.violated == 0)
    }

    /// What was found about one invariant.
    pub fn of(&self, invariant: Invariant) -> &Findings {
        // The check makes one element per invariant, in their order.
        &self.findings[invariant.number() - 1]
    }

    /// What was found about each invariant, by their numbers.
    pub fn findings(&self) -> &[Findings] {
        &self.findings
    }

    /// How many operations found no room in the history.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl Findings {
    pub(super) fn new(invariant: Invariant) -> Self {
        Self { invariant, checked: 0, violated: 0, violations: Vec::new() }
    }

    pub(super) fn check(&mut self) {
        self.checked += 1;
    }

    pub(super) fn violate(&mut self, what: impl FnOnce() -> String, entries: &[&Entry]) {
        self.violated += 1;
        if self.violations.len() < KEPT {
            let entries = entries.iter().map(|entry| (*entry).clone()).collect();
            self.violations.push(Violation { what: what(), entries });
        }
    }

    /// The invariant.
    pub fn invariant(&self) -> Invariant {
        self.invariant
    }

    /// How many times it was checked; [`Invariant::unit`] says what is counted. With no violation
    /// in n checks the true rate lies below 3/n with a probability of 95 %.
    pub fn checked(&self) -> u64 {
        self.checked
    }

    /// How many times it was violated.
    pub fn violated(&self) -> u64 {
        self.violated
    }

    /// The first 20 violations.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

impl Violation {
    /// What is wrong, in one sentence.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The operations that show it.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for found in &self.findings {
            writeln!(f, "{found}")?;
        }
        if self.lost > 0 {
            writeln!(f, "incomplete: {} operations found no room", grouped(self.lost))?;
        }
        for found in self.findings.iter().filter(|found| found.violated > 0) {
            for violation in found.violations.iter().take(PRINTED) {
                writeln!(f, "{}: {violation}", found.invariant)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (violated, checked) = (grouped(self.violated), grouped(self.checked));
        write!(f, "{}: {violated} of {checked} {}", self.invariant, self.invariant.unit())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.entries.iter().try_for_each(|entry| write!(f, "\n    {entry}"))
    }
}

/// A number with a comma after every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_a_rate() {
        let mut found = Findings::new(Invariant::OwnData);
        found.checked = 1_203_991;
        assert_eq!(found.to_string(), "INV-1: 0 of 1,203,991 reads");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(100_000), "100,000");
    }
}
