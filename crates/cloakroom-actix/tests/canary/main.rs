//! The canary of this adapter: all HTTP scenarios and a few visits run at the level TRACE, and then no
//! ticket may be found in the log, in what panics say or in any answer but in its `Set-Cookie`, and no
//! value and no owner in the log or in what panics say.
//!
//! The canary of the axum adapter looks at more: metrics, the page for operators, what Redis is told
//! and holds. Those are the same whatever adapter there is.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "the scenarios' tests need more of it")]
#[path = "../http/app.rs"]
mod app;
#[allow(dead_code, reason = "the other adapter's canary needs more of it")]
#[path = "../../../cloakroom-axum/tests/canary/journey.rs"]
mod journey;
#[path = "../../../cloakroom-axum/tests/canary/log.rs"]
mod log;
#[path = "../../../cloakroom-axum/tests/canary/readings.rs"]
mod readings;
mod relay;
#[path = "../http/routes.rs"]
mod routes;
#[path = "../../../cloakroom-axum/tests/canary/search.rs"]
mod search;
#[path = "../../../cloakroom-axum/tests/canary/secrets.rs"]
mod secrets;

use std::net::SocketAddr;
use std::sync::OnceLock;

use cloakroom::{AnyStorage, Engine, EngineBuilder, TracingObserver};
use cloakroom_testkit::http::{Moving, SealedCookie, Site};
use cloakroom_testkit::{AilingStorage, Mood, RedisServer};

use app::{HalfClosed, Node, redis_storage, serve};
use log::Log;
use relay::{Answers, Relay};
use search::Search;

/// Two nodes that are listened to.
struct Watched {
    relays: [Relay; 2],
    engines: [Engine; 2],
    _nodes: [Node; 2],
    _redis: Option<RedisServer>,
}

impl Watched {
    async fn built(
        storages: [AnyStorage; 2],
        choose: impl Fn(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        let engines = storages.map(|storage| {
            choose(Engine::builder(storage).observer(TracingObserver)).build().unwrap()
        });
        let node = |engine| serve(engine, routes::routes(engine), HalfClosed::Served);
        let nodes = engines.each_ref().map(node);
        let [one, other] = nodes.each_ref().map(|node| node.address);
        let relays = [Relay::before(one, answers()).await, Relay::before(other, answers()).await];
        Self { relays, engines, _nodes: nodes, _redis: None }
    }

    async fn finish(self) {
        for engine in &self.engines {
            tracing::debug!(?engine, health = ?engine.health(), "the end");
        }
    }
}

impl Site for Watched {
    fn nodes(&self) -> [SocketAddr; 2] {
        self.relays.each_ref().map(|relay| relay.address)
    }
}

fn answers() -> &'static Answers {
    static ANSWERS: OnceLock<Answers> = OnceLock::new();
    ANSWERS.get_or_init(Answers::default)
}

async fn storages(redis: &RedisServer) -> [AnyStorage; 2] {
    [AnyStorage::new(redis_storage(redis).await), AnyStorage::new(redis_storage(redis).await)]
}

async fn start() -> Watched {
    let redis = RedisServer::start().await.unwrap();
    let site = start_on(&redis).await;
    Watched { _redis: Some(redis), ..site }
}

async fn start_on(redis: &RedisServer) -> Watched {
    Watched::built(storages(redis).await, |builder| builder).await
}

async fn start_ailing(storage: AilingStorage) -> Watched {
    let storages = [AnyStorage::new(storage.clone()), AnyStorage::new(storage)];
    Watched::built(storages, |builder| builder).await
}

async fn start_moving_in() -> (Watched, Moving) {
    let redis = RedisServer::start().await.unwrap();
    let storages = storages(&redis).await;
    let moving = Moving::into_storage(storages[0].clone());
    let site = Watched::built(storages, |builder| builder.old_cookie(SealedCookie)).await;
    (Watched { _redis: Some(redis), ..site }, moving)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_ticket_and_no_value_is_found_where_it_does_not_belong() {
    let log = Log::listen();
    cloakroom_testkit::run_http_scenarios!(start, Watched::finish);
    cloakroom_testkit::run_http_outage_scenarios!(start_on, Watched::finish);
    cloakroom_testkit::run_http_illness_scenarios!(start_ailing, Watched::finish);
    cloakroom_testkit::run_http_moving_in_scenarios!(start_moving_in, Watched::finish);
    visit().await;

    let (tickets, answered) = answers().read();
    assert!(tickets.len() > 100, "only {} tickets were handed out", tickets.len());
    let (lines, panics) = (log.lines.so_far(), log.panics.so_far());
    for (place, bytes, word) in [
        ("log", &lines, "event=Created"),
        ("log", &lines, "actix"),
        ("panics", &panics, "meant to panic"),
        ("answers", &answered, "content-type"),
    ] {
        assert!(String::from_utf8_lossy(bytes).contains(word), "{place} does not hold {word:?}");
    }
    let search = Search::for_tickets(&tickets);
    let old_ids = Search::for_words(&[journey::OLD_ID]);
    for (place, bytes) in [("log", &lines), ("panics", &panics), ("answers", &answered)] {
        assert_eq!(search.find_in(place, bytes), None, "a ticket was found");
        assert_eq!(old_ids.find_in(place, bytes), None, "an old id was found");
    }
    let search = Search::for_words(&journey::PLANTED);
    for (place, bytes) in [("log", &lines), ("panics", &panics)] {
        assert_eq!(search.find_in(place, bytes), None, "a value or an owner was found");
    }

    everything_is_found_that_is_planted(&log, &tickets[tickets.len() / 2]);
}

/// The visits of somebody whose values are known.
async fn visit() {
    let storage = AilingStorage::default();
    let site = start_ailing(storage.clone()).await;
    let signed_in = journey::signed_in(site.nodes()).await;
    storage.writes(Mood::Down);
    journey::in_an_outage(signed_in).await;
    site.finish().await;

    let (site, moving) = start_moving_in().await;
    journey::moving_in(site.nodes(), moving).await;
    site.finish().await;
}

/// Had it been there before, it would have been found.
fn everything_is_found_that_is_planted(log: &Log, ticket: &str) {
    let word = journey::VALUE;
    tracing::trace!(ticket, word, "let slip");
    log::catch_panic(|| panic!("the ticket is {ticket} and the value {word}"));
    answers().let_slip(ticket);
    let search = Search::for_tickets(&[ticket.to_owned()]);
    let values = Search::for_words(&[word]);
    for (place, bytes) in [("log", log.lines.so_far()), ("panics", log.panics.so_far())] {
        assert!(search.find_in(place, &bytes).is_some(), "no ticket was found in {place}");
        assert!(values.find_in(place, &bytes).is_some(), "no value was found in {place}");
    }
    assert!(search.find_in("answers", &answers().read().1).is_some());
}
