//! Is a sign-out final? One request writes to a session, or gives it a new ticket, while another
//! one signs out: on one node and on two, each with connections of its own.
//!
//! Half of the rounds sign out between the writer's load and its commit; there the writer must be
//! refused, and get no ticket. In the other half both end at the same moment and either may be
//! first; if the writer was first it gets its ticket, which must open nothing any more.

use std::time::{Duration, Instant};

use cloakroom::{Answer, Engine, Finished, RequestScope, SessionError, SetCookie};
use cloakroom_benches::Visitor;
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

const ROUNDS: usize = 1000;

/// What the writer does while the other request signs out.
#[derive(Clone, Copy, PartialEq)]
enum Writes {
    AField,
    ANewTicket,
}

#[derive(Default)]
struct Count {
    undone: usize,
    late_tickets: usize,
    writer_first: usize,
    logout_first: usize,
}

#[tokio::main]
async fn main() {
    let server = RedisServer::start().await.expect("redis-server is installed");
    let (one, other) = (engine(&server).await, engine(&server).await);
    for (nodes, logout_node) in [("one node", &one), ("two nodes", &other)] {
        for (ticket, writes) in
            [("same ticket", Writes::AField), ("new ticket", Writes::ANewTicket)]
        {
            let count = race(&server, &one, logout_node, writes).await;
            println!(
                "{nodes}, {ticket}: {} of {ROUNDS} sign-outs undone; {} tickets handed out after one \
                 (writer first {}, sign-out first {})",
                count.undone, count.late_tickets, count.writer_first, count.logout_first
            );
        }
    }
}

async fn race(
    server: &RedisServer,
    writer_node: &Engine,
    logout_node: &Engine,
    writes: Writes,
) -> Count {
    let mut count = Count::default();
    for round in 0..ROUNDS {
        let mut visitor = Visitor::arriving(writer_node, |session| {
            session.insert("cart", "umbrella").unwrap();
        })
        .await;
        let writer = writer_node.begin(&visitor);
        let session = writer.handle().load().await.expect("the session is there");
        session.insert("cart", round).expect("a number is JSON");
        if writes == Writes::ANewTicket {
            session.rotate().expect("random bytes");
        }
        let logout = logout_node.begin(&visitor);
        let session = logout.handle().load().await.expect("the session is there");
        session.destroy().expect("the request is open");

        let in_between = round % 2 == 0;
        let written = if in_between {
            finish(logout).await.expect("the sign-out is carried out");
            finish(writer).await
        } else {
            let (sooner, later) = if round % 4 == 1 { (writer, logout) } else { (logout, writer) };
            let sooner = tokio::spawn(finish(sooner));
            wait(Duration::from_micros(round as u64 % 11 * 20));
            let later = finish(later).await;
            let sooner = sooner.await.expect("no request panics");
            if round % 4 == 1 { sooner } else { later }
        };
        match written {
            Ok(ticket) => {
                count.writer_first += 1;
                count.late_tickets += usize::from(in_between && ticket.is_some());
                let mut writer = visitor.clone();
                ticket.iter().for_each(|ticket| writer.keep(ticket));
                let known =
                    writer.is_known(writer_node).await || writer.is_known(logout_node).await;
                count.undone += usize::from(known);
            }
            Err(SessionError::Gone) => count.logout_first += 1,
            Err(error) => panic!("unexpected: {error}"),
        }
        visitor = Visitor::with_cookie(visitor.cookie());
        count.undone +=
            usize::from(visitor.is_known(writer_node).await || records(server).await > 0);
    }
    count
}

/// Waits for less time than a timer can: something between nothing and one exchange.
fn wait(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

async fn finish(request: RequestScope) -> Result<Option<SetCookie>, SessionError> {
    request.finish(Answer::Ordinary).await.map(Finished::into_cookie)
}

async fn engine(server: &RedisServer) -> Engine {
    let storage = RedisSessionStorage::builder().url(server.url()).build().await;
    let storage = storage.expect("the server was just started");
    Engine::builder(storage).build().expect("the default policy is sound")
}

/// How many records the server holds; every round leaves none.
async fn records(server: &RedisServer) -> usize {
    let reply = server.command(&[b"DBSIZE"]).await.expect("an answer");
    let reply = String::from_utf8_lossy(&reply).into_owned();
    reply.trim().trim_start_matches(':').parse().expect("a number")
}
