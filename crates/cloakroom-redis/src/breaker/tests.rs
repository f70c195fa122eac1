use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::thread;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A breaker with the default policy, and its time, which the test moves by hand.
struct Bench {
    breaker: Breaker,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let now = Instant::now();
        Self { breaker: Breaker::new(BreakerPolicy::default(), now), now }
    }

    /// One that has just opened, with the heartbeat's view of it.
    fn open(probe: ProbeResult) -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.probe(probe), None);
        bench.fail_until_open();
        bench
    }

    fn call(&self, outcome: Outcome) -> Option<BreakerState> {
        self.breaker.admit(self.now).unwrap().finish(outcome, self.now)
    }

    fn calls(&self, count: usize, outcome: Outcome) {
        for _ in 0..count {
            assert_eq!(self.call(outcome), None);
        }
    }

    fn fail_until_open(&mut self) {
        self.calls(4, Outcome::Failure);
        assert_eq!(self.call(Outcome::Failure), Some(BreakerState::Open));
    }

    fn succeed_until_closed(&mut self) {
        self.calls(2, Outcome::Success);
        assert_eq!(self.call(Outcome::Success), Some(BreakerState::Closed));
    }

    fn probe(&mut self, result: ProbeResult) -> Option<BreakerState> {
        self.breaker.probe(result, self.now)
    }

    fn retry_after(&self) -> Duration {
        self.breaker.admit(self.now).unwrap_err().retry_after
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    fn state(&self) -> BreakerState {
        self.breaker.state()
    }
}

#[test]
fn five_failures_in_a_row_open_it() {
    let bench = Bench::new();
    bench.calls(4, Outcome::Failure);
    bench.calls(1, Outcome::Success);
    bench.calls(4, Outcome::Failure);
    bench.calls(3, Outcome::Neutral);
    assert_eq!(bench.state(), BreakerState::Closed);
    assert_eq!(bench.call(Outcome::Failure), Some(BreakerState::Open));
    assert_eq!(bench.state(), BreakerState::Open);
    assert!(bench.breaker.admit(bench.now).is_err());
}

#[test]
fn half_of_twenty_calls_failing_opens_it() {
    let bench = Bench::new();
    bench.calls(1000, Outcome::Success);
    for _ in 0..9 {
        bench.calls(1, Outcome::Failure);
        bench.calls(1, Outcome::Success);
    }
    bench.calls(1, Outcome::Failure);
    assert_eq!(bench.call(Outcome::Failure), Some(BreakerState::Open));
}

#[test]
fn fewer_failures_than_half_leave_it_closed() {
    let bench = Bench::new();
    for _ in 0..1000 {
        bench.calls(2, Outcome::Failure);
        bench.calls(4, Outcome::Success);
    }
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn failures_that_are_too_old_do_not_count() {
    // Every other call fails, so only the number of calls within the window decides.
    let opens = |pause: Duration| {
        let mut bench = Bench::new();
        (0..100).any(|_| {
            bench.pass(pause);
            let changed = bench.call(Outcome::Failure).is_some();
            changed || bench.call(Outcome::Success).is_some()
        })
    };
    assert!(opens(SECOND / 2));
    assert!(!opens(SECOND));
}

#[test]
fn calls_are_counted_only_while_the_window_holds_a_failure() {
    let mut bench = Bench::new();
    bench.calls(1, Outcome::Failure);
    assert!(bench.breaker.word().is(Mode::Counting));
    bench.pass(9 * SECOND);
    bench.calls(10, Outcome::Success);
    assert!(bench.breaker.word().is(Mode::Counting));
    bench.pass(SECOND);
    bench.calls(1, Outcome::Success);
    assert!(bench.breaker.word().is(Mode::Calm));
}

#[test]
fn a_heartbeat_that_succeeds_after_a_failed_one_half_opens_it_at_once() {
    let mut bench = Bench::open(ProbeResult::Failure);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.probe(ProbeResult::Success), Some(BreakerState::HalfOpen));
    bench.succeed_until_closed();
}

#[test]
fn a_recovery_during_the_pause_of_a_repeated_opening_counts_after_it() {
    let mut bench = Bench::open(ProbeResult::Failure);
    for _ in 0..3 {
        bench.pass(2 * SECOND);
        assert_eq!(bench.probe(ProbeResult::Success), Some(BreakerState::HalfOpen));
        assert_eq!(bench.call(Outcome::Failure), Some(BreakerState::Open));
        assert_eq!(bench.probe(ProbeResult::Failure), None);
    }
    // The server is well again too early, and stays so.
    bench.pass(SECOND / 2);
    assert_eq!(bench.probe(ProbeResult::Success), None);
    assert!(bench.breaker.admit(bench.now).is_err());
    bench.pass(SECOND / 2);
    bench.succeed_until_closed();
}

