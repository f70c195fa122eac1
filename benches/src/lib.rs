//! What the figure programs share: requests without a web framework, processes that work together,
//! and numbers that people can read.
//!
//! The programs panic where something goes wrong: a figure from a broken run is worth nothing.

mod figures;
mod visitor;
mod worker;

pub use figures::{Contest, group, median, percentile};
pub use visitor::Visitor;
pub use worker::{Parent, Worker};
