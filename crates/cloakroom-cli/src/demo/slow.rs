//! A slow request that writes into the session at its end, and what becomes of it when the visitor
//! signs out meanwhile: its commit is refused, and nobody is signed in again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cloakroom::{Clock, Field, FlashLevel, PublicId, SystemClock, Timestamp};
use cloakroom_axum::{Session, SessionRejection};
use serde::Deserialize;

use super::app::App;
use super::facts::Facts;
use super::moment::Moment;
use super::pages::{self, Frame, Place};

/// The longest that a request may dawdle.
const LONGEST: u64 = 20;

/// When a slow request last wrote something, in milliseconds since the Unix epoch.
const WRITTEN_AT: Field<u64> = Field::new("slow_write_at");

/// The form that starts a slow request.
#[derive(Deserialize)]
pub(super) struct Dawdle {
    seconds: u64,
}

#[derive(Template)]
#[template(path = "slow.html")]
struct SlowPage {
    frame: Frame,
    under_way: usize,
    written: Option<Moment>,
    facts: Facts,
}

/// How many slow requests each session has under way in this process.
#[derive(Default)]
pub(super) struct UnderWay {
    counts: Mutex<HashMap<PublicId, usize>>,
}

/// Counts one slow request for as long as it lives, whatever its end.
struct Counted {
    under_way: Arc<UnderWay>,
    session: PublicId,
}

impl UnderWay {
    fn begin(self: &Arc<Self>, session: PublicId) -> Counted {
        *self.lock().entry(session).or_default() += 1;
        Counted { under_way: self.clone(), session }
    }

    fn count(&self, session: PublicId) -> usize {
        self.lock().get(&session).copied().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PublicId, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.under_way.lock();
        let left = counts.get(&self.session).map_or(0, |count| count - 1);
        match left {
            0 => counts.remove(&self.session),
            left => counts.insert(self.session, left),
        };
    }
}

/// The page of the demonstration.
pub(super) async fn show(
    State(app): State<App>,
    session: Option<Session>,
) -> Result<Response, SessionRejection> {
    let session = session.as_ref();
    let id = session.and_then(|session| session.public_id());
    let written = match session {
        Some(session) => session.get(WRITTEN_AT)?,
        None => None,
    };
    let frame = Frame::of(session, Place::Slow)?;
    let page = SlowPage {
        frame,
        under_way: id.map_or(0, |id| app.under_way.count(id)),
        written: written.map(|millis| Moment::ago(Timestamp::from_millis(millis))),
        facts: Facts::of(&app, session)?,
    };
    Ok(pages::answer(StatusCode::OK, &page))
}

/// Takes its time, then writes. If the session has ended meanwhile the commit is refused, and the
/// answer that is made here is never seen.
pub(super) async fn write(
    State(app): State<App>,
    session: Option<Session>,
    Form(Dawdle { seconds }): Form<Dawdle>,
) -> Result<Response, SessionRejection> {
    let owned = session.filter(|session| session.owner().is_some());
    let Some((session, id)) = owned.and_then(|it| it.public_id().map(|id| (it, id))) else {
        return Ok(pages::see("/slow"));
    };
    let counted = app.under_way.begin(id);
    tokio::time::sleep(Duration::from_secs(seconds.min(LONGEST))).await;
    session.insert(WRITTEN_AT, SystemClock.now().as_millis())?;
    session
        .flash(FlashLevel::Info, "The slow request has written: nobody signed out meanwhile.")?;
    drop(counted);
    Ok(pages::see("/slow"))
}

#[cfg(test)]
mod tests {
    use cloakroom::SessionKey;

    use super::*;

    #[test]
    fn a_session_without_slow_requests_takes_no_room() {
        let under_way = Arc::new(UnderWay::default());
        let session = SessionKey::from_name("somebody").public_id();
        let (first, second) = (under_way.begin(session), under_way.begin(session));
        drop(first);
        assert_eq!(under_way.count(session), 1);
        drop(second);
        assert!(under_way.lock().is_empty());
    }
}
