//! [`Ring`]: the last so many periods of one length, each with what was counted in it. It takes the
//! same room for ever.

use std::time::Duration;

use cloakroom::Timestamp;

/// Values of the last periods.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    period: u64,
    slots: Box<[T]>,
    /// Which period is the newest, counted from the epoch.
    newest: u64,
}

impl<T: Default + Clone> Ring<T> {
    pub(crate) fn new(period: Duration, slots: usize) -> Self {
        let period = u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { period, slots: vec![T::default(); slots.max(1)].into_boxed_slice(), newest: 0 }
    }

    /// The value of the period that a moment lies in. A moment before the newest period counts for
    /// that one: clocks of two threads may differ by a step.
    pub(crate) fn at(&mut self, now: Timestamp) -> &mut T {
        let length = self.slots.len() as u64;
        let period = (now.as_millis() / self.period).max(self.newest);
        for stale in self.newest.saturating_add(1).max(period.saturating_sub(length - 1))..=period {
            self.slots[(stale % length) as usize] = T::default();
        }
        self.newest = period;
        &mut self.slots[(period % length) as usize]
    }

    /// All values, the oldest first; the last one is of the period that is still going on.
    pub(crate) fn read(&mut self, now: Timestamp) -> impl Iterator<Item = &T> {
        let _ = self.at(now);
        let oldest = ((self.newest + 1) % self.slots.len() as u64) as usize;
        let (later, earlier) = self.slots.split_at(oldest);
        earlier.iter().chain(later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Ring<u32> {
        Ring::new(Duration::from_secs(1), 4)
    }

    fn second(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + seconds * 1000)
    }

    fn values(ring: &mut Ring<u32>, at: u64) -> Vec<u32> {
        ring.read(second(at)).copied().collect()
    }

    #[test]
    fn what_is_counted_moves_on_and_out() {
        let mut ring = ring();
        *ring.at(second(0)) += 1;
        *ring.at(second(1)) += 2;
        *ring.at(second(1)) += 2;
        assert_eq!(values(&mut ring, 1), [0, 0, 1, 4]);
        assert_eq!(values(&mut ring, 3), [1, 4, 0, 0]);
        assert_eq!(values(&mut ring, 4), [4, 0, 0, 0]);
        assert_eq!(values(&mut ring, 5), [0, 0, 0, 0]);
    }

    #[test]
    fn nothing_old_comes_back_after_a_long_silence() {
        let mut ring = ring();
        *ring.at(second(0)) += 7;
        assert_eq!(values(&mut ring, 1_000_000), [0, 0, 0, 0]);
        *ring.at(second(1_000_001)) += 1;
        assert_eq!(values(&mut ring, 1_000_001), [0, 0, 0, 1]);
    }

    #[test]
    fn a_moment_that_comes_late_counts_for_now() {
        let mut ring = ring();
        *ring.at(second(9)) += 1;
        *ring.at(second(8)) += 1;
        assert_eq!(values(&mut ring, 9), [0, 0, 0, 2]);
    }
}
