//! `cloakroom list`: sessions, a line for each, while they are found.
//!
//! Those of one owner come from the owner's index; all others need a walk.
//!
//! ```text
//! filter.rs   which sessions     order.rs   the first ones of an order
//! columns.rs  a line for people
//! ```

mod columns;
mod filter;
mod order;

use std::num::NonZeroUsize;

use cloakroom::{Position, SessionFacts};

use crate::description::Description;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::installation::Purpose;
use crate::output::{Format, Output, Reader, remark};
use crate::progress::Progress;
use crate::signals::Insistence;
use crate::table::thousands;
use crate::walk::{Stop, Walk};
use crate::{installation, output};
use filter::Filter;
use order::{Key, Order};

pub(crate) use columns::{HEAD, line};

pub(crate) const EXAMPLES: &str = "\
With --owner it asks the owner's index; otherwise it looks at every session there is, a thousand at
a time. What is created or ends meanwhile may be in the list or not.

Examples:
  cloakroom list --owner ann@example.org
  cloakroom list --signed-in --idle-for 12h --json | jq -r .id
  cloakroom list --sort created --limit 20";

/// Which sessions, and how they are told.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    filter: Filter,
    /// Print so many at most
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// Print the first ones of an order, for which all are looked at
    #[arg(long, value_name = "ORDER", requires = "limit")]
    sort: Option<Key>,
    #[command(flatten)]
    installation: installation::Options,
    #[command(flatten)]
    output: output::Options,
}

/// A list that is being written.
struct Listing {
    filter: Filter,
    output: Output,
    limit: Option<usize>,
    /// What waits until all are known.
    order: Option<Order>,
    written: usize,
}

/// Whether more is of use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    More,
    NoMore,
}

/// Lists them.
pub(crate) async fn run(options: Options) -> Result<Ending, Failure> {
    let installation = options.installation.resolve()?;
    let (place, engine) = (installation.place.clone(), installation.engine(Purpose::Look).await?);
    let limit = options.limit.map(NonZeroUsize::get);
    let order = options.sort.zip(limit).map(|(key, limit)| Order::new(key, limit));
    let output = options.output.open();
    let mut listing = Listing { filter: options.filter, output, limit, order, written: 0 };
    if let Some(owner) = listing.filter.owner() {
        let progress = Progress::waiting(format!("Looking at {place}"));
        let sessions = engine.sessions_of(owner).await.map_err(Failure::new)?;
        if listing.add(sessions, &progress)? == Wish::More {
            listing.finish(&progress)?;
        }
        return Ok(Ending::Done);
    }
    let _insistence = Insistence::begin().map_err(Failure::new)?;
    let mut walk = Walk::begin(&engine, Position::start(), "looking at the sessions")?;
    loop {
        match walk.next().await {
            Ok(Some(sessions)) => {
                if listing.add(sessions, walk.progress())? == Wish::NoMore {
                    return Ok(Ending::Done);
                }
            }
            Ok(None) => break,
            Err(stop) => return Err(listing.cut_short(&stop)),
        }
    }
    listing.finish(walk.progress())?;
    match walk.unreadable() {
        0 => {}
        1 => remark("one key below the prefix holds something else than a session"),
        many => {
            let count = thousands(many);
            remark(&format!("{count} keys below the prefix hold something else than a session"));
        }
    }
    Ok(Ending::Done)
}

impl Listing {
    /// Takes more sessions, and writes them where they need not wait for others.
    fn add(&mut self, sessions: Vec<SessionFacts>, progress: &Progress) -> Result<Wish, Failure> {
        let mut fitting: Vec<_> =
            sessions.into_iter().filter(|facts| self.filter.accepts(facts)).collect();
        if let Some(order) = &mut self.order {
            order.add(fitting);
            return Ok(Wish::More);
        }
        let room = self.limit.map_or(usize::MAX, |limit| limit - self.written);
        fitting.truncate(room);
        if self.write(&fitting, progress)? == Reader::Gone {
            return Ok(Wish::NoMore);
        }
        if self.limit == Some(self.written) {
            self.close(progress)?;
            return Ok(Wish::NoMore);
        }
        Ok(Wish::More)
    }

    /// Writes what has waited for the others, and the last line.
    fn finish(&mut self, progress: &Progress) -> Result<(), Failure> {
        if let Some(order) = self.order.take() {
            self.write(&order.sorted(), progress)?;
        }
        self.close(progress)
    }

    fn write(&mut self, facts: &[SessionFacts], progress: &Progress) -> Result<Reader, Failure> {
        if facts.is_empty() {
            return Ok(Reader::There);
        }
        let is_first = self.written == 0;
        self.written += facts.len();
        progress.aside(|| match self.output.format() {
            Format::People => {
                let lines: String = facts.iter().map(line).collect();
                let head = if is_first { HEAD } else { "" };
                output::print_to_reader(&format!("{head}{lines}"))
            }
            Format::Machines => {
                let descriptions: Vec<_> = facts.iter().map(Description::from).collect();
                self.output.write_json_lines(&descriptions)
            }
        })
    }

    /// Machines count for themselves.
    fn close(&self, progress: &Progress) -> Result<(), Failure> {
        if self.output.format() == Format::Machines {
            return Ok(());
        }
        let more = match self.limit {
            Some(limit) if limit == self.written => ", and there may be more",
            _ => "",
        };
        let text = match self.written {
            0 => "no session is like that\n".to_owned(),
            1 => format!("\n1 session{more}\n"),
            written => format!("\n{} sessions{more}\n", thousands(written as u64)),
        };
        progress.aside(|| output::print(&text))
    }

    fn cut_short(&self, stop: &Stop) -> Failure {
        let written = thousands(self.written as u64);
        match stop {
            Stop::Interrupted => Failure::interrupted(format!(
                "ended before all sessions were looked at; {written} were listed"
            )),
            Stop::Failed(error) => Failure::new(format!(
                "the list is not complete, {written} sessions were listed: {error}"
            )),
        }
    }
}

#[cfg(test)]
mod tests;
