//! The walk over a real server: thousands of sessions, interruptions, repetitions.

use std::ops::ControlFlow;
use std::time::Duration;

use cloakroom::{
    Engine, LoadOutcome, MemorySessionStorage, Operation, OwnerKey, Position, Rejection,
    SessionStorage, Timestamp,
};
use cloakroom_import::{Import, Library, LibraryCookie, OwnerField, Report, Seal, Unreadable};
use cloakroom_redis::{ForeignCursor, RedisConfig, RedisSessionStorage};
use cloakroom_testkit::{AilingStorage, FakeRequest, Mood, RedisServer};

use crate::fixtures::{case, hash};

const SESSIONS: u64 = 5_000;
const MINUTES: &str = "600";

async fn import<S: SessionStorage>(server: &RedisServer, library: Library, target: S) -> Import<S> {
    let source = RedisConfig::from_url(server.url());
    Import::connect(library, source, None, target).await.unwrap()
}

async fn run<S: SessionStorage>(import: &Import<S>) -> Report {
    import.run(ForeignCursor::start(), |_| ControlFlow::Continue(())).await.unwrap()
}

/// Sessions of express-session, every tenth with a user, and a few that nobody can read.
async fn fill(server: &RedisServer) {
    let script = "for i = 1, tonumber(ARGV[1]) do \
        local user = i % 10 == 0 and ',\"passport\":{\"user\":\"u' .. i .. '\"}' or '' \
        redis.call('SET', 'sess:id' .. i, '{\"cookie\":{},\"n\":' .. i .. user .. '}', 'EX', ARGV[2]) \
      end \
      redis.call('SET', 'sess:broken-1', 's3cret', 'EX', ARGV[2]) \
      redis.call('SET', 'sess:broken-2', '{}', 'EX', ARGV[2]) \
      redis.call('HSET', 'sess:hash', 'f', 'v') \
      redis.call('SET', 'sess:huge', string.rep('x', 1100000)) \
      redis.call('SET', 'sess:big', '{\"cookie\":{},\"b\":\"' .. string.rep('x', 70000) .. '\"}') \
      redis.call('SET', 'sess:empty', '{\"cookie\":{}}') \
      redis.call('SET', 'session:of somebody else', 'x')";
    let count = SESSIONS.to_string();
    let answer = server.ask(["EVAL", script, "0", &count, MINUTES]).await.unwrap();
    drop(answer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_are_imported_once_and_what_cannot_be_read_is_told() {
    let server = RedisServer::start().await.unwrap();
    fill(&server).await;
    let target = RedisSessionStorage::builder().url(server.url()).build().await.unwrap();
    let import = import(&server, Library::ConnectRedis, target.clone()).await;
    let import = import.owner_field(OwnerField::new("passport.user"));
    let report = run(&import).await;
    assert_eq!((report.written, report.with_owner), (SESSIONS, SESSIONS / 10), "{report:?}");
    assert_eq!((report.empty, report.present, &report.resume), (1, 0, &None));
    let counts: Vec<_> = report.unreadable.iter().map(|(why, it)| (*why, it.count)).collect();
    let expected = [
        (Unreadable::OtherType, 1),
        (Unreadable::TooLong, 1),
        (Unreadable::Malformed("a JSON object"), 1),
        (Unreadable::Malformed("an object with a field `cookie`"), 1),
        (Unreadable::TooLarge, 1),
    ];
    assert_eq!(counts, expected);
    assert_eq!(report.unreadable[&Unreadable::OtherType].examples, ["sess:hash…"]);
    let text = format!("{report:?}");
    assert!(!text.contains("s3cret") && !text.contains("broken"), "names are cut: {text}");
    assert_eq!(server.calls("keys").await.unwrap(), 0);

    let session = Library::ConnectRedis.session_id("id20");
    let before = target.load(&session.key()).await.unwrap().unwrap();
    assert_eq!((before.owner(), before.field("n")), (Some("u20"), Some(&b"20"[..])));
    let engine = Engine::builder(target.clone()).build().unwrap();
    let found = engine.sessions_of("u20").await.unwrap();
    assert_eq!(found.iter().map(|facts| facts.id().key()).collect::<Vec<_>>(), [session.key()]);
    let left = before.as_of().until(before.idle_deadline());
    assert!(left <= Duration::from_secs(600) && left > Duration::from_secs(500), "{left:?}");
    let again = run(&import).await;
    assert_eq!((again.written, again.present), (0, SESSIONS));
    assert_eq!(engine.sessions_of("u20").await.unwrap().len(), 1);
    let after = target.load(&session.key()).await.unwrap().unwrap();
    assert_eq!(after.as_bytes(), before.as_bytes(), "not a byte has changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_counts_and_writes_nothing() {
    let server = RedisServer::start().await.unwrap();
    fill(&server).await;
    let target = MemorySessionStorage::new();
    let dry = import(&server, Library::ConnectRedis, target.clone()).await.dry_run();
    let report = run(&dry).await;
    assert_eq!((report.written, report.unreadable_keys()), (SESSIONS, 5));
    assert_eq!(target.stats().await.unwrap().total_sessions, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_stopped_goes_on_where_it_was() {
    let server = RedisServer::start().await.unwrap();
    fill(&server).await;
    let target = MemorySessionStorage::new();
    let import = import(&server, Library::ConnectRedis, target.clone()).await;
    let (mut cursor, mut written, mut stops) = (Some(ForeignCursor::start()), 0, 0);
    let mut done = 0.0;
    while let Some(from) = cursor {
        let report = import.run(from, |_| ControlFlow::Break(())).await.unwrap();
        written += report.written;
        stops += 1;
        assert!(report.done > done, "{} after {done}", report.done);
        done = report.done;
        // As a command line hands it from one run to the next.
        cursor = report.resume.map(|cursor| cursor.to_string().parse().unwrap());
    }
    assert!(stops >= 4, "{stops} rounds");
    assert!((done - 1.0).abs() < 1e-9, "{done} at the end");
    assert_eq!(written, SESSIONS);
    assert_eq!(target.stats().await.unwrap().total_sessions, SESSIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_target_ends_the_import_with_a_cursor_to_go_on_from() {
    let server = RedisServer::start().await.unwrap();
    fill(&server).await;
    let target = AilingStorage::default();
    let import = import(&server, Library::ConnectRedis, target.clone()).await;
    let mut rounds = 0;
    let interrupted = import.run(ForeignCursor::start(), |_| {
        rounds += 1;
        if rounds == 2 {
            target.reads(Mood::Down);
        }
        ControlFlow::Continue(())
    });
    let interrupted = interrupted.await.unwrap_err();
    assert_eq!(interrupted.error.operation(), Operation::Load);
    let before = interrupted.report.written;
    assert!(before > 1_000 && before < SESSIONS, "{before}");
    target.recover().await;
    let from = interrupted.report.resume.unwrap();
    let rest = import.run(from, |_| ControlFlow::Continue(())).await.unwrap();
    assert_eq!(rest.written + rest.present + before, SESSIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_imported_is_opened_by_the_old_cookie_and_not_imported_again_after_a_sign_out() {
    let server = RedisServer::start().await.unwrap();
    let old = case(Library::TowerSessions, "signed");
    let seal = Seal::signed(crate::fixtures::KEY).unwrap();
    let set: [&[u8]; 5] = [b"SET", old.name.as_bytes(), &old.value, b"EX", b"600"];
    server.command(&set).await.unwrap();
    let target = RedisSessionStorage::builder().url(server.url()).build().await.unwrap();
    let import = import(&server, Library::TowerSessions, target.clone()).await;
    let import = import.owner_field(OwnerField::new("axum-login.data.user_id"));
    assert_eq!(run(&import).await.written, 1);

    let cookie = LibraryCookie::tower_sessions(seal);
    let engine = Engine::builder(target).old_cookie(cookie).build().unwrap();
    let request = FakeRequest::new().cookie(&format!("id={}", old.cookie));
    let scope = engine.begin(&request);
    let session = scope.handle().load().await.unwrap();
    assert_eq!(session.owner().as_deref(), Some("ada"));
    assert_eq!(session.get::<u64>("n").unwrap(), Some(u64::MAX));
    assert_eq!(run(&import).await.present, 1);
    session.destroy().unwrap();
    let cookie = scope.finish(cloakroom::Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    assert!(cookie.headers().any(|(_, value)| value.starts_with("id=; Path=/; Secure")));

    let report = run(&import).await;
    assert_eq!((report.ended, report.written), (1, 0), "a sign-out is final");
    let outcome = engine.begin(&request).handle().outcome().await.unwrap();
    assert_eq!(outcome, LoadOutcome::Rejected(Rejection::Unknown));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hashes_of_spring_are_imported_and_what_was_left_behind_is_told() {
    let server = RedisServer::start().await.unwrap();
    let name = b"spring:session:sessions:2f1d6f3c-9f0e-4d0a-8a29-2f63a0a2a3a1";
    let hash = hash("plain");
    let mut words = vec![&b"HSET"[..], name];
    words.extend(hash.iter().flat_map(|(name, value)| [&name[..], &value[..]]));
    server.command(&words).await.unwrap();
    // Used last in 2023; without a limit it is a session all the same.
    let minus_one = [&[0xac, 0xed, 0, 5][..], INTEGER, &(-1i32).to_be_bytes()].concat();
    server.command(&[b"HSET", name, b"maxInactiveInterval", &minus_one]).await.unwrap();
    server.ask(["SET", "spring:session:sessions:expires:2f1d6f3c", ""]).await.unwrap();
    let target = MemorySessionStorage::new();
    let import = import(&server, Library::SpringSession, target.clone()).await;
    let report = run(&import).await;
    assert_eq!((report.read, report.written), (1, 1), "{report:?}");
    let cart = ("cart".to_owned(), "shop.Cart".to_owned());
    assert_eq!(report.left_behind.get(&cart), Some(&1));
    let key = Library::SpringSession.session_id("2f1d6f3c-9f0e-4d0a-8a29-2f63a0a2a3a1").key();
    let record = target.load(&key).await.unwrap().unwrap();
    assert_eq!(record.field("matrix"), Some(&b"[[1],[2,3]]"[..]));
    assert_eq!(record.created(), Timestamp::from_millis(1_700_000_000_000), "as Spring says");
    assert_eq!(record.started(), Timestamp::UNKNOWN);
    let summer = Timestamp::from_millis(1_720_000_000_000);
    assert_eq!(target.destroy_created_before(&[key], summer).await.unwrap().removed, 1);
}

/// A `java.lang.Integer` up to its value.
const INTEGER: &[u8] = b"\x73\x72\x00\x11java.lang.Integer\x12\xe2\xa0\xa4\xf7\x81\x87\x38\x02\x00\x01\
    \x49\x00\x05value\x78\x72\x00\x10java.lang.Number\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02\x00\x00\x78\x70";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_over_is_not_imported() {
    let server = RedisServer::start().await.unwrap();
    let name = b"spring:session:sessions:2f1d6f3c-9f0e-4d0a-8a29-2f63a0a2a3a1";
    let hash = hash("user");
    let mut words = vec![&b"HSET"[..], name];
    words.extend(hash.iter().flat_map(|(name, value)| [&name[..], &value[..]]));
    server.command(&words).await.unwrap();
    let import = import(&server, Library::SpringSession, MemorySessionStorage::new()).await;
    let report = run(&import).await;
    assert_eq!((report.read, report.expired, report.written), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_of_too_many_sessions_gets_no_more_than_an_index_takes_and_can_still_sign_in() {
    let server = RedisServer::start().await.unwrap();
    let script = "for i = 1, 600 do redis.call('SET', 'sess:id' .. i, \
        '{\"cookie\":{},\"passport\":{\"user\":\"guest\"}}', 'EX', 600) end";
    server.ask(["EVAL", script, "0"]).await.unwrap();
    let target = RedisSessionStorage::builder().url(server.url()).build().await.unwrap();
    let import = import(&server, Library::ConnectRedis, target.clone()).await;
    let import = import.owner_field(OwnerField::new("passport.user"));
    let report = run(&import).await;
    assert_eq!((report.written, report.owner_full), (500, 100), "{report:?}");
    assert_eq!(target.stats().await.unwrap().total_sessions, 500);
    let index = target.owner_index(&OwnerKey::of("guest")).await.unwrap();
    assert_eq!(index.entries.len(), 500, "each of them can be found and ended");

    let engine = Engine::builder(target).build().unwrap();
    let scope = engine.begin(&FakeRequest::new());
    scope.handle().load().await.unwrap().set_owner("guest").unwrap();
    assert!(scope.finish(cloakroom::Answer::Ordinary).await.unwrap().into_cookie().is_some());
    assert_eq!(engine.sessions_of("guest").await.unwrap().len(), 100, "the policy's limit");
}

/// One session of ann and one of bob, each with the time that its old key has left, and their import.
async fn two_sessions(server: &RedisServer) -> (Import<RedisSessionStorage>, RedisSessionStorage) {
    for user in ["ann", "bob"] {
        let text = format!(r#"{{"cookie":{{}},"passport":{{"user":"{user}"}}}}"#);
        server.ask(["SET", &format!("sess:of-{user}"), &text, "EX", MINUTES]).await.unwrap();
    }
    let target = RedisSessionStorage::builder().url(server.url()).build().await.unwrap();
    let import = import(server, Library::ConnectRedis, target.clone()).await;
    (import.owner_field(OwnerField::new("passport.user")), target)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_ended_before_its_visitor_came_is_not_imported_again() {
    let server = RedisServer::start().await.unwrap();
    let (import, target) = two_sessions(&server).await;
    assert_eq!(run(&import).await.written, 2);
    let engine = Engine::builder(target.clone()).build().unwrap();
    let _ = engine.revoke_owner("ann").await.unwrap();
    let report = run(&import).await;
    assert_eq!((report.written, report.ended, report.present), (0, 1, 1), "{report:?}");
    let key = Library::ConnectRedis.session_id("of-ann").key();
    assert!(target.load(&key).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_of_everything_is_not_undone_by_an_import() {
    let server = RedisServer::start().await.unwrap();
    let (import, target) = two_sessions(&server).await;
    assert_eq!(run(&import).await.written, 2);
    let engine = Engine::builder(target.clone()).build().unwrap();
    let (mut position, mut ended, mut seen) = (Some(Position::start()), 0, 0);
    let late = Timestamp::from_millis(4_000_000_000_000);
    while let Some(at) = position {
        let page = engine.revoke_created_before(late, &at).await.unwrap();
        (ended, seen, position) = (ended + page.ended, seen + page.seen, page.next);
    }
    assert_eq!((ended, seen), (2, 2), "the notes are no sessions");
    let report = run(&import).await;
    assert_eq!((report.written, report.ended), (0, 2), "{report:?}");
    assert_eq!(target.stats().await.unwrap().total_sessions, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_lives_longer_than_the_old_key() {
    let server = RedisServer::start().await.unwrap();
    let (import, _) = two_sessions(&server).await;
    server.ask(["EXPIRE", "sess:of-ann", "8640000"]).await.unwrap();
    server.ask(["PERSIST", "sess:of-bob"]).await.unwrap();
    run(&import).await;
    for (id, days) in [("of-ann", 101), ("of-bob", 400)] {
        let note = Library::ConnectRedis.session_id(id).note_key();
        let name = format!("cloakroom:session:mark:{note}");
        let left = server.ask(["TTL", &name]).await.unwrap().number();
        assert!(left > (days - 1) * 86_400 && left <= days * 86_400, "{id}: {left}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_created_nobody_knows_when_was_created_before_any_moment() {
    let server = RedisServer::start().await.unwrap();
    let (import, target) = two_sessions(&server).await;
    assert_eq!(run(&import).await.written, 2);
    let engine = Engine::builder(target).build().unwrap();
    let facts = engine.sessions_of("ann").await.unwrap();
    assert_eq!((facts[0].created(), facts[0].signed_in(), facts[0].age()), (None, None, None));
    let long_ago = Timestamp::from_millis(1);
    let page = engine.revoke_created_before(long_ago, &Position::start()).await.unwrap();
    assert_eq!((page.ended, page.next), (2, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_in_the_target_stays_and_does_not_stop_the_import() {
    let server = RedisServer::start().await.unwrap();
    let (import, target) = two_sessions(&server).await;
    assert_eq!(run(&import).await.written, 2);
    let name = |id| {
        format!("cloakroom:session:{}", Library::ConnectRedis.session_id(id).key().public_id())
    };
    // Of a version that is still to come.
    server.ask(["SETRANGE", &name("of-ann"), "4", "\u{2}"]).await.unwrap();
    server.ask(["SET", "sess:new", r#"{"cookie":{},"n":1}"#, "EX", MINUTES]).await.unwrap();
    let key = Library::ConnectRedis.session_id("of-ann").key();
    assert!(target.load(&key).await.is_err(), "it cannot be read");
    let before = server.ask(["GET", &name("of-ann")]).await.unwrap();
    let dry =
        crate::walking::import(&server, Library::ConnectRedis, target.clone()).await.dry_run();
    for (import, written) in [(&dry, 1), (&import, 1), (&import, 0)] {
        let report = run(import).await;
        assert_eq!((report.read, report.written, report.present), (3, written, 2 - written));
        assert_eq!(report.unreadable[&Unreadable::InTarget].examples, ["sess:of-a…"]);
    }
    assert_eq!(server.ask(["GET", &name("of-ann")]).await.unwrap(), before);
}
