//! [`Home`]: where a connection's bytes are read and written.
//!
//! A request that is served by another runtime than its connection pays for it twice: each side has to
//! wake the other one's thread, and gets its turn when the system gives it one. So runtimes that ask
//! often get connections of their own. actix-web has a runtime in each of its workers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::{Handle, RuntimeFlavor};

/// A runtime that has asked for less has no need of connections of its own.
const OFTEN: u32 = 256;

/// Fewer connections are no share: one for reads, one for writes.
const LEAST: usize = 2;

/// A runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Home {
    /// [`NOBODY`] outside of every runtime.
    runtime: u64,
    /// Where this was asked, if the runtime has only one thread.
    thread: u64,
}

/// A [`Home`] that many look at and that rarely changes.
#[derive(Debug, Default)]
pub(super) struct HomeCell {
    runtime: AtomicU64,
    thread: AtomicU64,
}

/// No runtime and no thread has this number.
const NOBODY: u64 = 0;

static THREADS: AtomicU64 = AtomicU64::new(NOBODY);

thread_local! {
    static THREAD: u64 = THREADS.fetch_add(1, Ordering::Relaxed) + 1;
    /// How many questions a runtime has put to a node over connections of others.
    static ABROAD: RefCell<HashMap<(u64, usize), u32>> = RefCell::default();
}

/// How many runtimes and nodes are counted before the count begins anew.
const COUNTED: usize = 256;

impl Home {
    /// The runtime on which this is called.
    pub(super) fn here() -> Self {
        let Ok(runtime) = Handle::try_current() else {
            return Self { runtime: NOBODY, thread: NOBODY };
        };
        let is_alone = runtime.runtime_flavor() == RuntimeFlavor::CurrentThread;
        let thread = if is_alone { THREAD.with(|thread| *thread) } else { NOBODY };
        let mut number = Number(NOBODY);
        runtime.id().hash(&mut number);
        Self { runtime: number.finish(), thread }
    }

    /// Whether it is the same runtime.
    pub(super) fn is(self, other: Self) -> bool {
        self.runtime == other.runtime
    }

    /// Counts a question to a node that goes out over a connection of somebody else's. Answers whether
    /// it is time for connections of this runtime's own. One that lives for a few questions never gets
    /// any.
    pub(super) fn asks_often(self, node: usize) -> bool {
        ABROAD.with_borrow_mut(|abroad| {
            if abroad.len() > COUNTED {
                abroad.clear();
            }
            let asked = abroad.entry((self.runtime, node)).or_default();
            *asked = (*asked + 1) % OFTEN;
            *asked == 0
        })
    }
}

impl HomeCell {
    pub(super) fn set(&self, home: Home) {
        self.runtime.store(home.runtime, Ordering::Relaxed);
        self.thread.store(home.thread, Ordering::Relaxed);
    }

    /// Whether what is done here needs no other thread to be woken: on the same runtime, or on its
    /// only thread. What has to outlive its request is polled there in the name of another runtime.
    pub(super) fn is_near(&self, here: Home) -> bool {
        let (runtime, thread) = (self.runtime(), self.thread.load(Ordering::Relaxed));
        match thread {
            NOBODY => runtime == here.runtime,
            thread => thread == here.thread,
        }
    }

    /// Whether both are of the same runtime.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.runtime() == other.runtime()
    }

    fn runtime(&self) -> u64 {
        self.runtime.load(Ordering::Relaxed)
    }
}

