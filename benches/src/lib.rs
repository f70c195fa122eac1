//! What the figure programs share: requests without a web framework, processes that work together,
//! and numbers that people can read.
//!
//! The programs panic where something goes wrong: a figure from a broken run is worth nothing.

mod bars;
mod browser;
mod budgets;
mod crowd;
mod events;
mod figures;
mod paths;
pub mod scale;
mod shop;
mod visitor;
mod wired;
mod worker;

pub use bars::Bars;
pub use budgets::{BUDGETS, Budget};
pub use crowd::{Crowd, Deed, Seen};
pub use events::{EventLog, Happened};
pub use figures::{Contest, group, median, percentile, rounds};
pub use paths::{Path, Paths};
pub use shop::Shop;
pub use visitor::Visitor;
pub use worker::{Parent, Worker};
