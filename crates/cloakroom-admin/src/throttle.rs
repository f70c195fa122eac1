//! [`Throttle`]: how often a password may be guessed. A few tries at once, then one every ten
//! seconds, for each network; what is kept for it is bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Wrong guesses that cost nothing but themselves.
const AT_ONCE: u32 = 5;

/// How long one guess more takes.
const EACH: Duration = Duration::from_secs(10);

/// How many networks are told apart. Above that they share one measure.
const MOST: usize = 1024;

/// Counts the wrong guesses of each network.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    /// When each network has all its tries again.
    full_at: Mutex<HashMap<Option<IpAddr>, Instant>>,
}

impl Throttle {
    /// Runs a check if its network has a try left; `Err` tells how long there is none. Only a check
    /// that fails takes the try. Checks do not wait, so no two of them share a try.
    pub(crate) fn check<T>(
        &self,
        from: Option<IpAddr>,
        check: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, Duration> {
        let now = Instant::now();
        let mut networks = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut network = from.map(network);
        if networks.len() >= MOST && !networks.contains_key(&network) {
            networks.retain(|_, full_at| *full_at > now);
            if networks.len() >= MOST {
                network = None;
            }
        }
        let full_at = networks.get(&network).copied().unwrap_or(now).max(now);
        let most = EACH * (AT_ONCE - 1);
        let ahead = full_at.duration_since(now);
        if ahead > most {
            return Err(ahead - most);
        }
        let found = check();
        if found.is_none() {
            networks.insert(network, full_at + EACH);
        }
        Ok(found)
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
        throttle.check(Some(from.parse().unwrap()), || None)
    }

    #[tokio::test(start_paused = true)]
    async fn after_some_wrong_guesses_a_right_one_has_to_wait_as_well() {
        let throttle = Throttle::default();
        for _ in 0..AT_ONCE {
            assert_eq!(guess(&throttle, "192.0.2.1"), Ok(None));
        }
        let from = Some("192.0.2.1".parse().unwrap());
        assert_eq!(throttle.check(from, || Some(())), Err(EACH));
        assert_eq!(throttle.check(Some("192.0.2.2".parse().unwrap()), || Some(())), Ok(Some(())));
        tokio::time::advance(EACH).await;
        assert_eq!(throttle.check(from, || Some(())), Ok(Some(())));
        assert_eq!(guess(&throttle, "192.0.2.1"), Ok(None));
        assert_eq!(guess(&throttle, "192.0.2.1"), Err(EACH));
    }

    #[tokio::test(start_paused = true)]
    async fn neighbours_in_an_ipv6_network_share_their_tries() {
        let throttle = Throttle::default();
        for last in 0..AT_ONCE {
            assert_eq!(guess(&throttle, &format!("2001:db8::{last}")), Ok(None));
        }
        assert!(guess(&throttle, "2001:db8::ffff").is_err());
        assert!(guess(&throttle, "2001:db8:0:1::1").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_of_networks_is_held_in_bounds() {
        let throttle = Throttle::default();
        for at in 0..5000_u16 {
            let [high, low] = at.to_be_bytes();
            let _ = guess(&throttle, &format!("10.0.{high}.{low}"));
        }
        assert!(throttle.full_at.lock().unwrap().len() <= MOST + 1);
        // What was not counted for itself was counted with the others.
        assert!(guess(&throttle, "198.51.100.1").is_err());
    }
}
