//! [`Events`]: counts what the applications report of their servers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloakroom::{BreakerState, Event, Observer};

/// Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    by_name: BTreeMap<&'static str, u64>,
    longest_pending: Duration,
}

impl Observer for Events {
    fn observe(&self, event: &Event<'_>) {
        let name = match event {
            Event::ConnectionLost { .. } => "connections lost",
            Event::ConnectionRestored { .. } => "connections restored",
            Event::PrimaryChanged { .. } => "changes of a primary or its history",
            Event::BreakerChanged { state: BreakerState::Open, .. } => "breakers opened",
            Event::BreakerChanged { state: BreakerState::Closed, .. } => "breakers closed",
            Event::DestroyPending { .. } => "sign-outs pending",
            Event::RevocationPending { .. } => "revocations pending",
            Event::DestroyApplied { pending, .. } if pending.is_zero() => "sign-outs repeated",
            Event::DestroyApplied { .. } => "sign-outs applied late",
            Event::JournalFull { .. } => "journal full",
            Event::Touched { .. } => "touches",
            _ => return,
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.by_name.entry(name).or_default() += 1;
        if let Event::DestroyApplied { pending, .. } = event {
            counts.longest_pending = counts.longest_pending.max(*pending);
        }
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, count) in &counts.by_name {
            write!(f, "{count} {name}, ")?;
        }
        write!(f, "longest pending {:.1?}", counts.longest_pending)
    }
}
