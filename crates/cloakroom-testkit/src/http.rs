//! HTTP scenarios that every web adapter must pass, over a real socket.
//!
//! An adapter's test starts its own application twice, on two free loopback ports and one storage,
//! with the engine's default policy and the peer's address known to it; then it names the function
//! that does so to [`http_scenarios!`](crate::http_scenarios), which makes one named test per
//! scenario. [`http_outage_scenarios!`](crate::http_outage_scenarios) does the same over a Redis
//! server that the scenario freezes or kills, and
//! [`http_illness_scenarios!`](crate::http_illness_scenarios) over an
//! [`AilingStorage`](crate::AilingStorage). [`http_moving_in_scenarios!`](crate::http_moving_in_scenarios)
//! has engines with a [`SealedCookie`].
//!
//! The application answers `GET` on these routes with plain text. What those do that have a * is
//! written down once, in [`pages`]; the others are about the framework's own ways. "Passes the gate" means: if the
//! query has `gate`, [`Gates::pass`] is awaited before going on. So a scenario decides what happens
//! while a request is under way, without a test that sleeps.
//!
//! | route | what its handler does | what it answers |
//! | --- | --- | --- |
//! | `/plain` | does not ask for the session | `plain` |
//! | `/visit` * | asks for the session and reads `count` | the number, or 0 |
//! | `/fresh` | asks for the session as the storage holds it now and reads `count` | the number, or 0 |
//! | `/optional` | asks for the session only if there is one | `some` or `none` |
//! | `/state` | asks for the session's state | `found`, `anonymous`, `rejected` or `unavailable` |
//! | `/result` | takes the extractor's error itself | `session`, or `transient` or `failed` with 200 |
//! | `/count` * | updates `count` by one | the new number |
//! | `/count-if-possible` * | as `/count`, as a best effort | the new number |
//! | `/decorated` | as `/count`; sets `Cache-Control: max-age=60`, `Vary: Accept` and the cookie `theme=dark` itself | the new number |
//! | `/empty-handed` * | inserts a field and removes it again, and sets an idle timeout of a minute | `empty` |
//! | `/set?k=&v=&gate=` * | asks for the session, passes the gate, inserts the text `v` as `k` | `set` |
//! | `/pair?gate=` * | inserts `one`, passes the gate, inserts `two` | `pair` |
//! | `/get?k=` * | reads the text `k` | the text, or nothing |
//! | `/names` * | reads the names of all fields | sorted, with commas |
//! | `/generation` * | reads the session's generation | the number |
//! | `/login?as=&gate=` * | asks for the session, passes the gate, `set_owner` | `as` |
//! | `/remember?as=` * | `set_owner` and `remember_for` [`REMEMBERED_FOR`] | `as` |
//! | `/whoami` * | reads the owner | the owner, or `nobody` |
//! | `/rotate` * | `rotate` | `rotated` |
//! | `/logout?flash=` * | `destroy`, then leaves the message `flash` if there is one | `bye` |
//! | `/logout-now` * | `destroy_now` | `done` or `pending` |
//! | `/leave` | signs out through the handle, without loading first | `done` or `pending` |
//! | `/logout-slow?gate=` * | `destroy`, then passes the gate | `bye` |
//! | `/logout-fail` * | `destroy` | 500 |
//! | `/logout-panic` * | `destroy`, then panics | |
//! | `/login-fail?as=` * | `set_owner` | 500 |
//! | `/fail?status=` * | inserts `half` | that status |
//! | `/panic` * | inserts `half`, then panics | |
//! | `/refuse?status=` | inserts `half`, and returns an error of the framework's own with that status | |
//! | `/stream?k=&v=&gate=` | inserts `v` as `k` if there is a `v`; answers a body that, while it is streamed, passes the gate, inserts `late` and reads `k` ([`before_the_body`], [`streamed`]) | `write: <error>; read: <text>` |
//! | `/flash?text=` * | leaves a message | `flashed` |
//! | `/flashes` * | takes the messages | their texts, with commas |
//! | `/big?bytes=` * | inserts a text of that many bytes as `big` | `secret`, which nobody may see |
//! | `/sessions` | asks the storage for the number of its sessions | the number |
//! | `/livez`, `/readyz` | the adapter's own endpoints, in their public form | |
//! | `/arrived?gate=` | [`Gates::arrived`] | `arrived` |
//! | `/open?gate=` | [`Gates::open`] | `open` |
//! | `/deserted?gate=` | [`Gates::deserted`] | `deserted` |
//!
//! Errors of the session are answered as the adapter answers them by itself.
//!
//! Scenarios are tests: they panic where a law is broken.

#![allow(clippy::panic, reason = "a scenario is a test; it fails by a panic")]

mod answer;
mod client;
mod gates;
mod jar;
mod list;
mod moving;
mod pages;
mod query;
mod request;
pub mod scenarios;

use std::net::SocketAddr;
use std::time::Duration;

pub use answer::HttpAnswer;
pub use client::HttpClient;
pub use gates::Gates;
pub use jar::{Cookie, CookieJar};
pub use moving::{Moving, SealedCookie};
pub use pages::{Answered, Page, before_the_body, done_or_pending, pages, streamed};
pub use query::Ask;
pub use request::{HttpRequest, InFlight};

/// How long `/remember` remembers: 14 days.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The command timeout of the storages that an adapter's test builds for the outage scenarios.
pub const OUTAGE_COMMAND_TIMEOUT: Duration = Duration::from_millis(300);

/// Two nodes of one application on one storage, running for as long as the value lives.
pub trait Site {
    /// Where the two nodes listen.
    fn nodes(&self) -> [SocketAddr; 2];
}
