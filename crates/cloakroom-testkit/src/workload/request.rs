//! One request of the workload: what an adapter and its handler do, and what is written down.

use cloakroom::{
    Answer, Engine, Field, LoadOutcome, RequestScope, Session, SessionError, SetCookie, SignOut,
};

use super::browser::{Browser, Ticket, effect};
use crate::FakeRequest;
use crate::history::{
    Action, ChangeNumber, CookieEffect, History, Invoked, Outcome, Seen, SessionNumber, Visitor,
};

const VISITOR: Field<String> = Field::new("visitor");
const SESSION: Field<u32> = Field::new("session");
const COUNT: Field<u32> = Field::new("count");
const CHANGE: Field<u32> = Field::new("change");

const NAME: &str = "visitor-";

/// A request before it is sent.
pub(super) struct Request<'a> {
    pub(super) engine: &'a Engine,
    pub(super) history: &'a History,
    pub(super) browser: &'a Browser,
    pub(super) action: Action,
    pub(super) ticket: Option<Ticket>,
}

/// How a request was answered.
struct Ended {
    outcome: Outcome,
    cookie: Option<SetCookie>,
}

/// The end of every request that is answered: the one place that knows what finishing tells.
async fn end(scope: RequestScope, answer: Answer) -> Ended {
    match scope.finish(answer).await {
        Ok(finished) => {
            let pending = finished.sign_out() == Some(SignOut::Pending);
            let outcome = if pending { Outcome::Pending } else { Outcome::Ok };
            Ended { outcome, cookie: finished.into_cookie() }
        }
        Err(error) => Ended { outcome: outcome_of(&error), cookie: None },
    }
}

impl Request<'_> {
    /// Sends the request; dropped on its way it is recorded as unknown.
    pub(super) async fn send(self, mut invoked: Invoked) {
        if let Some(ticket) = &self.ticket {
            invoked.shows(ticket.session, ticket.number);
        }
        let scope = self.engine.begin(&self.headers());
        let (mut found, mut created) = (None, None);
        let handled = match scope.handle().outcome().await {
            Err(error) => Err(outcome_of(&error)),
            Ok(outcome) => {
                found = Some(outcome);
                self.handle(&scope, outcome, &mut invoked, &mut created).await
            }
        };
        if self.action == Action::Peek {
            drop(scope);
            return invoked.ends(handled.err().unwrap_or(Outcome::Ok));
        }
        let answer = match handled {
            Err(Outcome::Unavailable | Outcome::Failed) => Answer::ServerError,
            _ => Answer::Ordinary,
        };
        let ended = end(scope, answer).await;
        let outcome = handled.err().unwrap_or(ended.outcome);
        self.arrive(invoked, outcome, ended.cookie, created);
        // Also where the server leaves the cookie alone: a person would sign in again.
        let useless = matches!(found, Some(LoadOutcome::Rejected(_))) && created.is_none();
        let gone = useless || (self.action == Action::SignOut && outcome == Outcome::Pending);
        if let Some(ticket) = self.ticket.filter(|_| gone) {
            self.browser.give_up(ticket.number);
        }
    }

    /// What the handler does; where it is refused, how the request will end.
    async fn handle(
        &self,
        scope: &RequestScope,
        outcome: LoadOutcome,
        invoked: &mut Invoked,
        created: &mut Option<SessionNumber>,
    ) -> Result<(), Outcome> {
        let session = scope.handle().load().await.map_err(|error| outcome_of(&error))?;
        match outcome {
            LoadOutcome::Found => invoked.sees(look(&session)),
            _ if self.action == Action::SignIn => {}
            LoadOutcome::Anonymous => return Err(Outcome::Anonymous),
            LoadOutcome::Rejected(_) => return Err(Outcome::Rejected),
        }
        let done = match self.action {
            Action::SignIn => self.sign_in(&session, invoked, created),
            Action::Write => write(&session, invoked.changes()),
            Action::SignOut => {
                invoked.changes();
                session.destroy()
            }
            _ => Ok(()),
        };
        done.map_err(|error| outcome_of(&error))
    }

    fn sign_in(
        &self,
        session: &Session,
        invoked: &mut Invoked,
        created: &mut Option<SessionNumber>,
    ) -> Result<(), SessionError> {
        invoked.changes();
        let name = name(self.browser.visitor);
        session.set_owner(&name)?;
        if session.is_new() {
            let number = *created.insert(self.history.new_session());
            session.insert(VISITOR, name)?;
            session.insert(SESSION, number.index())?;
            session.insert(COUNT, 0)?;
        }
        Ok(())
    }

    /// The answer reaches the visitor.
    fn arrive(
        &self,
        mut invoked: Invoked,
        outcome: Outcome,
        cookie: Option<SetCookie>,
        created: Option<SessionNumber>,
    ) {
        let Some(cookie) = cookie else { return invoked.ends(outcome) };
        let effect = effect(Some(&cookie));
        let session = created.or(self.ticket.as_ref().map(|ticket| ticket.session));
        invoked.cookie(effect);
        match session.filter(|_| effect == CookieEffect::Set) {
            Some(session) => {
                let ticket = self.history.new_ticket();
                invoked.hands_out(session, ticket);
                invoked.ends(outcome);
                self.browser.take(&cookie, session, ticket);
            }
            None => {
                invoked.ends(outcome);
                self.browser.remove(&cookie);
            }
        }
    }

    fn headers(&self) -> FakeRequest {
        let visitor = self.browser.visitor.index();
        let [_, high, mid, low] = visitor.to_be_bytes();
        let request = FakeRequest::new()
            .peer(&format!("10.{high}.{mid}.{low}"))
            .user_agent(&format!("Browser/{visitor}"));
        match &self.ticket {
            Some(ticket) => request.cookie(&ticket.header),
            None => request,
        }
    }
}

fn write(session: &Session, change: ChangeNumber) -> Result<(), SessionError> {
    session.update(COUNT, |count| count.unwrap_or(0).saturating_add(1))?;
    session.insert(CHANGE, change.index())
}

/// What the session says of itself. What cannot be read is not there.
fn look(session: &Session) -> Seen {
    let visitor: Option<String> = session.get(VISITOR).ok().flatten();
    let number = session.get(SESSION).ok().flatten();
    let change = session.get(CHANGE).ok().flatten();
    Seen {
        visitor: visitor.as_deref().and_then(visitor_of),
        owner: session.owner().as_deref().and_then(visitor_of),
        session: number.map(SessionNumber::new),
        last_change: change.map(ChangeNumber::new),
        count: session.get(COUNT).ok().flatten().unwrap_or(u32::MAX),
        generation: u32::try_from(session.generation()).unwrap_or(u32::MAX),
    }
}

fn name(visitor: Visitor) -> String {
    format!("{NAME}{:06}", visitor.index())
}

fn visitor_of(name: &str) -> Option<Visitor> {
    name.strip_prefix(NAME)?.parse().ok().map(Visitor::new)
}

fn outcome_of(error: &SessionError) -> Outcome {
    match error {
        error if error.is_transient() => Outcome::Unavailable,
        error if error.is_conflict() => Outcome::Conflict,
        _ => Outcome::Failed,
    }
}
