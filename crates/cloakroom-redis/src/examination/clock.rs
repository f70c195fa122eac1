//! The server's clock beside this machine's. For information: deadlines are the server's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::finding::{Finding, Topic};
use super::line::Silence;
use super::visit::Visit;
use crate::server_clock::ServerClock;

/// A difference that is not worth a word.
const SMALL: Duration = Duration::from_secs(1);

pub(super) async fn find(visit: &mut Visit<'_>) -> Vec<Finding> {
    let start = Instant::now();
    let answer = match visit.line.ask(&ServerClock::ask()).await {
        Ok(answer) => answer,
        Err(Silence::Hidden(_)) => return vec![Finding::hidden(Topic::Clock, "+time")],
        Err(_) => return Vec::new(),
    };
    // Read when the answer was on its way back, more or less.
    let own = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let own = own.saturating_sub(start.elapsed() / 2);
    let Ok(server) = ServerClock::read(answer) else { return Vec::new() };
    let server = Duration::from_millis(server.as_millis());
    let (difference, word) =
        if server > own { (server - own, "ahead of") } else { (own - server, "behind") };
    if difference < SMALL {
        return vec![Finding::ok(Topic::Clock, "it agrees with this machine's within a second")];
    }
    let text = format!("it is {:.1} s {word} this machine's", difference.as_secs_f64());
    vec![
        Finding::info(Topic::Clock, text)
            .remedy("let both machines follow a time server; sessions are right all the same"),
    ]
}
