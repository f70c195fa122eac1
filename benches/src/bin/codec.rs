//! Which parser reads a session's values faster, at the sizes that values have: `serde_json`, or
//! `simd-json` with all that it needs (a copy that it may write to, and a limit of the depth).

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cloakroom_benches::Contest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use simd_json::Buffers;

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(10);
const DEPTH_LIMIT: usize = 128;
const CANDIDATES: [&str; 3] = ["serde", "simd", "reused"];

/// A shop's cart: the kind of thing that sessions hold.
#[derive(Clone, Serialize, Deserialize)]
struct Cart {
    visitor: String,
    currency: String,
    express: bool,
    lines: Vec<Line>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Line {
    article: String,
    name: String,
    count: u32,
    price: f64,
    tags: Vec<String>,
}

fn main() {
    println!(
        "nanoseconds per value, medians of {ROUNDS} alternating rounds; ratio: serde_json / simd-json"
    );
    println!(
        "{:<28}{:>8}{:>12}{:>12}{:>14}{:>8}",
        "value", "bytes", "serde_json", "simd-json", "buffers kept", "ratio"
    );
    measure::<u64>("number", b"4711");
    measure::<bool>("flag", b"true");
    measure::<String>("short text", br#""de-DE""#);
    let mut crossover: [Option<usize>; 2] = [None, None];
    for size in [200, 500, 1024, 2 * 1024, 4 * 1024, 8 * 1024, 16 * 1024, 32 * 1024, 64 * 1024] {
        let json = cart_of(size);
        let ratios = [
            measure::<Cart>("struct", &json),
            measure::<serde_json::Value>("serde_json::Value", &json),
        ];
        for (crossover, ratio) in crossover.iter_mut().zip(ratios) {
            match crossover {
                None if ratio > 1.0 => *crossover = Some(json.len()),
                // Less than a twentieth is noise.
                Some(_) if ratio < 0.95 => *crossover = None,
                _ => {}
            }
        }
    }
    let text = serde_json::to_vec(&"A long text without anything special. ".repeat(860));
    measure::<String>("one long text", &text.unwrap());
    let numbers = serde_json::to_vec(&(0..5000u64).map(|n| n * 7919).collect::<Vec<_>>());
    measure::<Vec<u64>>("list of numbers", &numbers.unwrap());
    for (kind, crossover) in ["struct", "serde_json::Value"].iter().zip(crossover) {
        match crossover {
            Some(size) => println!("{kind}: simd-json is faster from {size} bytes on"),
            None => println!("{kind}: simd-json is not faster at any size up to 64 KiB"),
        }
    }
}

/// Prints one line, and answers how many times faster simd-json is, as the library uses it.
fn measure<T: DeserializeOwned>(name: &str, json: &[u8]) -> f64 {
    let mut contest = Contest::new(&CANDIDATES);
    for _ in 0..ROUNDS {
        contest.add("serde", time(|| serde_json::from_slice::<T>(json).unwrap()));
        contest.add("simd", time(|| simd::<T>(json)));
        contest.add("reused", time(|| simd_with_reused_buffers::<T>(json)));
    }
    let ratio = contest.ratio("serde", "simd");
    println!(
        "{name:<28}{:>8}{:>12.0}{:>12.0}{:>14.0}{ratio:>8.2}",
        json.len(),
        contest.median("serde"),
        contest.median("simd"),
        contest.median("reused"),
    );
    ratio
}

fn simd<T: DeserializeOwned>(json: &[u8]) -> T {
    let mut buffers = Buffers::with_max_depth(json.len(), DEPTH_LIMIT);
    simd_json::serde::from_slice_with_buffers(&mut json.to_vec(), &mut buffers).unwrap()
}

/// The same with buffers that each thread keeps, as large as the largest value so far.
fn simd_with_reused_buffers<T: DeserializeOwned>(json: &[u8]) -> T {
    thread_local! {
        static KEPT: RefCell<(Vec<u8>, Buffers)> =
            RefCell::new((Vec::new(), Buffers::with_max_depth(0, DEPTH_LIMIT)));
    }
    KEPT.with_borrow_mut(|(copy, buffers)| {
        copy.clear();
        copy.extend_from_slice(json);
        simd_json::serde::from_slice_with_buffers(copy, buffers).unwrap()
    })
}

fn time<T>(read: impl Fn() -> T) -> f64 {
    let (start, mut reads) = (Instant::now(), 0u32);
    while start.elapsed() < ROUND {
        for _ in 0..16 {
            black_box(read());
        }
        reads += 16;
    }
    start.elapsed().as_nanos() as f64 / f64::from(reads)
}

/// A cart as JSON of about that many bytes.
fn cart_of(size: usize) -> Vec<u8> {
    let mut cart = Cart {
        visitor: "Zoë Müller".to_owned(),
        currency: "EUR".to_owned(),
        express: true,
        lines: Vec::new(),
    };
    loop {
        let json = serde_json::to_vec(&cart).unwrap();
        if json.len() + 60 >= size {
            return json;
        }
        let number = cart.lines.len() as u32;
        cart.lines.push(Line {
            article: format!("{:08x}", number.wrapping_mul(2_654_435_761)),
            name: format!("Umbrella \"Model {number}\", black"),
            count: number % 5 + 1,
            price: f64::from(number) * 1.25 + 9.99,
            tags: vec!["rain".to_owned(), "outdoor".to_owned()],
        });
    }
}
