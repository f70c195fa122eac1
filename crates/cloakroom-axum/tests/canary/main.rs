//! The canary: all HTTP scenarios and a few visits of its own run while everything is listened to,
//! and then no ticket and no value of a session may be found where it does not belong.
//!
//! Listened to are the log at the level TRACE of all crates, panics, the page of metrics, everything
//! that visitors and operators are answered, every command that Redis is sent (`MONITOR`), and
//! everything that lies in Redis at the end of each scenario, owners' indexes too.
//!
//! | | tickets | ids of another library's sessions, an operator's password | values | owners |
//! | --- | --- | --- | --- | --- |
//! | log, panics, metrics | never | never | never | never |
//! | answers | in `Set-Cookie` alone | never | not in errors | not in errors |
//! | the page for operators | in `Set-Cookie` alone | never | never | shown |
//! | Redis | never | never | in records | in records |
//!
//! The adapter for actix-web has a canary of its own. Every answer of `cloakroom demo`, and what `list`,
//! `show` and `stats` print, is searched by the tests of `cloakroom-cli`.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../http/node.rs"]
mod node;
#[path = "../http/routes.rs"]
mod routes;

mod answers;
mod journey;
mod log;
mod operators;
mod readings;
mod redis_side;
mod search;
mod secrets;
mod watch;

use cloakroom::{AnyStorage, Event, Observer, Policy};
use cloakroom_redis::{NearCache, RedisSessionStorage};
use cloakroom_testkit::http::{Moving, SealedCookie, Site};
use cloakroom_testkit::{AilingStorage, Mood, RedisServer};

use search::Search;
use watch::{OPERATORS, Watched, watch};

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

async fn start_with_a_limit() -> Watched {
    let redis = RedisServer::start().await.unwrap();
    let (one, other) = (node::redis_storage(&redis).await, node::redis_storage(&redis).await);
    let mut policy = Policy::default();
    policy.concurrent_sessions.limit = 2;
    let storages = [AnyStorage::new(one), AnyStorage::new(other)];
    let site = Watched::built(storages, |builder| builder.policy(policy.clone())).await;
    site.keeping(redis).await
}

async fn start_moving_in() -> (Watched, Moving) {
    let redis = RedisServer::start().await.unwrap();
    let (one, other) = (node::redis_storage(&redis).await, node::redis_storage(&redis).await);
    let moving = Moving::into_storage(one.clone());
    let storages = [AnyStorage::new(one), AnyStorage::new(other)];
    let site = Watched::built(storages, |builder| builder.old_cookie(SealedCookie)).await;
    (site.keeping(redis).await, moving)
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
    cloakroom_testkit::run_http_moving_in_scenarios!(start_moving_in, Watched::finish);
    visit_in_health_and_illness().await;
    sign_in_on_many_devices().await;
    move_in().await;

    let tickets = watch.answers.tickets();
    assert!(tickets.len() > 100, "only {} tickets were handed out", tickets.len());
    let everything = watch.everything();
    everything.assert_heard();

    let search = Search::for_tickets(&tickets);
    let found = everything.all().find_map(|(place, bytes)| search.find_in(place, bytes));
    assert_eq!(found, None, "a ticket was found");
    let search = Search::for_words(&[journey::OLD_ID, operators::PASSWORD]);
    let found = everything.all().find_map(|(place, bytes)| search.find_in(place, bytes));
    assert_eq!(found, None, "an old id or a password was found");
    let search = Search::for_words(&journey::PLANTED);
    let found = everything.without_values().find_map(|(place, bytes)| search.find_in(place, bytes));
    assert_eq!(found, None, "a value or an owner was found");
    let search = Search::for_words(&[journey::VALUE, journey::MESSAGE]);
    let found = search.find_in(OPERATORS, everything.of(OPERATORS));
    assert_eq!(found, None, "an operator was shown a value");

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
    journey::signed_in(site.nodes()).await;
    storage.writes(Mood::Down);
    journey::in_an_outage(signed_in).await;
    journey::revoked_in_an_outage(site.engine()).await;
    site.finish().await;
}

/// The same visitor at several places, whose sessions are looked at and ended one by one and all.
async fn sign_in_on_many_devices() {
    let site = start().await;
    journey::on_many_devices(site.nodes(), site.engine()).await;
    for _ in 0..3 {
        journey::signed_in(site.nodes()).await;
    }
    operators::look_and_end(site.engine()).await;
    site.finish().await;

    let site = start_with_a_limit().await;
    journey::at_the_limit(site.nodes()).await;
    site.finish().await;
}

/// A visitor who comes from another library.
async fn move_in() {
    let (site, moving) = start_moving_in().await;
    journey::moving_in(site.nodes(), moving).await;
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
    redis.ask(["SET", &format!("let slip {ticket}"), ""]).await.unwrap();
    redis.ask(["SET", &format!("let slip {}", journey::VALUE), ""]).await.unwrap();
    redis.ask(["ZADD", "let slip to an index", "1", journey::OLD_ID]).await.unwrap();
    watch.answers.let_slip(200, ticket);
    watch.answers.let_slip(500, ticket);
    watch.operators.let_slip(200, ticket);
    site.finish().await;

    let everything = watch.everything();
    let search = Search::for_tickets(&[ticket.to_owned()]);
    for (place, bytes) in everything.all() {
        assert!(search.find_in(place, bytes).is_some(), "no ticket was found in {place}");
    }
    let search = Search::for_words(&[journey::OLD_ID]);
    assert!(search.find_in("records", everything.of("records")).is_some(), "nothing in an index");

    let word = journey::VALUE;
    tracing::trace!(word, "let slip");
    log::catch_panic(|| panic!("the value is {word}"));
    watch.observer.observe(&Event::ConnectionLost { node: word, reason: "none" });
    watch.answers.let_slip(500, word);
    watch.operators.let_slip(200, word);
    let everything = watch.everything();
    let search = Search::for_words(&[word]);
    for (place, bytes) in everything.without_values() {
        assert!(search.find_in(place, bytes).is_some(), "no value was found in {place}");
    }
    assert!(search.find_in(OPERATORS, everything.of(OPERATORS)).is_some());
}
