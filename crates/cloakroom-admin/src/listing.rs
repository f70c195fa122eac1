//! [`Listing`]: some sessions out of all, by steps of a walk, or of one owner. Each answer is bounded in rows, in
//! sessions that were looked at and in time, and tells where to go on.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cloakroom::{
    AnyStorage, Engine, Found, Position, PublicId, SessionFacts, SessionKey, SessionStorage,
    StorageError,
};
use tokio::time::Instant;

use crate::owned::Owned;

/// How many rows a page has unless told otherwise.
pub(crate) const ROWS: usize = 50;

/// How many rows a page may have.
pub(crate) const MOST_ROWS: usize = 500;

/// How many sessions are looked at for one page.
const LOOKED_AT: usize = 5000;

/// How long looking for one page may take.
const LIMIT: Duration = Duration::from_millis(1500);

/// How many are asked for at once.
const BATCH: usize = 250;

/// Which sessions are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) owner: Option<String>,
    pub(crate) signed_in: SignedIn,
    /// Created at least so long ago.
    pub(crate) age: Option<Duration>,
    /// Unused for at least so long.
    pub(crate) idle: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SignedIn {
    #[default]
    Either,
    Yes,
    No,
}

/// Where a listing goes on: within a step of a walk, behind this session. In an owner's list the
/// position is when that one was created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    position: Position,
    behind: Option<SessionKey>,
}

/// Some sessions.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) rows: Vec<SessionFacts>,
    /// Sessions that were looked at.
    pub(crate) looked_at: usize,
    /// Places that hold no record that can be read.
    pub(crate) unreadable: usize,
    /// Where it goes on; `None` at the end.
    pub(crate) next: Option<Place>,
    /// How far the walk is, from 0 to 1; an estimate. `None` within a step.
    pub(crate) done: Option<f64>,
}

impl Filter {
    pub(crate) fn fits(&self, facts: &SessionFacts) -> bool {
        let signed_in = match self.signed_in {
            SignedIn::Either => true,
            SignedIn::Yes => facts.owner().is_some(),
            SignedIn::No => facts.owner().is_none(),
        };
        signed_in
            && self.owner.as_deref().is_none_or(|owner| facts.owner() == Some(owner))
            && self.age.is_none_or(|age| facts.is_older_than(age))
            && self.idle.is_none_or(|idle| facts.idle() >= idle)
    }
}

impl Listing {
    /// The sessions that are wanted, from this place on: an owner's by the owner's index, the newest
    /// first; others in no order.
    pub(crate) async fn find(
        engine: &Engine,
        filter: &Filter,
        place: Place,
        rows: usize,
    ) -> Result<Self, StorageError> {
        match &filter.owner {
            Some(owner) => {
                let owned = Owned::by(engine, owner).await?;
                Ok(Self::of_owner(owned, filter, &place, rows))
            }
            None => Self::walk(engine.storage(), filter, place, rows).await,
        }
    }

    /// When a session was created never changes, so each page goes on where the one before has ended,
    /// whatever comes and goes meanwhile.
    fn of_owner(owned: Owned, filter: &Filter, place: &Place, most: usize) -> Self {
        let Owned { sessions: mut rows, unreadable } = owned;
        let looked_at = rows.len();
        let order = |facts: &SessionFacts| Reverse((facts.created(), facts.id().key()));
        rows.retain(|facts| filter.fits(facts) && place.is_before(facts));
        rows.sort_by_key(order);
        let is_more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().filter(|_| is_more).map(Place::behind);
        Self { rows, looked_at, unreadable, next, done: None }
    }

    async fn walk(
        storage: &AnyStorage,
        filter: &Filter,
        mut place: Place,
        most: usize,
    ) -> Result<Self, StorageError> {
        let start = Instant::now();
        let mut listing =
            Self { rows: Vec::new(), looked_at: 0, unreadable: 0, next: None, done: None };
        loop {
            let page = storage.walk(&place.position).await?;
            // In one order, so that a page can end within a step. A step may name a key twice.
            let behind = place.behind;
            let keys: BTreeSet<_> = page
                .sessions
                .into_iter()
                .filter(|key| behind.is_none_or(|behind| *key > behind))
                .collect();
            let keys: Vec<_> = keys.into_iter().collect();
            let last = keys.last().copied();
            for batch in keys.chunks(BATCH) {
                for (key, found) in batch.iter().zip(storage.facts(batch).await?) {
                    if listing.rows.len() == most {
                        (listing.next, listing.done) = (Some(place), None);
                        return Ok(listing);
                    }
                    listing.add(found, filter);
                    place.behind = Some(*key);
                }
                // After a batch, never before it, so that each page goes on.
                if listing.is_full(most, start) && place.behind != last {
                    (listing.next, listing.done) = (Some(place), None);
                    return Ok(listing);
                }
            }
            listing.done = Some(page.done);
            let Some(next) = page.next else { return Ok(listing) };
            place = Place { position: next, behind: None };
            if listing.is_full(most, start) {
                listing.next = Some(place);
                return Ok(listing);
            }
        }
    }

