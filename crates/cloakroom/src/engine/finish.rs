//! The end of a request: what has changed goes into the storage, and the adapter is told what to do
//! to the handler's answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::lane::{Attempt, Landed};
use super::sign_in::{Entered, SignIn};
use super::sign_out::Told;
use super::take_back::CommitOutcome;
use super::{Answer, Engine, Finished, SetCookie, SignOut};
use crate::changes::{Changes, Draft};
use crate::commit::{Committed, Nonce};
use crate::cookie;
use crate::error::{Operation, SessionError, StorageError, StorageErrorKind};
use crate::event::{Event, Rejection};
use crate::fingerprint::SessionFingerprint;
use crate::handle::{Handle, LoadOutcome};
use crate::policy::{OnServerError, PendingSignOut};
use crate::session::{Effort, Ending};
use crate::storage::{Destroyed, SessionStorage, Touched};
use crate::ticket::Ticket;
use crate::token::SessionKey;

/// How soon after its look-up a ticket that opens nothing is taken away. The visitor may have signed
/// in while a slow request was under way, and its answer must not take the new ticket's cookie.
const CLEARS_WITHIN: Duration = Duration::from_secs(1);

/// How many tickets are tried for a new session. A second one is as good as never needed.
const MAX_CREATIONS: u32 = 3;

pub(super) async fn finish(
    engine: &Engine,
    handle: &Handle,
    answer: Answer,
) -> Result<Finished, SessionError> {
    let Some(mut ending) = handle.visit.state().finish() else { return Ok(Finished::default()) };
    if answer == Answer::ServerError && engine.policy().on_server_error == OnServerError::Discard {
        discard(engine, &mut ending);
    }
    let clears = is_useless(handle) && handle.visit.state().lets_go_within(CLEARS_WITHIN);
    if ending.is_empty() {
        let wants_touch = handle.visit.state().wants_touch(engine.policy().refresh_below);
        if let Some(key) = wants_touch {
            keep_alive(engine, key);
        }
        return Ok(Finished::with_cookie(clears.then(|| take_away(engine))));
    }
    if let Some((ticket, refusal)) = ending.ticket.as_ref().zip(handle.visit.refuses(&ending.data))
    {
        engine.emit(&Event::NotCommitted { session: ticket.public_id(), error: &refusal });
        return Err(refusal);
    }
    let fingerprint = handle.visit.fingerprint.clone();
    let engine = engine.clone();
    let background = engine.inner.background.clone();
    let work = async move {
        if ending.signs_out() {
            // What is rarer than a change is boxed: it shall take no room in each one's future.
            return Box::pin(sign_out(&engine, ending, fingerprint, answer)).await;
        }
        let handed_out = save(&engine, ending, fingerprint).await?;
        Ok(Finished::with_cookie(handed_out.or_else(|| clears.then(|| take_away(&engine)))))
    };
    background.complete(work).await
}

/// Whether everything that the browser holds under our name is known to open nothing.
fn is_useless(handle: &Handle) -> bool {
    let candidates = &handle.visit.candidates;
    let all_seen = !candidates.is_empty() && !candidates.has_ignored();
    let known = handle.visit.known();
    all_seen && matches!(known, Some(Ok(LoadOutcome::Rejected(Rejection::Unknown))))
}

/// A request that ended without an answer: only its sign-out counts.
pub(super) fn abandon(engine: &Engine, handle: &Handle) {
    let Some(mut ending) = handle.visit.state().abandon() else { return };
    discard(engine, &mut ending);
    if let Some(removal) = ending.removal {
        let destroying = engine.clone();
        engine.inner.background.spawn(async move {
            // Nobody is left to be told; the observer has heard of an error.
            let _: Result<Destroyed, StorageError> = removal.carry_out(&destroying).await;
        });
    }
}

fn discard(engine: &Engine, ending: &mut Ending) {
    if ending.data.is_dirty() {
        let session = ending.data.record().and(ending.ticket.as_ref());
        engine.emit(&Event::Discarded { session: session.map(Ticket::public_id) });
        ending.data.discard();
    }
}

