//! How right: what happens where two requests of one visitor meet, on one node and on two. The nodes
//! are two processes of one application on one server.

use std::time::{Duration, Instant};

use cloakroom_compare::{Failure, KEY_COUNT, USER};
use cloakroom_testkit::{Persistence, RedisServer, Reply};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::sleep;

use crate::client::Outcome;
use crate::contestant::Contestant;
use crate::node::Node;
use crate::options::Options;
use crate::outage::{self, Outage, RECOVERY_LIMIT};
use crate::report::Report;
use crate::visitor::Visitor;

/// How often what involves one visitor is tried.
pub const TRIES: usize = 10;
/// A handler's work between reading and writing, in milliseconds: long enough that all requests of a
/// test have read before the first of them writes, on a busy machine as well.
const WORK: u64 = 400;
const IN_THE_MIDDLE: Duration = Duration::from_millis(WORK / 2);
/// After this whatever one node tells the others has arrived.
const LATER: Duration = Duration::from_secs(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What one application kept, refused and let through.
#[derive(Clone, Debug, Serialize)]
pub struct Correctness {
    pub one_node: Meeting,
    pub two_nodes: Meeting,
    /// Of [`TRIES`]: a ticket that was signed out on one node is good on another one at once.
    pub accepted_at_once: usize,
    /// The same, a second later.
    pub accepted_later: usize,
    pub frozen: Outage,
    pub down: Outage,
}

/// What happened where requests of one visitor met.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Meeting {
    /// Of 50 parallel writes of different fields.
    pub kept: u64,
    /// Writes of which the visitor was told that they failed.
    pub refused: usize,
    /// Of [`TRIES`]: sign-outs after which some ticket of the visitor still names the user.
    pub undone: usize,
    /// Of [`TRIES`]: sign-outs after which the session is there again, without its user.
    pub came_back: usize,
}

/// Fills the report's rows.
pub async fn check(options: &Options, report: &mut Report) -> Result<(), Failure> {
    // What was acknowledged has to be there after a restart, or a sign-in would look like a failure.
    let server = RedisServer::builder().persistence(Persistence::EveryWrite).start().await?;
    report.note_server(&server).await?;
    for &contestant in options.contestants.iter().filter(|contestant| contestant.has_sessions()) {
        eprintln!("Correctness of {}", contestant.name);
        let nodes = start(&server, contestant).await;
        let library = report.library(contestant);
        match nodes {
            Err(problem) => library.absent = Some(problem.to_string()),
            Ok((a, b)) => match examine(&server, a, b).await {
                Ok(correctness) => library.correctness = Some(correctness),
                Err(problem) => library.trouble(problem.to_string()),
            },
        }
        // Whatever befell this one, the next one finds a server that is well.
        server.restart_empty().await?;
    }
    Ok(())
}

/// An error where the server lacks what the application needs.
pub async fn must_know(server: &RedisServer, contestant: Contestant) -> Result<(), Failure> {
    let Some(need) = contestant.needs else { return Ok(()) };
    let known = server.ask(["COMMAND", "INFO", need.command]).await?.many();
    match known.first() {
        None | Some(Reply::Nil) => Err(format!("needs {}", need.server).into()),
        Some(_) => Ok(()),
    }
}

async fn start(server: &RedisServer, contestant: Contestant) -> Result<(Node, Node), Failure> {
    must_know(server, contestant).await?;
    let a = Node::start(contestant, &server.url()).await?;
    Ok((a, Node::start(contestant, &server.url()).await?))
}

async fn examine(server: &RedisServer, a: Node, b: Node) -> Result<Correctness, Failure> {
    let one_node = meet(&a, &a).await?;
    let two_nodes = meet(&a, &b).await?;
    let (accepted_at_once, accepted_later) = accepted(&a, &b).await?;
    let visitors = Visitor::crowd(&a, 2 * TRIES).await?;
    let frozen = outage::frozen(server, &a, &visitors).await?;
    // A node that has not come to grief yet.
    drop(a);
    wait_until_well(&b).await?;
    let visitors = Visitor::crowd(&b, 2 * TRIES).await?;
    let down = outage::down(server, &b, &visitors).await?;
    Ok(Correctness { one_node, two_nodes, accepted_at_once, accepted_later, frozen, down })
}

