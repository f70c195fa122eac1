//! [`Changes`]: what one request wants to be different. A pure state machine, no I/O: it can be
//! looked at through a record, and replayed on a newer one.
//!
//! [`Draft`] is the other half: a record being rewritten. A commit is one draft with the changes of
//! one request or of several applied to it in turn.

mod draft;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::error::SessionError;
use crate::fingerprint::SessionFingerprint;
use crate::record::{Record, WrittenOrigin};
use crate::token::VerifierHash;

pub(crate) use draft::Draft;

/// Runs on the name and the stored JSON of a field and gives the new JSON, or `None` to remove the
/// field; may run again on a newer value.
pub(crate) type Updater =
    Arc<dyn Fn(&str, Option<&[u8]>) -> Result<Option<Vec<u8>>, SessionError> + Send + Sync>;

/// What is to become of a session. Empty means that nothing is written.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    cleared: bool,
    fields: Vec<(String, Change)>,
    pub(crate) owner: Option<String>,
    pub(crate) verifier: Option<VerifierHash>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) absolute_timeout: Option<Duration>,
    pub(crate) persistent: Option<Persistence>,
    pub(crate) fingerprint: Option<SessionFingerprint>,
}

/// How long the browser keeps the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// Until the browser is closed.
    BrowserSession,
    /// Until the session's absolute deadline.
    UntilDeadline,
}

#[derive(Clone)]
enum Change {
    Set(Vec<u8>),
    Remove,
    /// The updates in order, and what they gave on the record that the request has seen.
    Update {
        updaters: Vec<Updater>,
        seen: Option<Vec<u8>>,
    },
}

/// What a request wants that wants nothing.
pub(crate) static NO_CHANGES: Changes = Changes {
    cleared: false,
    fields: Vec::new(),
    owner: None,
    verifier: None,
    idle_timeout: None,
    absolute_timeout: None,
    persistent: None,
    fingerprint: None,
};

impl Change {
    /// The value that the request sees.
    fn seen(&self) -> Option<&[u8]> {
        match self {
            Self::Set(value) => Some(value),
            Self::Update { seen, .. } => seen.as_deref(),
            Self::Remove => None,
        }
    }
}

impl Changes {
    /// Whether a commit would change nothing.
    pub(crate) fn is_empty(&self) -> bool {
        !self.cleared && self.fields.is_empty() && self.only_fields()
    }

    /// Whether they are about nothing but fields: no owner, no ticket, no lifetime.
    pub(crate) fn only_fields(&self) -> bool {
        self.owner.is_none()
            && self.verifier.is_none()
            && self.idle_timeout.is_none()
            && self.absolute_timeout.is_none()
            && self.persistent.is_none()
            && self.fingerprint.is_none()
    }

    /// Whether there is anything that a session would be made for: a field with a value, or an
    /// owner.
    pub(crate) fn creates(&self) -> bool {
        self.owner.is_some() || !self.names(None).is_empty()
    }

    /// A field's JSON as the request sees it: its own changes over the record.
    pub(crate) fn value<'a>(&'a self, base: Option<&'a Record>, name: &str) -> Option<&'a [u8]> {
        match self.change(name) {
            Some(change) => change.seen(),
            None if self.cleared => None,
            None => base.and_then(|record| record.field(name)),
        }
    }

    /// The names of the fields that have a value as the request sees it.
    pub(crate) fn names(&self, base: Option<&Record>) -> Vec<String> {
        let kept = base.into_iter().filter(|_| !self.cleared).flat_map(Record::field_names);
        let kept = kept.filter(|name| self.change(name).is_none()).map(str::to_owned);
        let set = self.fields.iter().filter(|(_, change)| change.seen().is_some());
        kept.chain(set.map(|(name, _)| name.clone())).collect()
    }

    pub(crate) fn set(&mut self, base: Option<&Record>, name: &str, value: Vec<u8>) {
        if self.value_without_change(base, name) == Some(value.as_slice()) {
            self.forget(name);
        } else {
            self.put(name, Change::Set(value));
        }
    }

    pub(crate) fn remove(&mut self, base: Option<&Record>, name: &str) {
        if self.value_without_change(base, name).is_none() {
            self.forget(name);
        } else {
            self.put(name, Change::Remove);
        }
    }

    /// Adds an update; it has run once on what the request sees and gave `seen`.
    pub(crate) fn update(
        &mut self,
        base: Option<&Record>,
        name: &str,
        updater: Updater,
        seen: Option<Vec<u8>>,
    ) {
        if let Some(Change::Update { updaters, seen: last }) = self.change_mut(name) {
            updaters.push(updater);
            *last = seen;
        } else if self.cleared || self.change(name).is_some() {
            // On a value that this request sets itself, an update has only one possible result.
            self.settle(base, name, seen);
        } else if self.value_without_change(base, name) != seen.as_deref() {
            self.put(name, Change::Update { updaters: vec![updater], seen });
        }
    }

