//! [`Row`]: a session's facts as people read them. What comes from visitors is made safe to look at
//! here, and escaped by the template.

use cloakroom::SessionFacts;

use crate::pages::moment::{Moment, Span};
use crate::shown::on_page;

/// A session in a list or on its own page.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) owner: Option<String>,
    /// The owner as a link's query writes it.
    pub(crate) owner_query: String,
    pub(crate) address: Option<String>,
    /// In words.
    pub(crate) browser: Option<String>,
    /// As it was sent.
    pub(crate) user_agent: Option<String>,
    pub(crate) created: Option<Moment>,
    pub(crate) age: Option<Span>,
    pub(crate) signed_in: Option<Moment>,
    pub(crate) last_seen: Moment,
    pub(crate) idle: Span,
    pub(crate) idle_timeout: Span,
    pub(crate) idle_deadline: Moment,
    pub(crate) absolute_deadline: Moment,
    pub(crate) generation: u64,
    pub(crate) size: u64,
    pub(crate) as_of: Moment,
}

impl Row {
    pub(crate) fn of(facts: &SessionFacts) -> Self {
        Self {
            id: facts.id().to_string(),
            owner: facts.owner().map(on_page),
            owner_query: facts.owner().map(in_query).unwrap_or_default(),
            address: facts.address().map(on_page),
            browser: facts.browser(),
            user_agent: facts.user_agent().map(on_page),
            created: facts.created().map(Moment),
            age: facts.age().map(Span),
            signed_in: facts.signed_in().map(Moment),
            last_seen: Moment(facts.last_seen()),
            idle: Span(facts.idle()),
            idle_timeout: Span(facts.idle_timeout()),
            idle_deadline: Moment(facts.idle_deadline()),
            absolute_deadline: Moment(facts.absolute_deadline()),
            generation: facts.generation(),
            size: facts.size(),
            as_of: Moment(facts.as_of()),
        }
    }

    /// The id's beginning, which is enough to tell sessions apart by eye.
    pub(crate) fn short_id(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }
}

/// A text as the value of a query's field.
pub(crate) fn in_query(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
