//! Moving in: a visitor shows another library's cookie, and leaves with a ticket of ours. The load
//! comes here where a request has no ticket; the end of the request takes what is to be handed out.
//!
//! The first ticket is derived from the cookie and a salt that lies in the storage for a minute. So
//! all who show the cookie within that minute, on whatever node, get the same ticket and none takes
//! another's away, and without the salt nobody can make it again. That a session was imported is noted
//! by the import, so nothing is left to be noted here.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem::Finder;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{Engine, Finished, RequestFacts, SetCookie};
use crate::changes::Draft;
use crate::commit::{Commit, Committed, Nonce};
use crate::cookie::{self, Candidates};
use crate::error::{Operation, StorageError, StorageErrorKind};
use crate::event::{Event, Rejection};
use crate::fingerprint::SessionFingerprint;
use crate::handle::{Handle, LoadOutcome, Visit};
use crate::lifetime;
use crate::old_session::{OldCookie, OldSessionId};
use crate::record::{Record, WrittenOrigin};
use crate::session::State;
use crate::storage::{SessionStorage, within};
use crate::ticket::Ticket;
use crate::token::SessionKey;

/// How long the first ticket may be handed out again to whoever shows the old cookie.
const GRACE: Duration = Duration::from_secs(60);

/// How many cookies of the old name are looked at per request, and how much of a header.
const MAX_COOKIES: usize = 4;
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// How often a step is tried again that another request has overtaken.
const MAX_TRIES: usize = 4;

/// Where visitors come from.
pub(super) struct MovingIn {
    cookie: Box<dyn OldCookie>,
    name: Finder<'static>,
}

/// What a request shows of the old library.
pub(crate) struct Arrival {
    /// The session; `None` where the cookie is not genuine.
    id: Option<OldSessionId>,
    /// SHA-256 of the cookie's value, with its signature.
    cookie: [u8; 32],
    /// The first ticket, once the cookie has opened its session.
    first: OnceLock<SetCookie>,
}

/// What an old cookie has opened, or why it opened nothing.
type Opened = Result<(Record, Ticket), Rejection>;

impl MovingIn {
    pub(super) fn new(cookie: impl OldCookie) -> Self {
        let name = Finder::new(cookie.name()).into_owned();
        Self { cookie: Box::new(cookie), name }
    }

    /// What the request shows; `None` where it has no cookie of the old name. Beside a ticket of ours
    /// the cookie opens nothing, and is not checked.
    pub(super) fn look(
        &self,
        request: &impl RequestFacts,
        tickets: &Candidates,
    ) -> Option<Box<Arrival>> {
        let (mut arrival, mut seen) = (None::<Arrival>, 0);
        request.headers("cookie", &mut |header| {
            let header = &header[..header.len().min(MAX_HEADER_BYTES)];
            for value in cookie::values(header, &self.name) {
                let is_found = arrival.as_ref().is_some_and(|arrival| arrival.id.is_some());
                if is_found || seen == MAX_COOKIES {
                    return;
                }
                seen += 1;
                let id = if tickets.is_empty() { self.cookie.read(value) } else { None };
                let cookie = Sha256::digest(value).into();
                arrival = Some(Arrival { id, cookie, first: OnceLock::new() });
            }
        });
        arrival.map(Box::new)
    }
}

