//! [`Search`]: which sessions are wanted, as a form or a program writes it into the address.

use std::time::Duration;

use serde::Deserialize;

use crate::listing::{Filter, MOST_ROWS, Place, ROWS, SignedIn};
use crate::pages::row::in_query;

/// The fields of the search; those that are empty say nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    pub(crate) owner: String,
    pub(crate) session: String,
    /// `yes`, `no` or empty.
    pub(crate) signed_in: String,
    /// At least so old, such as `12h`.
    pub(crate) age: String,
    /// Unused for at least so long, such as `30m`.
    pub(crate) idle: String,
    /// Where the list goes on.
    pub(crate) at: String,
    pub(crate) limit: String,
}

/// What a search means.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) filter: Filter,
    pub(crate) place: Place,
    pub(crate) rows: usize,
}

impl Search {
    /// Reads the fields.
    ///
    /// # Errors
    /// What cannot be read, in a sentence.
    pub(crate) fn read(&self) -> Result<Wanted, String> {
        let signed_in = match self.signed_in.as_str() {
            "" => SignedIn::Either,
            "yes" => SignedIn::Yes,
            "no" => SignedIn::No,
            _ => return Err("signed_in is yes, no or empty.".to_owned()),
        };
        let owner = (!self.owner.is_empty()).then(|| self.owner.clone());
        let (age, idle) = (span("age", &self.age)?, span("idle", &self.idle)?);
        let place = self.at.parse().map_err(|_| "at is no place of this list.".to_owned())?;
        let rows = match self.limit.as_str() {
            "" => ROWS,
            text => text
                .parse()
                .ok()
                .filter(|rows| (1..=MOST_ROWS).contains(rows))
                .ok_or_else(|| format!("limit is a number from 1 to {MOST_ROWS}."))?,
        };
        Ok(Wanted { filter: Filter { owner, signed_in, age, idle }, place, rows })
    }

    /// The same search from another place on, as a query.
    pub(crate) fn query_at(&self, place: &Place) -> String {
        let place = place.to_string();
        let fields = [
            ("owner", &self.owner),
            ("signed_in", &self.signed_in),
            ("age", &self.age),
            ("idle", &self.idle),
            ("limit", &self.limit),
            ("at", &place),
        ];
        let filled = fields.into_iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<_> =
            filled.map(|(name, value)| format!("{name}={}", in_query(value))).collect();
        pairs.join("&")
    }
}

fn span(field: &str, text: &str) -> Result<Option<Duration>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let span = humantime::parse_duration(text);
    span.map(Some).map_err(|_| format!("{field} is a duration such as 30m or 12h."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_by_its_field() {
        for (search, field) in [
            (Search { signed_in: "maybe".to_owned(), ..Search::default() }, "signed_in"),
            (Search { age: "old".to_owned(), ..Search::default() }, "age"),
            (Search { idle: "-1h".to_owned(), ..Search::default() }, "idle"),
            (Search { at: "nowhere".to_owned(), ..Search::default() }, "at"),
            (Search { limit: "501".to_owned(), ..Search::default() }, "limit"),
        ] {
            assert!(search.read().unwrap_err().starts_with(field), "{field}");
        }
    }

    #[test]
    fn the_next_page_asks_for_the_same() {
        let search = Search {
            owner: "a&b".to_owned(),
            signed_in: "yes".to_owned(),
            age: "12h".to_owned(),
            at: "~3".to_owned(),
            ..Search::default()
        };
        let wanted = search.read().unwrap();
        assert_eq!(
            search.query_at(&wanted.place),
            "owner=a%26b&signed%5Fin=yes&age=12h&at=%7E3".replace("%5F", "_")
        );
    }
}