/// Which of a pool's places a newcomer gets, so that each runtime has as many. None where these are
/// fewer than two, one for reads and one for writes, or where it has some already.
///
/// The first place stays where it is: much is found out there for all others.
pub(super) fn share(places: &[Option<Home>], newcomer: Home) -> Vec<usize> {
    let runtime = |home: &Option<Home>| home.map(|home| home.runtime);
    let (mut places, newcomer) =
        (places.iter().map(runtime).collect::<Vec<_>>(), Some(newcomer.runtime));
    let mut counts: HashMap<u64, usize> = HashMap::new();
    places.iter().flatten().for_each(|runtime| *counts.entry(*runtime).or_default() += 1);
    let fair = places.len() / (counts.len() + 1);
    if fair < LEAST || places.contains(&newcomer) {
        return Vec::new();
    }
    let mut take = || {
        // One that nobody looks after, else one of whoever has most.
        let wealth = |at: usize| places[at].map_or(usize::MAX, |runtime| counts[&runtime]);
        let others = (1..places.len()).filter(|at| places[*at] != newcomer);
        let at = others.max_by_key(|at| wealth(*at))?;
        let before = std::mem::replace(&mut places[at], newcomer);
        before.into_iter().for_each(|runtime| *counts.entry(runtime).or_default() -= 1);
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
    use tokio::runtime::Runtime;

    use super::*;

    fn newcomer(runtime: u64) -> Home {
        Home { runtime, thread: 7 }
    }

    fn home(runtime: u64) -> Option<Home> {
        Some(newcomer(runtime))
    }

    /// How many places each has after several newcomers have come, the first one's first.
    fn divided(size: usize, newcomers: u64) -> Vec<usize> {
        let mut places = vec![home(1); size];
        for number in 2..2 + newcomers {
            for at in share(&places, newcomer(number)) {
                places[at] = home(number);
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
        assert!(!share(&places, newcomer(2)).contains(&0));
        (places[3], places[7]) = (None, None);
        let taken = share(&places, newcomer(2));
        assert_eq!(taken.len(), 5);
        assert!(taken.contains(&3) && taken.contains(&7), "{taken:?}");
    }

    #[test]
    fn who_has_a_share_gets_no_other_one() {
        let places = [home(1), home(1), home(1), home(2)];
        assert!(share(&places, newcomer(2)).is_empty());
    }

    #[tokio::test]
    async fn a_home_is_a_runtime_and_near_is_also_its_only_thread() {
        let (here, cell) = (Home::here(), HomeCell::default());
        assert!(!cell.is_near(here));
        cell.set(here);
        assert!(cell.is_near(here) && here.is(Home::here()));

        let in_the_name_of = |runtime: &Runtime| {
            let _entered = runtime.enter();
            Home::here()
        };
        let alone = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let other = in_the_name_of(&alone);
        assert!(!other.is(here) && cell.is_near(other), "the same thread");
        let away = std::thread::scope(|scope| {
            scope.spawn(|| (in_the_name_of(&alone), Home::here())).join().unwrap()
        });
        assert!(away.0.is(other) && !cell.is_near(away.0) && !cell.is_near(away.1));
        let elsewhere = HomeCell::default();
        elsewhere.set(away.0);
        assert!(!elsewhere.is_near(other), "the same runtime, driven by another thread");
        assert!(!elsewhere.is_like(&cell));

        let several =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let of_all = in_the_name_of(&several);
        assert!(!cell.is_near(of_all));
        cell.set(of_all);
        for _ in 0..20 {
            let home = several.spawn(async { Home::here() }).await.unwrap();
            assert!(home.is(of_all) && cell.is_near(home) && !cell.is_near(here));
        }
        alone.shutdown_background();
        several.shutdown_background();
    }

    #[test]
    fn only_a_runtime_that_asks_often_is_noticed() {
        let (one, other) = (newcomer(1), newcomer(2));
        let times = |count, home: Home, node| (0..count).filter(|_| home.asks_often(node)).count();
        assert_eq!([OFTEN - 1, 1, OFTEN].map(|count| times(count, one, 5)), [0, 1, 1]);
        // Each runtime and each node by itself.
        assert_eq!(
            [(one, 5), (other, 5), (one, 6)].map(|(home, at)| times(OFTEN - 1, home, at)),
            [0; 3]
        );
        assert_eq!([(one, 5), (other, 5), (one, 6)].map(|(home, at)| times(1, home, at)), [1; 3]);
        let many = (10..).take(10 * COUNTED).map(newcomer);
        assert_eq!(many.map(|home| times(1, home, 5)).sum::<usize>(), 0);
    }
}
