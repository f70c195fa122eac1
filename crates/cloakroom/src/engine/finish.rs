//! The end of a request: what has changed goes into the storage, and the visitor is told about a
//! new ticket.

use super::lane::{Attempt, Landed};
use super::{Answer, Engine, SetCookie};
use crate::changes::{Changes, Draft};
use crate::commit::{Committed, Nonce};
use crate::cookie;
use crate::error::{Operation, SessionError, StorageError, StorageErrorKind};
use crate::event::{Event, Rejection};
use crate::fingerprint::SessionFingerprint;
use crate::handle::{Handle, LoadOutcome};
use crate::lifetime;
use crate::policy::OnServerError;
use crate::session::Ending;
use crate::storage::{SessionStorage, Touched};
use crate::token::{SessionKey, Token};

/// How many touches may be under way at once; further ones are left out.
const MAX_TOUCHES: usize = 1024;

/// How many tickets are tried for a new session. A second one is as good as never needed.
const MAX_CREATIONS: u32 = 3;

pub(super) async fn finish(
    engine: &Engine,
    handle: &Handle,
    answer: Answer,
) -> Result<Option<SetCookie>, SessionError> {
    let Some(mut ending) = handle.visit.state().finish() else { return Ok(None) };
    let Some(Ok(outcome)) = handle.visit.loaded.get() else { return Ok(None) };
    if answer == Answer::ServerError && engine.policy().on_server_error == OnServerError::Discard {
        discard(engine, &mut ending);
    }
    if !ending.data.is_dirty() && ending.doomed.is_none() {
        keep_alive(engine, &ending);
        return Ok(is_useless(handle, *outcome).then(|| take_away(engine)));
    }
    let clears = ending.doomed.is_some() || is_useless(handle, *outcome);
    let fingerprint = handle.visit.fingerprint.clone();
    let write = write(engine.clone(), ending, fingerprint);
    let handed_out = engine.inner.background.complete(write).await?;
    Ok(handed_out.or_else(|| clears.then(|| take_away(engine))))
}

/// Whether everything that the browser holds under our name is known to open nothing.
fn is_useless(handle: &Handle, outcome: LoadOutcome) -> bool {
    let all_seen = !handle.visit.candidates.has_ignored();
    all_seen && outcome == LoadOutcome::Rejected(Rejection::Unknown)
}

/// A request that ended without an answer: only its sign-out counts.
pub(super) fn abandon(engine: &Engine, handle: &Handle) {
    let Some(mut ending) = handle.visit.state().finish() else { return };
    discard(engine, &mut ending);
    if let Some(key) = ending.doomed {
        let destroying = engine.clone();
        engine.inner.background.spawn(async move {
            // Nobody is left to be told; the observer has heard of an error.
            let _: Result<(), SessionError> = destroy(&destroying, &key).await;
        });
    }
}

fn discard(engine: &Engine, ending: &mut Ending) {
    if ending.data.is_dirty() {
        let session = ending.data.record().and(ending.ticket.as_ref());
        engine.emit(&Event::Discarded { session: session.map(|ticket| ticket.key().public_id()) });
        ending.data.discard();
    }
}

/// Carries out what the request has asked for, and answers the header for a new ticket.
async fn write(
    engine: Engine,
    ending: Ending,
    fingerprint: Option<SessionFingerprint>,
) -> Result<Option<SetCookie>, SessionError> {
    if let Some(key) = ending.doomed {
        destroy(&engine, &key).await?;
    }
    let Some(ticket) = ending.ticket.filter(|_| ending.data.is_dirty()) else { return Ok(None) };
    let session = ticket.key().public_id();
    let (base, mut changes) = ending.data.into_parts();
    if base.is_none() || changes.owner.is_some() {
        changes.fingerprint = fingerprint;
    }
    match (base, ending.proof) {
        (Some(base), Some(proof)) => {
            change(&engine, ticket, Attempt { base, proof, changes }).await
        }
        _ if changes.creates() => create(&engine, ticket, &changes).await.map(Some),
        _ => Ok(None),
    }
    .inspect_err(|error| engine.emit(&Event::NotCommitted { session, error }))
}

