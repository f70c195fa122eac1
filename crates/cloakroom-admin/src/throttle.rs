//! [`Throttle`]: how often a password may be guessed. Each network has a few tries of its own. Whoever
//! has none left, or cannot be told apart, shares one measure with all others like that: it is far too
//! narrow to find a password of 16 characters by guessing, and so wide that nobody keeps others out
//! with a guess now and then. What is kept is bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::measure::Measure;

/// The wrong guesses of one network.
const OWN: Measure = Measure { at_once: 5, each: Duration::from_secs(10) };

/// The wrong guesses of all others together.
const SHARED: Measure = Measure { at_once: 100, each: Duration::from_millis(10) };

/// How many networks are told apart.
const MOST: usize = 1024;

/// Counts wrong guesses.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    guesses: Mutex<Guesses>,
}

/// When each has all its tries again.
#[derive(Debug, Default)]
struct Guesses {
    networks: HashMap<IpAddr, Instant>,
    shared: Option<Instant>,
}

impl Throttle {
    /// Runs a check if there is a try left for it; `Err` tells how long there is none. Only a check
    /// that fails takes the try. Checks do not wait, so no two of them share a try.
    pub(crate) fn check<T>(
        &self,
        from: Option<IpAddr>,
        check: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, Duration> {
        let now = Instant::now();
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        let own = from.map(network).filter(|network| guesses.has_own_try(*network, now));
        let shared = guesses.shared.unwrap_or(now);
        let wait = SHARED.wait(shared, now);
        if own.is_none() && !wait.is_zero() {
            return Err(wait);
        }
        let found = check();
        match own {
            _ if found.is_some() => {}
            Some(network) => {
                let full_at = guesses.networks.entry(network).or_insert(now);
                *full_at = OWN.take(*full_at, now);
            }
            None => guesses.shared = Some(SHARED.take(shared, now)),
        }
        Ok(found)
    }
}

impl Guesses {
    fn has_own_try(&mut self, network: IpAddr, now: Instant) -> bool {
        if let Some(full_at) = self.networks.get(&network) {
            return OWN.wait(*full_at, now).is_zero();
        }
        if self.networks.len() >= MOST {
            self.networks.retain(|_, full_at| *full_at > now);
        }
        self.networks.len() < MOST
    }
}

/// Whoever has an IPv6 address has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(throttle: &Throttle, from: &str) -> Result<Option<()>, Duration> {
        throttle.check(from.parse().ok(), || None)
    }

    fn right(throttle: &Throttle, from: &str) -> Result<Option<()>, Duration> {
        throttle.check(from.parse().ok(), || Some(()))
    }

    /// How many of a row of guesses are looked at.
    fn looked_at(throttle: &Throttle, from: impl Iterator<Item = String>) -> usize {
        from.filter(|from| guess(throttle, from).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_are_limited_for_each_network_and_for_all_together() {
        let throttle = Throttle::default();
        let one = || std::iter::repeat_n("192.0.2.1".to_owned(), 1000);
        assert_eq!(looked_at(&throttle, one()), 105);
        assert_eq!(guess(&throttle, "192.0.2.1"), Err(SHARED.each));
        // Another network's own tries are untouched.
        assert_eq!(right(&throttle, "192.0.2.2"), Ok(Some(())));
        let mut in_a_minute = 0;
        for _ in 0..60 {
            tokio::time::advance(Duration::from_secs(1)).await;
            in_a_minute += looked_at(&throttle, one());
        }
        assert!((6000..6010).contains(&in_a_minute), "{in_a_minute}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_guess_now_and_then_keeps_no_right_password_out() {
        // Behind a proxy that nobody has named all are one network; where the application does not
        // tell addresses they are none.
        for all in ["192.0.2.1", "nowhere"] {
            let throttle = Throttle::default();
            for _ in 0..1000 {
                for _ in 0..10 {
                    assert_eq!(guess(&throttle, all), Ok(None));
                }
                assert_eq!(right(&throttle, all), Ok(Some(())));
                tokio::time::advance(Duration::from_millis(150)).await;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_password_takes_no_try() {
        let throttle = Throttle::default();
        for _ in 0..1000 {
            assert_eq!(right(&throttle, "192.0.2.1"), Ok(Some(())));
        }
        assert!(throttle.guesses.lock().unwrap().networks.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn neighbours_in_an_ipv6_network_share_their_tries() {
        let throttle = Throttle::default();
        looked_at(&throttle, (0..1000).map(|last| format!("2001:db8::{last}")));
        assert!(guess(&throttle, "2001:db8::ffff").is_err());
        assert!(guess(&throttle, "2001:db8:0:1::1").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_of_networks_is_held_in_bounds_and_keeps_nobody_out() {
        let throttle = Throttle::default();
        let many = (0..5000_u16).map(|at| format!("10.0.{}.{}", at >> 8, at & 255));
        assert_eq!(looked_at(&throttle, many), MOST + 100);
        assert_eq!(throttle.guesses.lock().unwrap().networks.len(), MOST);
        // One that is not counted for itself is counted with the others, for a moment.
        assert_eq!(guess(&throttle, "198.51.100.1"), Err(SHARED.each));
        tokio::time::advance(SHARED.each).await;
        assert_eq!(right(&throttle, "198.51.100.1"), Ok(Some(())));
    }
}
