//! [`History`]: what every client asked, when, and what it was told, and the check of the eight
//! invariants on it.
//!
//! Record with [`History::begin`] around each request (or let a
//! [`Workload`](crate::workload::Workload) do it), mark what was done to the servers with
//! [`History::mark`], and ask [`History::check`] in the end. Of the sessions the history knows
//! numbers only, so it works for any storage, and for an application behind HTTP as well.
//!
//! All moments of one history follow each other: no two are equal, and what happened before in any
//! thread has the lower one. So "began after it was acknowledged" is never a question of a coarse
//! clock.
//!
//! ```
//! use std::time::Duration;
//! use cloakroom_testkit::history::{
//!     Action, Bounds, Client, History, Invariant, Node, Outcome, Seen, Visitor,
//! };
//!
//! let history = History::new();
//! let (client, node, visitor) = (Client::new(0), Node::new(0), Visitor::new(7));
//! let (session, ticket) = (history.new_session(), history.new_ticket());
//!
//! let mut sign_in = history.begin(client, node, visitor, Action::SignIn);
//! sign_in.changes();
//! sign_in.hands_out(session, ticket);
//! sign_in.ends(Outcome::Ok);
//!
//! let mut read = history.begin(client, node, visitor, Action::Read);
//! read.shows(session, ticket);
//! read.within(Duration::from_millis(750));
//! read.sees(Seen::of(Visitor::new(8), session));
//! read.ends(Outcome::Ok);
//!
//! let verdict = history.check(&Bounds::default());
//! assert_eq!(verdict.of(Invariant::OwnData).violated(), 1);
//! println!("{verdict}");
//! ```

mod bounds;
mod check;
mod entry;
mod invariant;
mod invoked;
mod mark;
mod moment;
mod number;
mod outcome;
mod record;
mod resources;
mod seen;
mod standstill;
mod upheaval;
mod verdict;

pub use bounds::{Bounds, Durability};
pub use entry::Entry;
pub use invariant::Invariant;
pub use invoked::Invoked;
pub use mark::Mark;
pub use moment::Moment;
pub use number::{ChangeNumber, Client, Node, SessionNumber, TicketNumber, Visitor};
pub use outcome::{Action, CookieEffect, Outcome};
pub use record::{DEFAULT_LIMIT, History};
pub use resources::Resources;
pub use seen::Seen;
pub use verdict::{Findings, Verdict, Violation};