    fn settle(&mut self, base: Option<&Record>, name: &str, value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.set(base, name, value),
            None => self.remove(base, name),
        }
    }

    pub(crate) fn clear(&mut self, base: Option<&Record>) {
        self.fields.clear();
        self.cleared = base.is_some_and(|record| record.field_names().next().is_some());
    }

    /// As [`Changes::clear`], and whatever others have put in meanwhile goes too, even where the
    /// record that was seen is empty.
    pub(crate) fn start_over(&mut self) {
        self.fields.clear();
        self.cleared = true;
    }

    /// The same changes for a request that goes on with a newer record: its updates have run again
    /// on that, so what it sees of them is what they give there.
    pub(crate) fn renewed(&self, newer: &Record) -> Result<Self, SessionError> {
        let mut renewed = self.clone();
        for (name, change) in &mut renewed.fields {
            if let Change::Update { updaters, seen } = change {
                let stored = newer.field(name).filter(|_| !self.cleared);
                *seen = run_updates(name, updaters, stored)?;
            }
        }
        Ok(renewed)
    }

    /// Replays the changes on a record being rewritten. On an error the draft is as it was.
    pub(crate) fn apply<'a>(&'a self, draft: &mut Draft<'a>) -> Result<(), SessionError> {
        let mut values = Vec::with_capacity(self.fields.len());
        for (name, change) in &self.fields {
            values.push(match change {
                Change::Set(value) => Some(Cow::Borrowed(value.as_slice())),
                Change::Remove => None,
                Change::Update { updaters, .. } => {
                    let stored = draft.value(name).filter(|_| !self.cleared);
                    run_updates(name, updaters, stored)?.map(Cow::Owned)
                }
            });
        }
        self.put_into(draft, values.into_iter());
        Ok(())
    }

    /// As [`Changes::apply`], on the very state of the record that the request has seen: what its
    /// updates gave then is what they would give again.
    pub(crate) fn apply_as_seen<'a>(&'a self, draft: &mut Draft<'a>) {
        let values = self.fields.iter().map(|(_, change)| change.seen().map(Cow::Borrowed));
        self.put_into(draft, values);
    }

    fn put_into<'a>(
        &'a self,
        draft: &mut Draft<'a>,
        values: impl Iterator<Item = Option<Cow<'a, [u8]>>>,
    ) {
        if self.cleared {
            draft.fields.clear();
        }
        for ((name, _), value) in self.fields.iter().zip(values) {
            draft.put(name, value);
        }
        self.apply_facts(draft);
    }

    fn apply_facts<'a>(&'a self, draft: &mut Draft<'a>) {
        if let Some(owner) = &self.owner {
            draft.owner = Some(owner);
        }
        if let Some(verifier) = self.verifier {
            draft.verifier = verifier;
        }
        if let Some(idle_timeout) = self.idle_timeout {
            draft.idle_timeout = idle_timeout;
        }
        if let Some(absolute_timeout) = self.absolute_timeout {
            draft.set_absolute_timeout(absolute_timeout, self.owner.is_some());
        }
        if let Some(persistence) = self.persistent {
            draft.persistent = persistence == Persistence::UntilDeadline;
        }
        if let Some(fingerprint) = &self.fingerprint {
            draft.fingerprint = Some(WrittenOrigin::New(fingerprint.origin()));
        }
    }

    fn value_without_change<'a>(&self, base: Option<&'a Record>, name: &str) -> Option<&'a [u8]> {
        base.filter(|_| !self.cleared).and_then(|record| record.field(name))
    }

    fn change(&self, name: &str) -> Option<&Change> {
        self.fields.iter().find(|(found, _)| found == name).map(|(_, change)| change)
    }

    fn change_mut(&mut self, name: &str) -> Option<&mut Change> {
        self.fields.iter_mut().find(|(found, _)| found == name).map(|(_, change)| change)
    }

    fn put(&mut self, name: &str, change: Change) {
        match self.change_mut(name) {
            Some(present) => *present = change,
            None => self.fields.push((name.to_owned(), change)),
        }
    }

    fn forget(&mut self, name: &str) {
        self.fields.retain(|(found, _)| found != name);
    }
}

impl std::fmt::Debug for Changes {
    /// Shows field names, never values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("Changes")
            .field("cleared", &self.cleared)
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}

/// Runs a field's updates; a closure that panics on the newer value fails its own request only.
fn run_updates(
    name: &str,
    updaters: &[Updater],
    stored: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, SessionError> {
    let run = || {
        let mut value = stored.map(<[u8]>::to_vec);
        for updater in updaters {
            value = updater(name, value.as_deref())?;
        }
        Ok(value)
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(SessionError::UpdatePanicked { field: name.to_owned() }))
}

#[cfg(test)]
mod tests;
