//! [`Home`]: where a connection's bytes are read and written.
//!
//! A request that is served by another runtime than its connection pays for it twice: each side has to
//! wake the other one's thread, and gets its turn when the system gives it one. So runtimes that ask
//! often get connections of their own. actix-web has a runtime in each of its workers.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::{Handle, RuntimeFlavor};

/// A runtime that has asked for less has no need of connections of its own.
const OFTEN: u32 = 256;

/// Fewer connections are no share: one for reads, one for writes.
const LEAST: usize = 2;

/// A runtime with several threads, or the thread of a runtime that has only one. The thread, because
/// what has to outlive its request is polled there in the name of another runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Home(u64);

static THREADS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static THREAD: u64 = THREADS.fetch_add(1, Ordering::Relaxed);
    /// The runtime that asked last over connections of others, and how many times in turn.
    static ABROAD: Cell<(u64, u32)> = const { Cell::new((0, 0)) };
}

impl Home {
    /// Where this is called.
    pub(super) fn here() -> Self {
        let runtime = Handle::try_current().ok();
        let several = runtime.filter(|here| here.runtime_flavor() != RuntimeFlavor::CurrentThread);
        Self(several.map_or_else(|| THREAD.with(|thread| 2 * thread + 1), |all| 2 * number(&all)))
    }

    pub(super) fn number(self) -> u64 {
        self.0
    }
}

/// Counts a question that goes out over a connection of somebody else's. Answers whether it is time
/// for connections of this runtime's own. A runtime that lives for a few questions never gets any.
pub(super) fn asks_often() -> bool {
    let Ok(runtime) = Handle::try_current() else { return false };
    let (runtime, (last, asked)) = (number(&runtime), ABROAD.get());
    let asked = if last == runtime { asked + 1 } else { 1 };
    ABROAD.set((runtime, asked % OFTEN));
    asked == OFTEN
}

fn number(runtime: &Handle) -> u64 {
    let mut number = Number(0);
    runtime.id().hash(&mut number);
    number.finish()
}

/// Which of a pool's places a newcomer gets, so that each runtime has as many. None where these are
/// fewer than two, one for reads and one for writes, or where it has some already.
///
/// The first place stays where it is: much is found out there for all others.
pub(super) fn share(places: &[Option<Home>], newcomer: Home) -> Vec<usize> {
    let (mut places, newcomer) = (places.to_vec(), Some(newcomer));
    let mut counts: HashMap<Home, usize> = HashMap::new();
    places.iter().flatten().for_each(|home| *counts.entry(*home).or_default() += 1);
    let fair = places.len() / (counts.len() + 1);
    if fair < LEAST || places.contains(&newcomer) {
        return Vec::new();
    }
    let mut take = || {
        // One that nobody looks after, else one of whoever has most.
        let wealth = |home: Option<Home>| home.map_or(usize::MAX, |home| counts[&home]);
        let others = (1..places.len()).filter(|at| places[*at] != newcomer);
        let at = others.max_by_key(|at| wealth(places[*at]))?;
        let before = std::mem::replace(&mut places[at], newcomer);
        before.into_iter().for_each(|home| *counts.entry(home).or_default() -= 1);
        Some(at)
    };
    (0..fair).map_while(|_| take()).collect()
}

/// Takes the number out of what is hashed.
struct Number(u64);

impl Hasher for Number {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(number: u64) -> Option<Home> {
        Some(Home(number))
    }

    /// How many places each has after several newcomers have come, the first one's first.
    fn divided(size: usize, newcomers: u64) -> Vec<usize> {
        let mut places = vec![home(1); size];
        for newcomer in 2..2 + newcomers {
            for at in share(&places, Home(newcomer)) {
                places[at] = home(newcomer);
            }
        }
        let count = |number| places.iter().filter(|place| **place == home(number)).count();
        (1..2 + newcomers).map(count).collect()
    }

    #[test]
    fn everybody_gets_as_many_connections_as_two_at_least_allow() {
        assert_eq!(divided(10, 1), [5, 5]);
        assert_eq!(divided(10, 2), [4, 3, 3]);
        assert_eq!(divided(10, 4), [2, 2, 2, 2, 2]);
        assert_eq!(divided(10, 5), [2, 2, 2, 2, 2, 0]);
        assert_eq!(divided(4, 1), [2, 2]);
        assert_eq!(divided(3, 1), [3, 0]);
        assert_eq!(divided(1, 1), [1, 0]);
    }

    #[test]
    fn the_first_place_stays_and_what_nobody_looks_after_goes_first() {
        let mut places = vec![home(1); 10];
        assert!(!share(&places, Home(2)).contains(&0));
        (places[3], places[7]) = (None, None);
        let taken = share(&places, Home(2));
        assert_eq!(taken.len(), 5);
        assert!(taken.contains(&3) && taken.contains(&7), "{taken:?}");
    }

    #[test]
    fn who_has_a_share_gets_no_other_one() {
        let places = [home(1), home(1), home(1), home(2)];
        assert!(share(&places, Home(2)).is_empty());
    }

    #[tokio::test]
    async fn threads_differ_and_a_runtime_with_several_is_one_home() {
        let (here, elsewhere) = (Home::here(), std::thread::spawn(Home::here).join().unwrap());
        assert!(here == Home::here() && here != elsewhere);
        let several =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let entered = several.enter();
        let of_all = Home::here();
        drop(entered);
        for _ in 0..20 {
            assert_eq!(several.spawn(async { Home::here() }).await.unwrap(), of_all);
        }
        assert!(of_all != here && of_all != elsewhere);
        several.shutdown_background();
    }

    #[tokio::test]
    async fn only_a_runtime_that_asks_often_is_noticed() {
        let times = |count| (0..count).filter(|_| asks_often()).count();
        assert_eq!((times(OFTEN - 1), times(1), times(OFTEN)), (0, 1, 1));
        let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(times(OFTEN - 1), 0);
        let entered = other.enter();
        assert_eq!(times(1), 0);
        drop(entered);
        assert_eq!(times(OFTEN - 1), 0);
        other.shutdown_background();
    }
}