    fn is_full(&self, most: usize, start: Instant) -> bool {
        self.rows.len() >= most || self.looked_at >= LOOKED_AT || start.elapsed() > LIMIT
    }

    fn add(&mut self, found: Found, filter: &Filter) {
        match found {
            Found::Nothing | Found::Over(_) | Found::Ending => {}
            Found::Unreadable => self.unreadable += 1,
            Found::Session(facts) => {
                self.looked_at += 1;
                if filter.fits(&facts) {
                    self.rows.push(facts);
                }
            }
        }
    }
}

impl Place {
    /// Behind this one of an owner's sessions.
    fn behind(facts: &SessionFacts) -> Self {
        let created = created(facts).to_string();
        Self { position: Position::new(created), behind: Some(facts.id().key()) }
    }

    /// Whether one of an owner's sessions comes after this place.
    fn is_before(&self, facts: &SessionFacts) -> bool {
        let Some(behind) = self.behind else { return true };
        let position = self.position.to_string().parse().unwrap_or(u64::MAX);
        (created(facts), facts.id().key()) < (position, behind)
    }
}

/// In milliseconds; where nobody knows it, it counts as the oldest of all.
fn created(facts: &SessionFacts) -> u64 {
    facts.created().map_or(0, cloakroom::Timestamp::as_millis)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.behind {
            Some(behind) => write!(f, "{}~{}", behind.public_id(), self.position),
            None => write!(f, "~{}", self.position),
        }
    }
}

/// A text that is no place of a listing.
#[derive(Debug)]
pub(crate) struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let (behind, position) = text.split_once('~').ok_or(NoPlace)?;
        let behind = match behind {
            "" => None,
            id => Some(id.parse::<PublicId>().map_err(|_| NoPlace)?.key()),
        };
        Ok(Self { position: Position::new(position), behind })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use cloakroom::{MemorySessionStorage, SessionData, SessionStorage as _};

    use super::*;

    async fn all(storage: &AnyStorage, filter: &Filter, rows: usize) -> Vec<PublicId> {
        let (mut place, mut ids) = (Place::default(), Vec::new());
        loop {
            let listing = Listing::walk(storage, filter, place, rows).await.unwrap();
            assert!(listing.rows.len() <= rows);
            ids.extend(listing.rows.iter().map(|facts| facts.id()));
            let Some(next) = listing.next else { return ids };
            place = next.to_string().parse().unwrap();
        }
    }

    #[tokio::test]
    async fn pages_of_any_size_show_every_session_once() {
        let memory = MemorySessionStorage::new();
        for at in 0..1000 {
            memory.set(&format!("s{at}"), &SessionData::new(), None).await.unwrap();
        }
        let storage = AnyStorage::new(memory);
        for rows in [7, 50, 500] {
            let ids = all(&storage, &Filter::default(), rows).await;
            assert_eq!(ids.len(), 1000, "{rows}");
            assert_eq!(ids.into_iter().collect::<HashSet<_>>().len(), 1000, "{rows}");
        }
        let signed_in = Filter { signed_in: SignedIn::Yes, ..Filter::default() };
        assert!(all(&storage, &signed_in, 50).await.is_empty());
    }

    #[test]
    fn a_place_survives_its_text_form_and_nonsense_is_refused() {
        let behind = Some(SessionKey::from_name("a"));
        let place = Place { position: Position::new("17@[::1]:6379"), behind };
        assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
        assert_eq!("".parse::<Place>().unwrap(), Place::default());
        assert!("nonsense".parse::<Place>().is_err());
        assert!("zz~1".parse::<Place>().is_err());
    }
}
