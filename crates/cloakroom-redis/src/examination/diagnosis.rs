//! [`Diagnosis`]: everything that an examination has found, and the verdict.

use serde::Serialize;

use super::finding::{Finding, Severity};
use super::visit::Visited;

/// Everything that an examination has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Where the sessions lie, in words, without credentials.
    pub place: String,
    /// The servers that were looked at, in the order in which they were found.
    pub servers: Vec<String>,
    /// What was found, server by server; what concerns all of them comes first.
    pub findings: Vec<Finding>,
    #[serde(skip)]
    seen: usize,
}

/// What an examination comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing is worse than [`Severity::Info`].
    Sound,
    /// The worst is a warning.
    Warnings,
    /// There is an error.
    Errors,
    /// No server could be looked at.
    NotExamined,
}

impl Diagnosis {
    pub(super) fn new(place: String) -> Self {
        Self { place, servers: Vec::new(), findings: Vec::new(), seen: 0 }
    }

    pub(super) fn extend(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
    }

    pub(super) fn take(&mut self, visited: Visited) {
        let Visited { server, let_in, findings } = visited;
        self.seen += usize::from(let_in);
        self.findings.extend(findings.into_iter().map(|finding| finding.at(&server)));
        self.servers.push(server);
    }

    /// The most urgent of all findings.
    pub fn worst(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok)
    }

    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        match self.worst() {
            _ if self.seen == 0 => Verdict::NotExamined,
            Severity::Error => Verdict::Errors,
            Severity::Warning => Verdict::Warnings,
            _ => Verdict::Sound,
        }
    }

    /// The warnings and errors.
    pub fn problems(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity >= Severity::Warning)
    }

    /// How many findings have that severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
