//! [`Audit`]: who did what, when, and what became of it (OWASP ASVS 5.0, 16.2.1).
//!
//! The page keeps the newest entries in memory and shows them; an application that must keep them
//! for good takes them with an [`Audit`] of its own. Guessing passwords neither pushes out what was
//! done nor fills a disk.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::{Clock, SystemClock, Timestamp};
use serde::{Serialize, Serializer};
use tokio::time::Instant;

use crate::action::{Action, Outcome};
use crate::guard::Operator;
use crate::measure::Measure;

/// How many actions are kept.
const ACTIONS: usize = 500;

/// How many refused sign-ins and requests are kept, in a place of their own.
const REFUSALS: usize = 100;

/// How many of them become an entry; the next entry tells how many did not.
const NOTED: Measure = Measure { at_once: 100, each: Duration::from_secs(1) };

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// When it was done.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// Who did it. For a refused sign-in the operator whose name was given, or "unknown name", or
    /// nothing where none was given. A name that is no operator's may be a password.
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

/// Is told every entry of the audit trail, at once. A closure is one.
///
/// Each step of a long action is an entry. Of refused sign-ins and requests there is one a second at
/// most, after the first hundred; it tells how many there were besides.
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
    /// When `NOTED` is full again; `None` before the first refusal.
    noted: Option<Instant>,
    /// Refusals since the last one that became an entry.
    unnoted: u64,
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
        self.kept().add(entry);
    }

    /// Notes what was refused before it was looked at.
    pub(crate) fn refuse(
        &self,
        who: &Operator,
        address: Option<IpAddr>,
        action: Action,
        reason: &str,
    ) {
        let Some(unnoted) = self.kept().note_refusal(Instant::now()) else { return };
        let reason = match unnoted {
            0 => reason.to_owned(),
            more => format!("{reason}; {more} more were refused since the line before"),
        };
        self.record(who, address, action, Outcome::Refused { reason });
    }

    /// All that is kept, the newest first.
    pub(crate) fn entries(&self) -> Vec<AuditEntry> {
        let kept = self.kept();
        let mut entries: Vec<_> = kept.actions.iter().chain(&kept.refusals).collect();
        entries.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        entries.into_iter().map(|(_, entry)| entry.clone()).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// How many refusals were not noted before this one; `None` where this one is not either.
    fn note_refusal(&mut self, now: Instant) -> Option<u64> {
        let full_at = self.noted.unwrap_or(now);
        if !NOTED.wait(full_at, now).is_zero() {
            self.unnoted += 1;
            return None;
        }
        self.noted = Some(NOTED.take(full_at, now));
        Some(std::mem::take(&mut self.unnoted))
    }

    fn add(&mut self, mut entry: AuditEntry) {
        let (entries, most) = match (&entry.action, &entry.outcome) {
            (Action::SignIn | Action::Request { .. }, Outcome::Refused { .. }) => {
                (&mut self.refusals, REFUSALS)
            }
            _ => (&mut self.actions, ACTIONS),
        };
        if let Some(at) = entries.iter().rposition(|(_, before)| entry.goes_on_with(before))
            && let Some((_, before)) = entries.remove(at)
        {
            entry.add_what_was_ended(&before.outcome);
        }
        if entries.len() == most {
            entries.pop_front();
        }
        entries.push_back((self.next, entry));
        self.next += 1;
    }
}

impl AuditEntry {
    /// Whether this is the next step of what another entry has begun: one long action is one line.
    fn goes_on_with(&self, before: &Self) -> bool {
        matches!(before.outcome, Outcome::Partly { .. })
            && !matches!(self.outcome, Outcome::Unknown { .. })
            && (&before.action, &before.operator) == (&self.action, &self.operator)
    }

    fn add_what_was_ended(&mut self, before: &Outcome) {
        let Outcome::Partly { ended: before, .. } = before else { return };
        match &mut self.outcome {
            Outcome::Done { ended, .. }
            | Outcome::Partly { ended, .. }
            | Outcome::Pending { ended, .. }
            | Outcome::Incomplete { ended, .. } => *ended += before,
            Outcome::Nothing if *before > 0 => self.outcome = Outcome::Done { ended: *before },
            _ => {}
        }
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

    fn told() -> (Trail, Arc<Mutex<Vec<AuditEntry>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tells = told.clone();
        let keep = move |entry: &AuditEntry| tells.lock().unwrap().push(entry.clone());
        (Trail::new(Some(Box::new(keep))), told)
    }

    #[tokio::test(start_paused = true)]
    async fn guessing_does_not_push_out_what_was_done() {
        let (trail, told) = told();
        let (ada, nobody) = (Operator::named("ada"), Operator::named("unknown name"));
        let action = Action::EndOwner { owner: "eve".to_owned() };
        trail.record(&ada, None, action.clone(), Outcome::Done { ended: 2 });
        for _ in 0..10_000 {
            trail.refuse(&nobody, None, Action::SignIn, "wrong password");
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        let entries = trail.entries();
        assert_eq!(entries.len(), REFUSALS + 1);
        assert_eq!(entries.last().map(|entry| &entry.action), Some(&action));
        let reason = "wrong password; 9 more were refused since the line before".to_owned();
        assert_eq!(entries[0].outcome, Outcome::Refused { reason });
        // Nor does it fill a disk.
        assert!(told.lock().unwrap().len() < 1200, "{}", told.lock().unwrap().len());
    }

    #[test]
    fn the_application_is_told_every_entry() {
        let (trail, told) = told();
        for _ in 0..ACTIONS + 10 {
            let ada = Operator::named("ada");
            trail.record(&ada, None, Action::SignOut, Outcome::Done { ended: 1 });
        }
        assert_eq!((told.lock().unwrap().len(), trail.entries().len()), (ACTIONS + 10, ACTIONS));
    }

    #[test]
    fn a_long_action_is_one_line_however_many_steps_it_takes() {
        let (trail, told) = told();
        let (ada, grace) = (Operator::named("ada"), Operator::named("grace"));
        let action = Action::EndBefore { moment: Timestamp::from_millis(1000) };
        for at in 0..1000 {
            let next = at.to_string();
            let outcome = Outcome::Partly { ended: 2, percent: 1, next };
            trail.record(&ada, None, action.clone(), outcome);
            if at == 10 {
                trail.record(&grace, None, Action::SignOut, Outcome::Done { ended: 1 });
                let outcome = Outcome::Partly { ended: 1, percent: 1, next: String::new() };
                trail.record(&grace, None, action.clone(), outcome);
            }
        }
        assert_eq!(trail.entries().len(), 3);
        trail.record(&ada, None, action.clone(), Outcome::Nothing);
        let entries = trail.entries();
        assert_eq!((entries.len(), &entries[0].outcome), (3, &Outcome::Done { ended: 2000 }));
        assert_eq!(told.lock().unwrap().len(), 1003);
        // What is done again is another action.
        trail.record(&ada, None, action, Outcome::Nothing);
        assert_eq!(trail.entries().len(), 4);
    }
}
