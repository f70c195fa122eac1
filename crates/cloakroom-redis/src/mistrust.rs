//! [`Mistrust`]: what to make of an answer that is no record of the session that was asked for.
//!
//! Either a connection's answers are out of step, by the fault of a proxy or a client, or that is
//! really what lies under the key: somebody has copied a key, or has written something else there.
//! The one asks for new connections at once. The other must not bring any, however often it is read
//! and under however many keys. A load finds out by asking once more on a new connection, and what
//! that shows is remembered here: a value that was seen there is known, and after connections were
//! replaced in vain the next suspicion waits, twice as long each time.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::{CorruptRecord, SessionKey};
use tokio::time::Instant;

/// How many values are remembered that really lie under a wrong key.
const KNOWN: usize = 256;

/// How long no connection is replaced after it was done once in vain.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How long no connection is replaced after it was done in vain time after time.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the loads on one server have found out.
#[derive(Debug, Default)]
pub(crate) struct Mistrust(Mutex<Past>);

#[derive(Debug, Default)]
struct Past {
    known: VecDeque<(SessionKey, CorruptRecord)>,
    replaced: Option<Instant>,
    in_vain: u32,
}

/// What a load is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// Nothing: this value lies there.
    Data,
    /// To replace the connections and to ask again.
    Connections,
    /// To ask again: the connections were replaced after it asked.
    Replaced,
    /// To ask again on the connections that there are: replacing them was in vain a moment ago.
    Unclear,
}

impl Mistrust {
    /// Whether an answer can belong to another question: a sound record of somebody else, or what is
    /// no record, as the answers of scripts are.
    pub(crate) fn concerns(corrupt: &CorruptRecord) -> bool {
        matches!(corrupt, CorruptRecord::Foreign(_) | CorruptRecord::NotARecord)
    }

    /// Judges what a load that asked at `asked` was answered. Where this is
    /// [`Suspicion::Connections`], the caller replaces them.
    pub(crate) fn suspect(
        &self,
        key: &SessionKey,
        corrupt: CorruptRecord,
        asked: Instant,
    ) -> Suspicion {
        let mut past = self.past();
        if past.known.contains(&(*key, corrupt)) {
            return Suspicion::Data;
        }
        let now = Instant::now();
        match past.replaced {
            Some(replaced) if replaced >= asked => Suspicion::Replaced,
            Some(replaced) if now < replaced + past.pause() => Suspicion::Unclear,
            _ => {
                past.replaced = Some(now);
                Suspicion::Connections
            }
        }
    }

    /// A new connection has shown the same: that is what lies there.
    pub(crate) fn confirm(&self, key: &SessionKey, corrupt: CorruptRecord) {
        let mut past = self.past();
        past.in_vain = past.in_vain.saturating_add(1);
        if !past.known.contains(&(*key, corrupt)) {
            past.known.truncate(KNOWN - 1);
            past.known.push_front((*key, corrupt));
        }
    }

    /// The second answer was another one, so the connections were to blame.
    pub(crate) fn justify(&self) {
        self.past().in_vain = 0;
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    fn pause(&self) -> Duration {
        match self.in_vain.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => LONGEST_PAUSE.min(FIRST_PAUSE * (1 << doublings.min(6))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> SessionKey {
        SessionKey::from_name(&number.to_string())
    }

    fn foreign() -> CorruptRecord {
        CorruptRecord::Foreign(SessionKey::from_name("ann").public_id())
    }

    /// A load of a copied key that asks now; answers whether it replaced the connections.
    fn load_of_a_copy(mistrust: &Mistrust, number: usize) -> bool {
        let suspicion = mistrust.suspect(&key(number), foreign(), Instant::now());
        if suspicion == Suspicion::Connections {
            mistrust.confirm(&key(number), foreign());
        }
        suspicion == Suspicion::Connections
    }

    #[tokio::test(start_paused = true)]
    async fn a_copied_key_costs_connections_once() {
        let mistrust = Mistrust::default();
        assert!(load_of_a_copy(&mistrust, 0));
        for _ in 0..100 {
            tokio::time::advance(Duration::from_secs(100)).await;
            assert!(!load_of_a_copy(&mistrust, 0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ever_more_copied_keys_cost_connections_ever_more_rarely() {
        let mistrust = Mistrust::default();
        let mut replaced = 0;
        for number in 0..36_000 {
            replaced += u32::from(load_of_a_copy(&mistrust, number));
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        // 0, 1, 3, 7, 15, 31 and 63 s, then once a minute of an hour.
        assert!((60..=67).contains(&replaced), "{replaced}");
        assert_eq!(mistrust.past().known.len(), replaced as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_values_are_remembered_than_are_allowed() {
        let mistrust = Mistrust::default();
        for number in 0..2 * KNOWN {
            mistrust.confirm(&key(number), foreign());
        }
        assert_eq!(mistrust.past().known.len(), KNOWN);
        let newest = mistrust.suspect(&key(2 * KNOWN - 1), foreign(), Instant::now());
        assert_eq!(newest, Suspicion::Data);
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_are_to_blame_are_replaced_each_time() {
        let mistrust = Mistrust::default();
        for _ in 0..10 {
            let suspicion = mistrust.suspect(&key(0), foreign(), Instant::now());
            assert_eq!(suspicion, Suspicion::Connections);
            mistrust.justify();
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asked_before_the_replacement_does_not_replace_again() {
        let mistrust = Mistrust::default();
        let asked = Instant::now();
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(mistrust.suspect(&key(0), foreign(), asked), Suspicion::Connections);
        assert_eq!(mistrust.suspect(&key(1), foreign(), asked), Suspicion::Replaced);
    }

    #[tokio::test(start_paused = true)]
    async fn another_answer_under_a_known_key_is_suspected_again() {
        let mistrust = Mistrust::default();
        assert!(load_of_a_copy(&mistrust, 0));
        tokio::time::advance(Duration::from_secs(2)).await;
        let suspicion = mistrust.suspect(&key(0), CorruptRecord::NotARecord, Instant::now());
        assert_eq!(suspicion, Suspicion::Connections);
    }
}
