//! The canary: all HTTP scenarios and a few visits of its own run while everything is listened to,
//! and then no ticket and no value of a session may be found where it does not belong.
//!
//! Listened to are the log at the level TRACE of all crates, panics, the page of metrics, everything
//! that visitors are answered, every command that Redis is sent (`MONITOR`), and everything that lies in
//! Redis at the end of each scenario.
//!
//! | | tickets | values and owners |
//! | --- | --- | --- |
//! | log, panics, metrics | never | never |
//! | answers | in `Set-Cookie` alone | not in errors |
//! | Redis | never | in records, not in names of keys |

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../http/node.rs"]
mod node;
#[path = "../http/routes.rs"]
mod routes;

mod answers;
mod journey;
mod log;
mod readings;
mod redis_side;
mod search;
mod secrets;
mod watch;

use cloakroom::{AnyStorage, Event, Observer};
use cloakroom_redis::{NearCache, RedisSessionStorage};
use cloakroom_testkit::http::Site;
use cloakroom_testkit::{AilingStorage, Mood, RedisServer};

use search::Search;
use watch::{Watched, watch};

async fn start() -> Watched {
    let redis = RedisServer::start().await.unwrap();
    let (one, other) = (node::redis_storage(&redis).await, node::redis_storage(&redis).await);
    Watched::start([AnyStorage::new(one), AnyStorage::new(other)]).await.keeping(redis).await
}

async fn start_with_near_caches() -> Watched {
    let redis = RedisServer::start().await.unwrap();
    let storage =
        || RedisSessionStorage::builder().url(redis.url()).near_cache(NearCache::default());
    let (one, other) = (storage().build().await.unwrap(), storage().build().await.unwrap());
    Watched::start([AnyStorage::new(one), AnyStorage::new(other)]).await.keeping(redis).await
}

async fn start_on(redis: &RedisServer) -> Watched {
    let (one, other) = (node::redis_storage(redis).await, node::redis_storage(redis).await);
    Watched::start([AnyStorage::new(one), AnyStorage::new(other)]).await.listening_to(redis).await
}

async fn start_ailing(storage: AilingStorage) -> Watched {
    Watched::start([AnyStorage::new(storage.clone()), AnyStorage::new(storage)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_ticket_and_no_value_is_found_where_it_does_not_belong() {
    let watch = watch();
    cloakroom_testkit::run_http_scenarios!(start, Watched::finish);
    cloakroom_testkit::run_http_outage_scenarios!(start_on, Watched::finish);
    cloakroom_testkit::run_http_illness_scenarios!(start_ailing, Watched::finish);
    visit_in_health_and_illness().await;

    let tickets = watch.answers.tickets();
    assert!(tickets.len() > 100, "only {} tickets were handed out", tickets.len());
    let everything = watch.everything();
    everything.assert_heard();

    let search = Search::for_tickets(&tickets);
    let found = everything.all().find_map(|(place, bytes)| search.find_in(place, bytes));
    assert_eq!(found, None, "a ticket was found");
    let search = Search::for_words(&journey::PLANTED);
    let found = everything.without_values().find_map(|(place, bytes)| search.find_in(place, bytes));
    assert_eq!(found, None, "a value or an owner was found");

    everything_is_found_that_is_planted(&tickets[tickets.len() / 2]).await;
}

/// The journeys of a visitor whose values are known.
async fn visit_in_health_and_illness() {
    for site in [start().await, start_with_near_caches().await] {
        journey::in_health(site.nodes()).await;
        site.finish().await;
    }

    let redis = RedisServer::start().await.unwrap();
    let site = start_on(&redis).await;
    let signed_in = journey::signed_in(site.nodes()).await;
    redis.freeze();
    journey::in_an_outage(signed_in.clone()).await;
    redis.thaw();
    redis.kill_now();
    journey::in_an_outage(signed_in).await;
    site.finish().await;

    let storage = AilingStorage::default();
    let site = start_ailing(storage.clone()).await;
    let signed_in = journey::signed_in(site.nodes()).await;
    storage.writes(Mood::Down);
    journey::in_an_outage(signed_in).await;
    site.finish().await;
}

/// The same search over the same places after a ticket was let slip into each of them: had it been
/// there before, it would have been found.
async fn everything_is_found_that_is_planted(ticket: &str) {
    let watch = watch();
    let site = start().await;
    let redis = site.redis();
    tracing::trace!(ticket, "let slip");
    log::catch_panic(|| panic!("the ticket is {ticket}"));
    watch.observer.observe(&Event::ConnectionLost { node: ticket, reason: "none" });
    redis.ask(["ECHO", ticket]).await.unwrap();
    redis.ask(["SET", "let slip", ticket]).await.unwrap();
    watch.answers.let_slip(200, ticket);
    site.finish().await;

    let everything = watch.everything();
    let search = Search::for_tickets(&[ticket.to_owned()]);
    for place in everything.places() {
        let mut contents = everything.all().filter(|(found, _)| *found == place);
        let found = contents.find_map(|(place, bytes)| search.find_in(place, bytes));
        assert!(found.is_some(), "nothing was found in {place}");
    }

    let word = journey::PLANTED[0];
    tracing::trace!(word, "let slip");
    watch.observer.observe(&Event::ConnectionLost { node: word, reason: "none" });
    watch.answers.let_slip(500, word);
    let everything = watch.everything();
    let search = Search::for_words(&[word]);
    for place in ["log", "metrics", "errors"] {
        let mut contents = everything.without_values().filter(|(found, _)| *found == place);
        let found = contents.find_map(|(place, bytes)| search.find_in(place, bytes));
        assert!(found.is_some(), "nothing was found in {place}");
    }
}