impl Arrival {
    /// Whether the cookie names a session.
    pub(crate) fn is_genuine(&self) -> bool {
        self.id.is_some()
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Adds the first ticket to the answer unless the request has got another one, and takes the old
/// cookie away as soon as the visitor holds a ticket or is signed out.
pub(super) fn hand_over(handle: &Handle, finished: Finished) -> Finished {
    let visit = &handle.visit;
    let Some(arrival) = &visit.arrival else { return finished };
    let replaces = finished.sign_out().is_some() || visit.state().ticket().is_some();
    let cookie = finished.cookie().or_else(|| arrival.first.get()).filter(|_| replaces).cloned();
    match cookie.and_then(|cookie| taking_old_away(&visit.engine, cookie)) {
        Some(cookie) => finished.carrying(cookie),
        None => finished,
    }
}

/// What the answer must carry although the request has failed: the first ticket, which the old cookie
/// cannot be turned into any more when its minute is over.
pub(crate) fn first_ticket(handle: &Handle) -> Option<SetCookie> {
    let first = handle.visit.arrival.as_ref()?.first.get()?;
    taking_old_away(&handle.visit.engine, first.clone())
}

/// `None` where nobody can come from another library.
fn taking_old_away(engine: &Engine, cookie: SetCookie) -> Option<SetCookie> {
    let from = engine.inner.moving_in.as_ref()?;
    Some(match cookie::take_old_away(&engine.policy().cookie, &*from.cookie) {
        Some(old) => cookie.taking_away(old),
        None => cookie,
    })
}

impl Engine {
    /// Loads the session of a visitor who has no ticket and shows another library's cookie.
    pub(super) async fn move_in(
        &self,
        visit: &Visit,
        arrival: &Arrival,
    ) -> Result<LoadOutcome, StorageError> {
        let Some(id) = arrival.id else { return Ok(LoadOutcome::Anonymous) };
        let limit = Some(self.policy().commit_timeout);
        match within(limit, Operation::Commit, self.open_old(visit, arrival, id)).await? {
            Ok((record, ticket)) => {
                self.emit(&Event::Found { session: ticket.public_id() });
                let max_age = record.is_persistent();
                let max_age = max_age.then(|| record.as_of().until(record.absolute_deadline()));
                let cookie = cookie::hand_out(&self.policy().cookie, ticket.token(), max_age);
                // One load per request, so there is none yet.
                let _ = arrival.first.set(SetCookie::new(cookie));
                visit.state().arrive(State::found(record, ticket, self.limits()));
                Ok(LoadOutcome::Found)
            }
            Err(reason) => {
                self.emit(&Event::Rejected { session: id.key().public_id(), reason });
                Ok(LoadOutcome::Rejected(reason))
            }
        }
    }

    async fn open_old(
        &self,
        visit: &Visit,
        arrival: &Arrival,
        id: OldSessionId,
    ) -> Result<Opened, StorageError> {
        let deadline = Instant::now() + self.policy().commit_timeout;
        let Some(mut record) = self.look_up(&id.key()).await? else {
            return Ok(Err(Rejection::Unknown));
        };
        for _ in 0..MAX_TRIES {
            if !record.accepts(&id.proof()) {
                return self.open_again(visit, arrival, id, record).await;
            }
            let salt = self.draw_salt(id).await?;
            let ticket = id.ticket(&arrival.cookie, &salt);
            let commit = self.first_commit(visit, &record, &ticket)?;
            match self.commit_until(&ticket.key(), &commit, deadline).await? {
                Committed::Applied { stamp, as_of } => {
                    self.emit(&Event::MovedIn { session: ticket.public_id() });
                    let bytes = commit.stamped(&ticket.key(), &stamp);
                    let record = Record::decode(&ticket.key(), bytes, as_of);
                    let record = record.map_err(|error| {
                        let message = "the session that has moved in cannot be read";
                        failed(StorageErrorKind::Corrupt, message).with_source(error)
                    })?;
                    return Ok(Ok((record, ticket)));
                }
                Committed::Conflict(newer) => record = newer,
                Committed::Gone | Committed::Exists => return Ok(Err(Rejection::Unknown)),
            }
        }
        Err(overtaken())
    }

    /// The session has a ticket already: whoever shows the old cookie within the grace gets it too.
    async fn open_again(
        &self,
        visit: &Visit,
        arrival: &Arrival,
        id: OldSessionId,
        record: Record,
    ) -> Result<Opened, StorageError> {
        let salt = self.ask(Operation::Load, self.storage().mark(&id.salt_key())).await?;
        let first = salt.map(|salt| id.ticket(&arrival.cookie, &salt));
        let Some(ticket) = first.filter(|ticket| record.accepts(&ticket.proof())) else {
            if lifetime::may_just_have_rotated(&record) {
                visit.state().arrive(State::superseded(self.limits()));
            }
            return Ok(Err(Rejection::Superseded));
        };
        let origin = visit.fingerprint.as_ref().map(SessionFingerprint::origin);
        let is_admitted = self.policy().fingerprint_mode().admits(record.origin(), origin);
        Ok(if is_admitted { Ok((record, ticket)) } else { Err(Rejection::Fingerprint) })
    }

    /// Gives the session its first ticket. From now on it is bound to the visitor's browser, and lies
    /// unused for as long as the policy says, unless the visitor is remembered.
    fn first_commit(
        &self,
        visit: &Visit,
        record: &Record,
        ticket: &Ticket,
    ) -> Result<Commit, StorageError> {
        let mut draft = Draft::rewrite(record);
        draft.verifier = ticket.proof();
        let origin = visit.fingerprint.as_ref().map(SessionFingerprint::origin);
        draft.fingerprint = origin.map(WrittenOrigin::New);
        if !record.is_persistent() {
            draft.idle_timeout = self.policy().idle_timeout;
        }
        Ok(draft.commit(Nonce::generate().map_err(|_| no_random_bytes())?))
    }

    /// The salt of this minute; the first one to ask draws it.
    async fn draw_salt(&self, id: OldSessionId) -> Result<Bytes, StorageError> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|_| no_random_bytes())?;
        let mark = id.salt_key();
        self.ask(Operation::Commit, self.storage().leave_mark(&mark, &salt, GRACE)).await
    }

    async fn look_up(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        let found = self.ask(Operation::Load, self.storage().load(key)).await?;
        Ok(found.filter(|record| !record.is_expired(record.as_of())))
    }
}

fn overtaken() -> StorageError {
    failed(StorageErrorKind::Rejected, "other requests of the same visitor were faster every time")
}

fn no_random_bytes() -> StorageError {
    failed(StorageErrorKind::Backend, "the operating system gives no random bytes")
}

fn failed(kind: StorageErrorKind, message: &'static str) -> StorageError {
    StorageError::new(kind, Operation::Commit, message)
}