#[test]
fn a_heartbeat_that_always_succeeded_half_opens_it_after_its_time() {
    let mut bench = Bench::open(ProbeResult::Success);
    let rest = bench.retry_after();
    assert!((Duration::from_millis(400)..=Duration::from_millis(600)).contains(&rest), "{rest:?}");
    bench.pass(rest - Duration::from_millis(1));
    assert_eq!(bench.probe(ProbeResult::Success), None);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.probe(ProbeResult::Success), Some(BreakerState::HalfOpen));
}

#[test]
fn it_stays_open_as_long_as_the_heartbeat_fails() {
    let mut bench = Bench::open(ProbeResult::Success);
    for _ in 0..100 {
        assert_eq!(bench.probe(ProbeResult::Failure), None);
        assert!(bench.retry_after() > Duration::ZERO);
        bench.pass(SECOND);
    }
    assert_eq!(bench.probe(ProbeResult::Success), Some(BreakerState::HalfOpen));
}

#[test]
fn an_open_breaker_that_nobody_probes_lets_calls_through_in_the_end() {
    let mut bench = Bench::open(ProbeResult::Success);
    bench.pass(19 * SECOND);
    assert!(bench.breaker.admit(bench.now).is_err());
    bench.pass(SECOND);
    bench.succeed_until_closed();
}

#[test]
fn half_open_lets_five_calls_be_under_way() {
    let mut bench = Bench::open(ProbeResult::Failure);
    bench.probe(ProbeResult::Success);
    let (breaker, now) = (&bench.breaker, bench.now);
    let mut passes: Vec<_> = (0..5).map(|_| breaker.admit(now).unwrap()).collect();
    assert!(breaker.admit(now).is_err());
    drop(passes.pop());
    passes.push(breaker.admit(now).unwrap());
    assert!(breaker.admit(now).is_err());
    assert_eq!(passes.pop().unwrap().finish(Outcome::Neutral, now), None);
    passes.push(breaker.admit(now).unwrap());
    assert_eq!(passes.pop().unwrap().finish(Outcome::Success, now), None);
    assert_eq!(passes.pop().unwrap().finish(Outcome::Success, now), None);
    assert_eq!(passes.pop().unwrap().finish(Outcome::Success, now), Some(BreakerState::Closed));
    assert_eq!(passes.pop().unwrap().finish(Outcome::Failure, now), None);
}

#[test]
fn one_failed_trial_opens_it_again_for_twice_as_long() {
    let mut bench = Bench::open(ProbeResult::Success);
    for expected in [1000, 2000, 4000, 8000, 10_000, 10_000] {
        let rest = bench.retry_after();
        bench.pass(rest);
        assert_eq!(bench.probe(ProbeResult::Success), Some(BreakerState::HalfOpen));
        bench.calls(2, Outcome::Success);
        assert_eq!(bench.call(Outcome::Failure), Some(BreakerState::Open));
        let share = bench.retry_after().as_secs_f64() * 1000.0 / f64::from(expected);
        assert!((0.8..=1.2).contains(&share), "{share} of {expected} ms");
    }
}

#[test]
fn openings_are_short_again_after_it_has_stayed_closed() {
    let mut bench = Bench::open(ProbeResult::Success);
    for expected in [1000, 500] {
        let rest = bench.retry_after();
        bench.pass(rest);
        bench.probe(ProbeResult::Success);
        bench.succeed_until_closed();
        bench.pass(if expected == 1000 { SECOND } else { 10 * SECOND });
        bench.fail_until_open();
        let share = bench.retry_after().as_secs_f64() * 1000.0 / f64::from(expected);
        assert!((0.8..=1.2).contains(&share), "{share} of {expected} ms");
    }
}

#[test]
fn a_server_that_comes_and_goes_opens_it_about_once_per_second() {
    let mut bench = Bench::new();
    let (start, mut openings) = (bench.now, 0);
    while bench.now < start + 60 * SECOND {
        if let Ok(pass) = bench.breaker.admit(bench.now) {
            let outcome = match bench.state() {
                BreakerState::Closed => Outcome::Failure,
                _ => Outcome::Success,
            };
            let changed = pass.finish(outcome, bench.now);
            openings += u32::from(changed == Some(BreakerState::Open));
        }
        bench.probe(ProbeResult::Failure);
        bench.probe(ProbeResult::Success);
        bench.pass(Duration::from_millis(1));
    }
    assert!((30..=61).contains(&openings), "{openings} openings in a minute");
}