/// A node that has noticed the frozen server may need a moment to notice that it is well again.
async fn wait_until_well(node: &Node) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        match Visitor::signed_in(node).await {
            Err(_) if start.elapsed() < RECOVERY_LIMIT => sleep(BETWEEN_LOOKS).await,
            outcome => return outcome.map(drop),
        }
    }
}

async fn meet(a: &Node, b: &Node) -> Result<Meeting, Failure> {
    let (kept, refused) = parallel_writes(a, b).await?;
    let tries = join_all((0..TRIES).map(|_| sign_out_while_writing(a, b))).await;
    let (mut undone, mut came_back) = (0, 0);
    for after in tries {
        match after? {
            After::Gone => {}
            After::CameBack => came_back += 1,
            After::Undone => undone += 1,
        }
    }
    Ok(Meeting { kept, refused, undone, came_back })
}

/// How many of the parallel writes are there afterwards, on the node that sees the fewest.
async fn parallel_writes(a: &Node, b: &Node) -> Result<(u64, usize), Failure> {
    let visitor = Visitor::signed_in(a).await?;
    let visitor = &visitor;
    let writes = (0..KEY_COUNT).map(|number| async move {
        let node = if number % 2 == 0 { a } else { b };
        visitor.peek(node, &format!("/set?k=k{number}&ms={WORK}")).await
    });
    let outcomes = join_all(writes).await;
    let refused = outcomes.iter().filter(|outcome| outcome.body().is_none()).count();
    sleep(LATER).await;
    let seen = [visitor.peek(a, "/keys").await, visitor.peek(b, "/keys").await];
    let kept = seen.iter().map(|outcome| outcome.number().unwrap_or(0)).min();
    Ok((kept.unwrap_or(0), refused))
}

enum After {
    Gone,
    CameBack,
    Undone,
}

/// A write begins on one node, the visitor signs out on the other, the write ends.
async fn sign_out_while_writing(a: &Node, b: &Node) -> Result<After, Failure> {
    let before = Visitor::signed_in(a).await?;
    let write = format!("/set?k=k0&ms={WORK}");
    let write = before.peek(a, &write);
    let sign_out = async {
        sleep(IN_THE_MIDDLE).await;
        before.peek(b, "/logout").await
    };
    let (written, signed_out) = tokio::join!(write, sign_out);
    if !signed_out.is_success() {
        return Err(format!("{}: /logout answers {}", a.name(), signed_out.label()).into());
    }
    sleep(LATER).await;
    // The ticket from before, and the one that the late answer may have handed out.
    let mut late = before.clone();
    late.keep(&written);
    let mut after = After::Gone;
    for (visitor, node) in [(&before, a), (&before, b), (&late, a), (&late, b)] {
        if is_user(&visitor.peek(node, "/who").await) {
            return Ok(After::Undone);
        }
        if visitor.peek(node, "/keys").await.number() > Some(0) {
            after = After::CameBack;
        }
    }
    Ok(after)
}

/// How often a ticket is good on another node after it was signed out: at once, and later.
async fn accepted(a: &Node, b: &Node) -> Result<(usize, usize), Failure> {
    let tries = (0..TRIES).map(|_| async {
        let visitor = Visitor::signed_in(a).await?;
        // Whatever the other node may keep of the session, it keeps it now.
        for _ in 0..3 {
            if !is_user(&visitor.peek(b, "/who").await) {
                return Err(format!("{}: a ticket is good on one node only", a.name()).into());
            }
        }
        visitor.peek(a, "/logout").await;
        let at_once = is_user(&visitor.peek(b, "/who").await);
        sleep(LATER).await;
        Ok::<_, Failure>((at_once, is_user(&visitor.peek(b, "/who").await)))
    });
    let (mut at_once, mut later) = (0, 0);
    for outcome in join_all(tries).await {
        let (now, then) = outcome?;
        at_once += usize::from(now);
        later += usize::from(then);
    }
    Ok((at_once, later))
}

fn is_user(outcome: &Outcome) -> bool {
    outcome.number() == Some(USER)
}
