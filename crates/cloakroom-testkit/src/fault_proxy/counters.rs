//! [`Counters`]: what has happened at the proxy since its start.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct Counters {
    accepted: AtomicU64,
    faulted: AtomicU64,
    commands: Mutex<HashMap<String, u64>>,
    changed: Notify,
}

impl Counters {
    pub(super) fn count_connection(&self) {
        self.accepted.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    pub(super) fn count_fault(&self) {
        self.faulted.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts a command by its name in upper case.
    pub(super) fn count_command(&self, name: &str) {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = commands.get_mut(name) {
            *count += 1;
        } else {
            commands.insert(name.to_owned(), 1);
        }
        drop(commands);
        self.changed.notify_waiters();
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(super) fn faulted(&self) -> u64 {
        self.faulted.load(Ordering::SeqCst)
    }

    pub(super) fn commands(&self, name: &str) -> u64 {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.get(&name.to_ascii_uppercase()).copied().unwrap_or(0)
    }

    pub(super) async fn until(&self, reached: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if reached(self) {
                return;
            }
            changed.await;
        }
    }
}