/// Ends the session, and saves what was put into a new one since.
async fn sign_out(
    engine: &Engine,
    mut ending: Ending,
    fingerprint: Option<SessionFingerprint>,
    answer: Answer,
) -> Result<Finished, SessionError> {
    let (destroyed, told) = match (ending.removal.take(), ending.unseen) {
        (Some(removal), _) => match removal.carry_out(engine).await {
            Ok(destroyed) => (destroyed, removal.told()),
            // A server error of a handler that knows tells no lie.
            Err(_) if answer == Answer::ServerError && removal.told() == Told::Failure => {
                return Ok(Finished::default());
            }
            Err(error) => return Err(error.into()),
        },
        (None, Some(unseen)) => (unseen, Told::Outcome),
        (None, None) => return Ok(Finished::default()),
    };
    let taken_away = |cookie: Option<SetCookie>| {
        Finished::with_cookie(Some(cookie.unwrap_or_else(|| take_away(engine))))
    };
    let saved = save(engine, ending, fingerprint).await;
    if destroyed != Destroyed::Pending {
        return Ok(taken_away(saved?).with_sign_out(Some(SignOut::Done)));
    }
    let is_honest = answer == Answer::ServerError || told == Told::Outcome;
    let replacement = match saved {
        Ok(_) if is_honest => None,
        Ok(_) => Some(engine.policy().outage.pending_sign_out),
        // The answer may count on what could not be saved, and the cookie must go all the same.
        Err(_) => Some(PendingSignOut::Unavailable),
    };
    let finished = taken_away(saved.ok().flatten()).with_sign_out(Some(SignOut::Pending));
    Ok(finished.replaced_by(replacement))
}

/// Saves what the request has changed, and answers the header for a new ticket.
async fn save(
    engine: &Engine,
    ending: Ending,
    fingerprint: Option<SessionFingerprint>,
) -> Result<Option<SetCookie>, SessionError> {
    let Some(ticket) = ending.ticket.filter(|_| ending.data.is_dirty()) else { return Ok(None) };
    let session = ticket.public_id();
    let (base, mut changes) = ending.data.parts();
    if base.is_none() || changes.owner.is_some() {
        Arc::make_mut(&mut changes).fingerprint = fingerprint;
    }
    let (saved, may_be_lost) = match (base, ending.proof) {
        (Some(base), Some(proof)) => {
            let may_be_lost = ending.effort == Effort::BestEffort && changes.only_fields();
            (change(engine, ticket, Attempt { base, proof, changes }).await, may_be_lost)
        }
        _ if changes.creates() => {
            // Boxed as well: most changes create nothing.
            (Box::pin(create(engine, ticket, &changes)).await.map(Some), false)
        }
        _ => return Ok(None),
    };
    match saved {
        Err(error) if may_be_lost && error.is_transient() => {
            engine.emit(&Event::ChangesLost { session, error: &error });
            Ok(None)
        }
        saved => saved.inspect_err(|error| engine.emit(&Event::NotCommitted { session, error })),
    }
}

async fn create(
    engine: &Engine,
    mut ticket: Ticket,
    changes: &Changes,
) -> Result<SetCookie, SessionError> {
    let (mut tries, mut deadline) = (0, None);
    let landed = loop {
        tries += 1;
        let sign_in = SignIn::of(engine, ticket.key(), None, changes);
        if let Some(sign_in) = &sign_in
            && sign_in.enter_new(engine).await? == Entered::Condemned
        {
            return Err(SessionError::Gone);
        }
        // All tries share one limit, which counts from the first commit on.
        let end = || Instant::now() + engine.policy().commit_timeout;
        let deadline = *deadline.get_or_insert_with(end);
        let landed = create_under(engine, &ticket, changes, deadline).await;
        if let Some(sign_in) = &sign_in
            && !matches!(landed, Ok(Some(_)))
        {
            let outcome =
                landed.as_ref().map_or_else(CommitOutcome::of, |_| CommitOutcome::NotApplied);
            sign_in.take_back_creation(engine, outcome, ticket.proof());
        }
        match landed? {
            Some(landed) => {
                engine.emit(&Event::Created { session: ticket.public_id() });
                if let Some(sign_in) = sign_in {
                    if let Err(error) = sign_in.settle(engine, &landed.stamp).await {
                        sign_in.take_back_creation(engine, CommitOutcome::Unknown, ticket.proof());
                        return Err(error);
                    }
                    engine.emit(&Event::SignedIn { session: ticket.public_id() });
                }
                break landed;
            }
            // Two equal selectors among 2^128: another ticket, never another's session.
            None if tries < MAX_CREATIONS => ticket = Ticket::generate()?,
            None => return Err(not_created().into()),
        }
    };
    Ok(hand_out(engine, &ticket, &landed))
}

