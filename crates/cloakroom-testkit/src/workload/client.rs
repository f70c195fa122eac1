//! One client: it takes turns, picks a visitor and a node, and sends one request after the other.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{Engine, Operation, SessionStorage};

use super::Workload;
use super::browser::Browser;
use super::dice::Dice;
use super::mix::Deed;
use super::pace::Pace;
use super::request::Request;
use crate::history::{Action, Client, History, Invoked, Node};

/// What all clients of a run share.
pub(super) struct Run {
    pub(super) workload: Workload,
    pub(super) nodes: Vec<Engine>,
    pub(super) browsers: Vec<Browser>,
    pub(super) pace: Pace,
    pub(super) history: History,
}

/// Works until there are no more turns.
pub(super) async fn work(run: Arc<Run>, client: Client) {
    let mut dice = Dice::new(run.workload.seed ^ (u64::from(client.index()) << 32));
    while run.pace.turn().await {
        let browser = &run.browsers[dice.below(run.browsers.len())];
        let at = dice.below(run.nodes.len());
        let node = Node::new(u16::try_from(at).unwrap_or(u16::MAX));
        let (action, ticket) = match run.workload.mix.draw(&mut dice) {
            Deed::Visit(action) => match browser.ticket() {
                Some(ticket) => (action, Some(ticket)),
                None => (Action::SignIn, None),
            },
            Deed::Replay => match browser.retired(&mut dice) {
                Some(ticket) => (Action::Read, Some(ticket)),
                None => continue,
            },
        };
        let engine = &run.nodes[at];
        let mut invoked = run.history.begin(client, node, browser.visitor, action);
        if let Some(deadline) = run.workload.deadline(engine, action) {
            invoked.within(deadline);
        }
        let request = Request { engine, history: &run.history, browser, action, ticket };
        send(&run.workload, request, invoked, &mut dice).await;
    }
}

/// Sends the request, and loses patience with some of them at a random moment.
async fn send(workload: &Workload, request: Request<'_>, invoked: Invoked, dice: &mut Dice) {
    if dice.share() >= workload.given_up {
        return request.send(invoked).await;
    }
    let patience = workload.patience.mul_f64(dice.share());
    // Whether it was answered in time stands in the history.
    let _ = tokio::time::timeout(patience, request.send(invoked)).await;
}

impl Workload {
    /// How long an action may take on that node: what it asks of the storage, and the commit.
    fn deadline(&self, engine: &Engine, action: Action) -> Option<Duration> {
        let timeout = |operation| engine.storage().timeout(operation);
        let (load, destroy) = (timeout(Operation::Load), timeout(Operation::Destroy));
        let commit = engine.policy().commit_timeout;
        match action {
            Action::Read | Action::Peek => self.read_deadline.or(load),
            Action::SignOut => self.write_deadline.or_else(|| Some(load? + destroy?)),
            _ => self.write_deadline.or_else(|| Some(load? + commit)),
        }
    }
}