#[test]
fn calls_from_before_an_outage_do_not_open_it_again() {
    let mut bench = Bench::new();
    let early: Vec<_> = (0..100).map(|_| bench.breaker.admit(bench.now).unwrap()).collect();
    let now = bench.now;
    let mut early = early.into_iter();
    for pass in early.by_ref().take(5) {
        pass.finish(Outcome::Failure, now);
    }
    assert_eq!(bench.breaker.state(), BreakerState::Open);
    let half = early.len() / 2;
    bench.breaker.probe(ProbeResult::Failure, now);
    bench.breaker.probe(ProbeResult::Success, now);
    for pass in early.by_ref().take(half) {
        assert_eq!(pass.finish(Outcome::Failure, now), None, "late for the trials");
    }
    for _ in 0..3 {
        bench.breaker.admit(now).unwrap().finish(Outcome::Success, now);
    }
    for pass in early {
        assert_eq!(pass.finish(Outcome::Failure, now), None, "late for the closed breaker");
    }
    bench.now += SECOND;
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn without_calls_the_heartbeat_closes_a_half_open_one() {
    let mut bench = Bench::open(ProbeResult::Failure);
    bench.probe(ProbeResult::Success);
    bench.pass(9 * SECOND);
    assert_eq!(bench.probe(ProbeResult::Success), None);
    bench.pass(SECOND);
    assert_eq!(bench.probe(ProbeResult::Failure), None);
    assert_eq!(bench.probe(ProbeResult::Success), Some(BreakerState::Closed));
}

#[test]
fn a_policy_names_all_of_its_problems() {
    assert_eq!(BreakerPolicy::default().check(), []);
    let policy = BreakerPolicy {
        consecutive_failures: 0,
        failure_rate: f64::NAN,
        minimum_calls: 0,
        window: Duration::ZERO,
        open_for: SECOND,
        open_for_at_most: Duration::from_millis(500),
        trials: 0,
        successes_to_close: 0,
    };
    let fields: Vec<_> = policy.check().into_iter().map(|problem| problem.field).collect();
    let expected = [
        "consecutive_failures",
        "minimum_calls",
        "trials",
        "successes_to_close",
        "failure_rate",
        "window",
        "open_for",
    ];
    assert_eq!(fields, expected);
}

/// Threads call, give up and fail while a supervisor probes. At no moment may there be more trials
/// than allowed, and when the server is well again the breaker must close.
#[test]
fn many_threads_never_lose_a_trials_place() {
    let policy = BreakerPolicy {
        open_for: Duration::from_millis(10),
        open_for_at_most: Duration::from_millis(10),
        ..BreakerPolicy::default()
    };
    let start = Instant::now();
    let breaker = Breaker::new(policy, start);
    let (well, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let (changes, barrier) = (AtomicU32::new(0), Barrier::new(4));
    thread::scope(|scope| {
        for seed in 0..3_u32 {
            let (breaker, well, over) = (&breaker, &well, &over);
            let (changes, barrier) = (&changes, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let mut turn = seed;
                while !over.load(Ordering::Relaxed) {
                    turn = turn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let now = Instant::now();
                    let Ok(pass) = breaker.admit(now) else { continue };
                    let outcome = match turn >> 28 {
                        0..4 if !well.load(Ordering::Relaxed) => Outcome::Failure,
                        4 => Outcome::Neutral,
                        5 => continue,
                        _ => Outcome::Success,
                    };
                    changes.fetch_add(
                        u32::from(pass.finish(outcome, now).is_some()),
                        Ordering::Relaxed,
                    );
                }
            });
        }
        barrier.wait();
        while changes.load(Ordering::Relaxed) < 3 {
            breaker.probe(ProbeResult::Failure, Instant::now());
            // Far ahead of the callers, so that no opening has to be waited for.
            breaker.probe(ProbeResult::Success, Instant::now() + 2 * SECOND);
        }
        well.store(true, Ordering::Relaxed);
        while breaker.state() != BreakerState::Closed {
            breaker.probe(ProbeResult::Success, Instant::now() + 2 * SECOND);
        }
        over.store(true, Ordering::Relaxed);
    });
    let now = Instant::now() + 60 * SECOND;
    for _ in 0..5 {
        if let Ok(pass) = breaker.admit(now) {
            pass.finish(Outcome::Failure, now);
        }
    }
    breaker.probe(ProbeResult::Failure, now);
    assert_eq!(breaker.probe(ProbeResult::Success, now + 2 * SECOND), Some(BreakerState::HalfOpen));
    let passes: Vec<_> = (0..10).map_while(|_| breaker.admit(now).ok()).collect();
    assert_eq!(passes.len(), 5);
}
