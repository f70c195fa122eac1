//! [`App`]: what all handlers share, and the one place where something is done.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{Destroyed, Engine, Position, PublicId, Revoked, StorageError, Timestamp};
use tokio::time::Instant;

use crate::action::{Action, Outcome};
use crate::audit::Trail;
use crate::census::Census;
use crate::door::{Admitted, Door, Transport};
use crate::mount::Mount;
use crate::observer::AdminObserver;
use crate::seal::Seal;
use crate::under_way::{Step, UnderWay};

/// How long one step of a long action may take before the operator is told how far it is.
const STEP: Duration = Duration::from_secs(1);

/// What became of something that has met a panic, or the end of the process.
const BROKEN_OFF: &str = "it broke off";

/// Everything that the page works with. Its end is the end of what it does in the background.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) observer: Option<AdminObserver>,
    /// What the sessions are called.
    pub(crate) installation: Option<String>,
    pub(crate) census: Census,
    pub(crate) trail: Trail,
    pub(crate) door: Door,
    pub(crate) seal: Seal,
    pub(crate) origins: Vec<String>,
    pub(crate) transport: Transport,
    /// Where browsers find the page, if the application has named it.
    pub(crate) mount: Option<Mount>,
    pub(crate) under_way: UnderWay,
}

/// Something that an operator has begun. However it ends, it leaves an entry in the audit trail.
struct Deed {
    app: Arc<App>,
    who: Admitted,
    action: Action,
    is_told: bool,
    // The last of them: it is over when it is in the trail.
    _step: Step,
}

impl App {
    /// Does something and audits it. Both happen even if the operator goes away meanwhile, and if it
    /// breaks off it is audited as well.
    pub(crate) async fn carry_out(
        self: Arc<Self>,
        who: Admitted,
        action: Action,
        position: Position,
    ) -> Outcome {
        let Some(step) = self.under_way.begin() else {
            return Outcome::unknown("this process is ending, and begins nothing more");
        };
        let deed = Deed { app: self, who, action, is_told: false, _step: step };
        let done = tokio::spawn(async move {
            let outcome = deed.app.attempt(&deed.action, position).await;
            deed.tell(outcome.clone());
            outcome
        });
        done.await.unwrap_or_else(|_| Outcome::unknown(BROKEN_OFF))
    }

    /// The storage's clock, by which sessions are created: that of this machine may be wrong.
    pub(crate) async fn now(&self) -> Result<Timestamp, StorageError> {
        self.engine.now().await
    }

    /// What a replica says is believed neither before nor after: somebody may have made the server one
    /// meanwhile, and it holds what it has heard of.
    async fn attempt(&self, action: &Action, position: Position) -> Outcome {
        if let Some(replica) = self.replica() {
            return Outcome::unknown(replica);
        }
        let outcome = self.ask_storage(action, position).await;
        match (outcome, self.replica()) {
            (Outcome::Done { ended }, Some(reason)) => {
                Outcome::Unknown { ended, next: None, reason }
            }
            (Outcome::Nothing, Some(reason)) => Outcome::unknown(reason),
            (outcome, _) => outcome,
        }
    }

    fn replica(&self) -> Option<String> {
        let nodes = self.engine.health().nodes;
        let replica = nodes.into_iter().find(|node| node.role.as_deref() == Some("replica"))?;
        Some(format!(
            "{} is a replica, and sessions of which it has not heard live on",
            replica.address
        ))
    }

    async fn ask_storage(&self, action: &Action, position: Position) -> Outcome {
        let outcome = match action {
            Action::EndSession { session } => self.engine.revoke(*session).await.map(of_one),
            Action::EndOthers { session } => self.end_others(*session).await,
            Action::EndOwner { owner } => self.engine.revoke_owner(owner).await.map(of_many),
            Action::EndBefore { moment } => Ok(self.end_before(*moment, position).await),
            Action::SignIn | Action::SignOut | Action::Request { .. } => Ok(Outcome::Nothing),
        };
        outcome.unwrap_or_else(Outcome::unknown)
    }

    /// Ends the others of a session's owner. Whose they are only that session tells.
    async fn end_others(&self, keep: PublicId) -> Result<Outcome, StorageError> {
        let reason = "the session that was to stay is over, or nobody is signed in to it, so whose \
                      others were to end is not known";
        let unknown = Outcome::Incomplete { ended: 0, pending: 0, reason: reason.to_owned() };
        Ok(self.engine.revoke_others(keep).await?.map_or(unknown, of_many))
    }

    /// Goes on with a walk for a moment. However it stops, it tells how far it came.
    async fn end_before(&self, moment: Timestamp, mut position: Position) -> Outcome {
        // At each step: a position is a text that anybody can make up.
        match self.now().await {
            Ok(now) if moment > now => {
                return Outcome::Refused { reason: "that moment is still to come".to_owned() };
            }
            Ok(_) => {}
            Err(error) => return stopped(0, &position, &error),
        }
        let (start, mut revoked) = (Instant::now(), Revoked::default());
        loop {
            let page = match self.engine.revoke_created_before(moment, &position).await {
                Ok(page) => page,
                Err(error) => return stopped(revoked.ended, &position, &error),
            };
            revoked.ended += page.ended;
            revoked.unreadable += page.unreadable;
            let Some(next) = page.next else { return of_many(revoked) };
            if start.elapsed() > STEP {
                let percent = (page.done.clamp(0.0, 0.99) * 100.0) as u8;
                let ended = revoked.ended;
                return Outcome::Partly { ended, percent, next: next.to_string() };
            }
            position = next;
        }
    }
}

impl Deed {
    fn tell(mut self, outcome: Outcome) {
        self.record(outcome);
    }

    fn record(&mut self, outcome: Outcome) {
        self.is_told = true;
        let Admitted { operator, address, .. } = &self.who;
        self.app.trail.record(operator, *address, self.action.clone(), outcome);
    }
}

impl Drop for Deed {
    fn drop(&mut self) {
        if !self.is_told {
            self.record(Outcome::unknown(BROKEN_OFF));
        }
    }
}

/// A walk that the storage has stopped there.
fn stopped(ended: usize, at: &Position, error: &StorageError) -> Outcome {
    let next = (!at.is_start()).then(|| at.to_string());
    Outcome::Unknown { ended, next, reason: error.to_string() }
}

fn of_one(destroyed: Destroyed) -> Outcome {
    match destroyed {
        Destroyed::Removed(_) => Outcome::Done { ended: 1 },
        Destroyed::Absent(_) => Outcome::Nothing,
        Destroyed::Pending => Outcome::Pending { ended: 0, pending: 1 },
    }
}

fn of_many(revoked: Revoked) -> Outcome {
    let Revoked { ended, pending, unreadable, .. } = revoked;
    match (ended, pending, unreadable) {
        (0, 0, 0) => Outcome::Nothing,
        (ended, 0, 0) => Outcome::Done { ended },
        (ended, pending, 0) => Outcome::Pending { ended, pending },
        (ended, pending, unreadable) => {
            let reason = format!(
                "what lies in the place of {unreadable} more cannot be read by this release and was \
                 left alone"
            );
            Outcome::Incomplete { ended, pending, reason }
        }
    }
}
