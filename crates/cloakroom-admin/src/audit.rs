//! [`Audit`]: who did what, when, and what became of it (OWASP ASVS 5.0, 16.2.1).
//!
//! The page keeps the newest entries in memory and shows them; an application that must keep them
//! for good takes them with an [`Audit`] of its own.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use cloakroom::{Clock, SystemClock, Timestamp};
use serde::{Serialize, Serializer};

use crate::action::{Action, Outcome};
use crate::guard::Operator;
use crate::shown::shown;

/// How many actions are kept.
const ACTIONS: usize = 500;

/// How many refused sign-ins are kept. They have a place of their own, so that nobody can push what
/// was done out of the trail by guessing.
const REFUSALS: usize = 100;

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// When it was done.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// Who did it. For a refused sign-in the name that was given, with control and direction
    /// characters written out, or empty.
    #[serde(serialize_with = "as_name")]
    pub operator: Operator,
    /// Where from; `None` where the application does not tell (`into_make_service_with_connect_info`).
    pub address: Option<IpAddr>,
    /// What was done.
    #[serde(flatten)]
    pub action: Action,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Is told every entry of the audit trail, at once and in order. A closure is one.
pub trait Audit: Send + Sync + 'static {
    /// Keeps an entry. It is called while the operator waits for the answer, so it must not block.
    fn record(&self, entry: &AuditEntry);
}

impl<F: Fn(&AuditEntry) + Send + Sync + 'static> Audit for F {
    fn record(&self, entry: &AuditEntry) {
        self(entry);
    }
}

/// The newest entries, in memory, and the application's own audit behind them.
pub(crate) struct Trail {
    kept: Mutex<Kept>,
    application: Option<Box<dyn Audit>>,
}

#[derive(Default)]
struct Kept {
    actions: VecDeque<(u64, AuditEntry)>,
    refusals: VecDeque<(u64, AuditEntry)>,
    next: u64,
}

impl Trail {
    pub(crate) fn new(application: Option<Box<dyn Audit>>) -> Self {
        Self { kept: Mutex::default(), application }
    }

    pub(crate) fn record(
        &self,
        operator: &Operator,
        address: Option<IpAddr>,
        action: Action,
        outcome: Outcome,
    ) {
        let operator = operator.clone();
        let entry = AuditEntry { at: SystemClock.now(), operator, address, action, outcome };
        if let Some(application) = &self.application {
            application.record(&entry);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.add(entry);
    }

    /// Notes a sign-in that was refused, under the name that was given.
    pub(crate) fn refuse(&self, name: &str, address: Option<IpAddr>, reason: &str) {
        let operator = Operator::named(shown(name));
        let outcome = Outcome::Refused { reason: reason.to_owned() };
        self.record(&operator, address, Action::SignIn, outcome);
    }

    /// All that is kept, the newest first.
    pub(crate) fn entries(&self) -> Vec<AuditEntry> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<_> = kept.actions.iter().chain(&kept.refusals).collect();
        entries.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        entries.into_iter().map(|(_, entry)| entry.clone()).collect()
    }
}

impl Kept {
    fn add(&mut self, entry: AuditEntry) {
        let (entries, most) = match (&entry.action, &entry.outcome) {
            (Action::SignIn, Outcome::Refused { .. }) => (&mut self.refusals, REFUSALS),
            _ => (&mut self.actions, ACTIONS),
        };
        if entries.len() == most {
            entries.pop_front();
        }
        entries.push_back((self.next, entry));
        self.next += 1;
    }
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trail").field("is_kept", &self.application.is_some()).finish()
    }
}

fn as_text<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

fn as_name<S: Serializer>(operator: &Operator, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(operator.name())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn guessing_does_not_push_out_what_was_done() {
        let trail = Trail::new(None);
        let ada = Operator::named("ada");
        let action = Action::EndOwner { owner: "eve".to_owned() };
        trail.record(&ada, None, action.clone(), Outcome::Done { ended: 2 });
        for _ in 0..10_000 {
            trail.refuse("<script>", None, "wrong password");
        }
        let entries = trail.entries();
        assert_eq!(entries.len(), REFUSALS + 1);
        assert_eq!(entries.last().map(|entry| &entry.action), Some(&action));
    }

    #[test]
    fn the_application_is_told_every_entry() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tells = told.clone();
        let keep = move |entry: &AuditEntry| tells.lock().unwrap().push(entry.clone());
        let trail = Trail::new(Some(Box::new(keep)));
        for _ in 0..ACTIONS + 10 {
            let ada = Operator::named("ada");
            trail.record(&ada, None, Action::SignOut, Outcome::Done { ended: 1 });
        }
        assert_eq!((told.lock().unwrap().len(), trail.entries().len()), (ACTIONS + 10, ACTIONS));
    }
}