/// Creates the session of a ticket; `None` where there is one already.
async fn create_under(
    engine: &Engine,
    ticket: &Ticket,
    changes: &Changes,
    deadline: Instant,
) -> Result<Option<Landed>, SessionError> {
    let (policy, verifier) = (engine.policy(), ticket.proof());
    let mut draft = Draft::create(verifier, policy.idle_timeout, policy.absolute_timeout);
    changes.apply_as_seen(&mut draft);
    let commit = draft.commit(Nonce::generate()?);
    commit.check_size(engine.storage().max_session_bytes())?;
    let persistent = draft.is_persistent();
    Ok(match engine.commit_until(&ticket.key(), &commit, deadline).await? {
        Committed::Applied { stamp, as_of } => Some(Landed { stamp, as_of, persistent, verifier }),
        _ => None,
    })
}

fn not_created() -> StorageError {
    let message = "the storage answered to every new key that it is taken";
    StorageError::new(StorageErrorKind::Backend, Operation::Commit, message)
}

async fn change(
    engine: &Engine,
    ticket: Ticket,
    attempt: Attempt,
) -> Result<Option<SetCookie>, SessionError> {
    let session = ticket.public_id();
    let signs_in = attempt.changes.owner.is_some();
    let rotates = attempt.changes.verifier.is_some();
    let new_lifetime = attempt.changes.absolute_timeout.is_some();
    let landed = if signs_in || new_lifetime {
        let changes = attempt.changes.clone();
        // Rare, and boxed so that it takes no room in the future of every change.
        match Box::pin(change_owned(engine, ticket.key(), attempt)).await? {
            Some(landed) => landed,
            // Whoever has just proven who it is gets a session all the same.
            None if signs_in => return Box::pin(begin_anew(engine, &changes)).await.map(Some),
            None => return Err(SessionError::Gone),
        }
    } else {
        engine.commit(ticket.key(), attempt).await?
    };
    if rotates {
        engine.emit(&Event::Rotated { session });
    }
    if signs_in {
        engine.emit(&Event::SignedIn { session });
    }
    // Somebody may have signed in in the same commit: then this ticket opens nothing any more.
    let is_valid = landed.verifier == ticket.proof();
    let told = is_valid && (rotates || (new_lifetime && landed.persistent));
    Ok(told.then(|| hand_out(engine, &ticket, &landed)))
}

/// Signs in in a new session, because that of the request had to go for another one of its owner's.
async fn begin_anew(engine: &Engine, changes: &Changes) -> Result<SetCookie, SessionError> {
    // The new ticket brings its own.
    let mut changes = changes.clone();
    changes.verifier = None;
    create(engine, Ticket::generate()?, &changes).await
}

/// Commits a change that the index of the session's owner has to know of; `None` where the session had
/// to go for another one.
async fn change_owned(
    engine: &Engine,
    key: SessionKey,
    attempt: Attempt,
) -> Result<Option<Landed>, SessionError> {
    let (base, changes) = (attempt.base.clone(), attempt.changes.clone());
    let Some(sign_in) = SignIn::of(engine, key, Some(&base), &changes) else {
        return engine.commit(key, attempt).await.map(Some);
    };
    if sign_in.enter(engine).await? == Entered::Condemned {
        return Ok(None);
    }
    let take_back = |outcome: CommitOutcome| {
        if let (Some(_), Some(verifier)) = (&changes.owner, changes.verifier) {
            sign_in.take_back(engine, outcome, verifier);
        }
    };
    let landed = engine.commit(key, attempt).await;
    let landed = landed.inspect_err(|error| take_back(CommitOutcome::of(error)))?;
    // Nobody is told of it, as if nobody knew of its commit.
    let settled = sign_in.settle(engine, &landed.stamp).await;
    settled.inspect_err(|_| take_back(CommitOutcome::Unknown))?;
    Ok(Some(landed))
}

/// Moves the idle deadline of a session in use when it comes near, off the answer's path.
fn keep_alive(engine: &Engine, key: SessionKey) {
    let session = key.public_id();
    let Some(mark) = engine.inner.lanes.begin_touch(key) else {
        return engine.emit(&Event::TouchSkipped { session });
    };
    let touching = engine.clone();
    engine.inner.background.spawn(async move {
        let touched = touching.ask(Operation::Touch, touching.storage().touch(&key)).await;
        drop(mark);
        if let Ok(Touched::Extended(_)) = touched {
            touching.emit(&Event::Touched { session });
        }
    });
}

fn hand_out(engine: &Engine, ticket: &Ticket, landed: &Landed) -> SetCookie {
    let max_age = landed.persistent.then(|| landed.as_of.until(landed.stamp.absolute_deadline));
    SetCookie::new(cookie::hand_out(&engine.policy().cookie, ticket.token(), max_age))
}

fn take_away(engine: &Engine) -> SetCookie {
    SetCookie::new(cookie::take_away(&engine.policy().cookie))
}