async fn create(
    engine: &Engine,
    mut ticket: Token,
    changes: &Changes,
) -> Result<SetCookie, SessionError> {
    let policy = engine.policy();
    let mut tries = 0;
    let landed = loop {
        tries += 1;
        let verifier = ticket.verifier_hash();
        let mut draft = Draft::create(verifier, policy.idle_timeout, policy.absolute_timeout);
        changes.apply(&mut draft)?;
        let commit = draft.commit(Nonce::generate()?);
        commit.check_size(engine.storage().max_session_bytes())?;
        match engine.commit_once(&ticket.key(), &commit).await? {
            Committed::Applied { stamp, as_of } => {
                break Landed { stamp, as_of, persistent: draft.is_persistent(), verifier };
            }
            // Two equal selectors among 2^128: another ticket, never another's session.
            _ if tries < MAX_CREATIONS => ticket = Token::generate()?,
            _ => return Err(not_created().into()),
        }
    };
    let session = ticket.key().public_id();
    engine.emit(&Event::Created { session });
    if changes.owner.is_some() {
        engine.emit(&Event::SignedIn { session });
    }
    Ok(hand_out(engine, &ticket, &landed))
}

fn not_created() -> StorageError {
    let message = "the storage answered to every new key that it is taken";
    StorageError::new(StorageErrorKind::Backend, Operation::Commit, message)
}

async fn change(
    engine: &Engine,
    ticket: Token,
    attempt: Attempt,
) -> Result<Option<SetCookie>, SessionError> {
    let session = ticket.key().public_id();
    let signs_in = attempt.changes.owner.is_some();
    let rotates = attempt.changes.verifier.is_some();
    let new_lifetime = attempt.changes.absolute_timeout.is_some();
    let landed = engine.commit(ticket.key(), attempt).await?;
    if rotates {
        engine.emit(&Event::Rotated { session });
    }
    if signs_in {
        engine.emit(&Event::SignedIn { session });
    }
    // Somebody may have signed in in the same commit: then this ticket opens nothing any more.
    let is_valid = landed.verifier == ticket.verifier_hash();
    let told = is_valid && (rotates || (new_lifetime && landed.persistent));
    Ok(told.then(|| hand_out(engine, &ticket, &landed)))
}

async fn destroy(engine: &Engine, key: &SessionKey) -> Result<(), SessionError> {
    let _ = engine.ask(Operation::Destroy, engine.storage().destroy(key)).await?;
    engine.emit(&Event::Destroyed { session: key.public_id() });
    Ok(())
}

/// Moves the idle deadline of a session in use when it comes near, off the answer's path.
fn keep_alive(engine: &Engine, ending: &Ending) {
    let (Some(record), Some(ticket)) = (ending.data.record(), &ending.ticket) else { return };
    if !lifetime::wants_touch(record, engine.policy().refresh_below) {
        return;
    }
    let (key, session) = (ticket.key(), ticket.key().public_id());
    let busy = engine.inner.background.running() >= MAX_TOUCHES;
    let mark = if busy { None } else { engine.inner.lanes.begin_touch(key) };
    let Some(mark) = mark else { return engine.emit(&Event::TouchSkipped { session }) };
    let touching = engine.clone();
    engine.inner.background.spawn(async move {
        let touched = touching.ask(Operation::Touch, touching.storage().touch(&key)).await;
        drop(mark);
        if let Ok(Touched::Extended(_)) = touched {
            touching.emit(&Event::Touched { session });
        }
    });
}

fn hand_out(engine: &Engine, ticket: &Token, landed: &Landed) -> SetCookie {
    let max_age = landed.persistent.then(|| landed.as_of.until(landed.stamp.absolute_deadline));
    SetCookie::new(cookie::hand_out(&engine.policy().cookie, ticket, max_age))
}

fn take_away(engine: &Engine) -> SetCookie {
    SetCookie::new(cookie::take_away(&engine.policy().cookie))
}
