//! [`project`]: the arithmetic of the page on sizing, with the figures of this run.

use crate::group;

const SESSIONS: [f64; 2] = [10e6, 100e6];
/// What expired sessions take until the server finds them, as a factor.
const EXPIRED: f64 = 1.25;
/// A primary's memory: what it can fork without standing still for long, copy to a replica and read
/// again after a restart.
const MEMORY_OF_A_PRIMARY: f64 = 12e9;
/// The share of one processor core that a primary is planned to use.
const PLANNED_LOAD: f64 = 0.5;
/// Sessions per request and second: a visitor of 10 minutes with a request every 20 s, whose session
/// lives for another 30 minutes; and a remembered one that makes 20 requests a day.
const MODELS: [(&str, f64); 2] =
    [("ends 30 min after the visit", 80.0), ("remembered, 20 requests a day", 86_400.0 / 20.0)];

/// Prints how many primaries very many sessions need, from what one takes of memory and what a
/// request takes of processor time and wire.
pub fn project(bytes_each: f64, server_micros: f64, traffic: f64) {
    println!(
        "\n### Arithmetic: {} bytes per session, {server_micros:.1} µs of a server's processor and {} \
         bytes on the wire per request\n",
        group(bytes_each),
        group(traffic)
    );
    println!(
        "| sessions | a session | memory, GB | requests per second | wire, Mbit/s | primaries by memory | primaries by load |"
    );
    println!("| ---: | --- | ---: | ---: | ---: | ---: | ---: |");
    for sessions in SESSIONS {
        for (name, sessions_per_rate) in MODELS {
            let memory = sessions * bytes_each * EXPIRED;
            let rate = sessions / sessions_per_rate;
            println!(
                "| {} | {name} | {} | {} | {} | {} | {} |",
                group(sessions),
                group(memory / 1e9),
                group(rate),
                group(rate * traffic * 8.0 / 1e6),
                (memory / MEMORY_OF_A_PRIMARY).ceil(),
                (rate * server_micros / 1e6 / PLANNED_LOAD).ceil()
            );
        }
    }
}
