//! Twenty requests at once, each with a numbered tag for the same cart. All twenty arrive, in far
//! fewer commits than requests.

use std::collections::BTreeSet;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cloakroom::Field;
use cloakroom_axum::{Session, SessionRejection};
use serde::{Deserialize, Serialize};

use super::app::App;
use super::cart::{Article, CART};

/// How many requests a run has.
pub(super) const RUN: u8 = 20;

/// The last run's arrivals.
pub(super) const ARRIVALS: Field<Arrivals> = Field::new("parallel");

/// Which requests of a run have left their mark in the session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Arrivals {
    run: String,
    numbers: BTreeSet<u8>,
}

/// What one of the parallel requests brings.
#[derive(Deserialize)]
pub(super) struct Numbered {
    run: String,
    number: u8,
}

/// A tag on the page.
pub(super) struct Tag {
    pub(super) number: u8,
    pub(super) arrived: bool,
}

/// What the page shows of the last run.
pub(super) struct Outcome {
    pub(super) tags: Vec<Tag>,
    pub(super) arrived: usize,
    /// In how many commits they arrived; `None` where this process has not seen all of them.
    pub(super) commits: Option<usize>,
}

impl Arrivals {
    fn with(mut self, run: &str, number: u8) -> Self {
        if self.run != run {
            self = Self { run: run.to_owned(), numbers: BTreeSet::new() };
        }
        self.numbers.insert(number);
        self
    }
}

impl Outcome {
    /// The last run of a session.
    pub(super) fn of(app: &App, session: Option<&Session>) -> Result<Self, SessionRejection> {
        let arrivals = match session {
            Some(session) => session.get(ARRIVALS)?.unwrap_or_default(),
            None => Arrivals::default(),
        };
        let id = session.and_then(|session| session.public_id());
        let tag = |number| Tag { number, arrived: arrivals.numbers.contains(&number) };
        Ok(Self {
            tags: (1..=RUN).map(tag).collect(),
            arrived: arrivals.numbers.len(),
            commits: id.and_then(|id| app.ledger.commits(id, &arrivals.run)),
        })
    }
}

/// Adds a tag to the cart and marks its number. The script sends these, so the answer is no page.
pub(super) async fn add(
    State(app): State<App>,
    session: Option<Session>,
    Form(Numbered { run, number }): Form<Numbered>,
) -> Result<Response, SessionRejection> {
    // Without a session each of the requests would make one of its own.
    let Some(session) = session else { return Ok(StatusCode::CONFLICT.into_response()) };
    if !(1..=RUN).contains(&number) || run.len() > 32 {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    }
    if let Some(id) = session.public_id() {
        app.ledger.joins(id, &run, RUN.into());
    }
    session.update(CART, |cart| cart.unwrap_or_default().with(Article::Tag))?;
    session.update(ARRIVALS, move |arrivals: Option<Arrivals>| {
        arrivals.unwrap_or_default().with(&run, number)
    })?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_run_starts_with_an_empty_board() {
        let arrivals = Arrivals::default().with("one", 1).with("one", 2).with("two", 3);
        assert_eq!(arrivals.numbers, BTreeSet::from([3]));
    }
}
