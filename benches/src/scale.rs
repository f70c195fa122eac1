//! What `scripts/scale` is made of: very many live sessions on one server and on a Cluster, visited by
//! several application processes, and what the servers' own figures say about it.
//!
//! The program is `bin/scale.rs`. It measures the library and its servers, so requests are made in
//! process, without HTTP. Every answer is checked: a session must be its visitor's own, and an
//! acknowledged write must be found again at the end.

mod append_only;
mod application;
mod chance;
mod contents;
mod fleet;
mod gauge;
mod growth;
mod load;
mod options;
mod popularity;
mod projection;
mod round;
mod scene;
mod seeding;
mod sizes;
mod tally;
mod tickets;
mod turnover;
mod verification;

pub use append_only::append_under_load;
pub use application::Application;
pub use fleet::{Fleet, Topology};
pub use gauge::Gauge;
pub use growth::{Growth, grow};
pub use load::Load;
pub use options::Options;
pub use projection::project;
pub use scene::{Crowd, Scene};
pub use sizes::compare_sizes;
pub use turnover::{Expiry, turn_over};
pub use verification::verify;
