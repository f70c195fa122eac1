//! What the breaker costs while all is well.

use std::hint::black_box;
use std::thread;

use super::*;

#[test]
#[ignore = "prints a figure; run with --release --nocapture"]
fn the_price_of_a_call_while_all_is_well() {
    const CALLS: u32 = 100_000_000;
    let now = Instant::now();
    let breaker = Breaker::new(BreakerPolicy::default(), now);
    let per_call = |threads: usize| {
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..CALLS {
                        let pass = black_box(&breaker).admit(black_box(now)).unwrap();
                        black_box(pass.finish(Outcome::Success, now));
                    }
                });
            }
        });
        start.elapsed() / CALLS
    };
    println!("admit + finish: {:?} on one thread", per_call(1));
    println!("admit + finish: {:?} on each of two threads", per_call(2));
    breaker.admit(now).unwrap().finish(Outcome::Failure, now);
    println!("while failures are counted: {:?} on one thread", per_call(1));
    println!("while failures are counted: {:?} on each of two threads", per_call(2));
}
