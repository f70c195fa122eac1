//! Answers that belong to another question: nobody is shown another session or told that a valid
//! ticket is not one, and the connections are replaced. A copied key replaces none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::{
    Answer, Engine, Event, Operation, SessionError, SessionKey, SessionStorage, SetCookie,
    StorageErrorKind, Touched,
};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::fault_proxy::{FaultRule, On, Times};
use cloakroom_testkit::{FakeRequest, FaultProxy};

use super::support::{holding, key_of, never_open, start, text};

/// Long enough for a busy machine to answer within it.
const LIMIT: Duration = Duration::from_millis(500);

/// The ways in which a proxy mixes replies up.
type Mix = fn(&FaultProxy, On, Times) -> FaultRule;
const MIXES: [(&str, Mix); 3] = [
    ("swapped", FaultProxy::swap_replies),
    ("duplicated", FaultProxy::duplicate_replies),
    ("dropped", FaultProxy::drop_replies),
];

async fn through(proxy: &FaultProxy, pool_size: usize) -> RedisSessionStorage {
    let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(pool_size);
    let builder = builder.connection_timeout(Duration::from_secs(20)).command_timeout(LIMIT);
    builder.load_timeout(LIMIT).breaker(never_open()).build().await.unwrap()
}

/// Counts the connections that were given up because their answers were out of step.
fn counting_losses(storage: &RedisSessionStorage) -> Arc<AtomicUsize> {
    let losses = Arc::new(AtomicUsize::new(0));
    let counted = losses.clone();
    storage.observe_with(Arc::new(move |event: &Event<'_>| {
        if let Event::ConnectionLost { reason, .. } = event
            && reason.contains("out of step")
        {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    }));
    losses
}

/// Three sessions, each holding its own name.
async fn three_sessions(storage: &RedisSessionStorage) {
    for name in ["ann", "bob", "cat"] {
        storage.set(name, &holding("a", name), None).await.unwrap();
    }
}

#[tokio::test]
async fn a_mixed_up_reply_is_noticed_and_costs_the_connection_once() {
    for (way, mix) in MIXES {
        let server = start().await;
        let proxy = FaultProxy::before(&server).await.unwrap();
        let storage = through(&proxy, 1).await;
        let losses = counting_losses(&storage);
        three_sessions(&storage).await;
        let before = proxy.accepted();
        let rule = mix(&proxy, On::commands(["GET"]), Times::Once);
        // On one connection and at the same time: each stands where another one's reply comes.
        let (ann, bob, cat) =
            tokio::join!(text(&storage, "ann"), text(&storage, "bob"), text(&storage, "cat"));
        assert_eq!(rule.struck(), 1, "{way}");
        assert_eq!(ann.unwrap().as_deref(), Some("ann"), "{way}");
        assert_eq!(bob.unwrap().as_deref(), Some("bob"), "{way}");
        match cat {
            Ok(cat) => assert_eq!(cat.as_deref(), Some("cat"), "{way}"),
            // Where a reply was lost, nothing comes any more for who asked last.
            Err(error) => {
                assert_eq!(way, "dropped");
                assert!(matches!(error.kind(), StorageErrorKind::Timeout { .. }), "{error}");
            }
        }
        for name in ["ann", "bob", "cat"] {
            assert_eq!(text(&storage, name).await.unwrap().as_deref(), Some(name), "{way}");
        }
        // Of those who have noticed it, one has replaced the connection.
        assert_eq!(losses.load(Ordering::SeqCst), 1, "{way}");
        assert!(proxy.accepted() > before, "{way}");
    }
}

#[tokio::test]
async fn a_load_and_a_touch_that_get_each_others_replies_both_notice() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = through(&proxy, 1).await;
    three_sessions(&storage).await;
    let [ann, bob] = ["ann", "bob"].map(SessionKey::from_name);
    // The server knows the script from here on.
    let _: Touched = storage.touch(&ann).await.unwrap();
    let losses = counting_losses(&storage);
    let rule = proxy.swap_replies(On::commands(["EVALSHA"]), Times::Once);
    let (touched, read) = tokio::join!(storage.touch(&ann), text(&storage, "bob"));
    assert_eq!(rule.struck(), 1);
    assert_eq!(touched.unwrap_err().operation(), Operation::Touch);
    assert_eq!(read.unwrap().as_deref(), Some("bob"));
    assert!(losses.load(Ordering::SeqCst) >= 1);

    let rule = proxy.swap_replies(On::commands(["EVALSHA"]), Times::Once);
    let (one, other) = tokio::join!(storage.touch(&ann), storage.touch(&bob));
    assert_eq!(rule.struck(), 1);
    one.unwrap_err();
    other.unwrap_err();
}

/// A request of a visitor under the storage's troubles. It sees its own session or an error.
async fn visit(engine: &Engine, cookie: &SetCookie, name: &str) -> Result<(), SessionError> {
    let scope = engine.begin(&FakeRequest::with(cookie));
    let seen = scope.handle().load_existing().await;
    let seen = match seen {
        Ok(Some(session)) => Ok(session.get::<String>("a").unwrap()),
        Ok(None) => panic!("{name}'s ticket is valid, and was rejected"),
        Err(error) => Err(error),
    };
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert!(finished.into_cookie().is_none(), "the cookie of {name} is touched");
    assert_eq!(seen?.as_deref(), Some(name), "somebody else's session");
    Ok(())
}

#[tokio::test]
async fn under_replies_mixed_up_for_long_nobody_sees_another_session_or_loses_the_own_one() {
    const VISITORS: usize = 8;
    for (way, mix) in MIXES {
        let server = start().await;
        let proxy = FaultProxy::before(&server).await.unwrap();
        let storage = through(&proxy, 1).await;
        let engine = Engine::builder(storage.clone()).build().unwrap();
        // After the engine's own observer.
        let losses = counting_losses(&storage);
        let mut visitors = Vec::new();
        for number in 0..VISITORS {
            let name = format!("visitor {number}");
            let scope = engine.begin(&FakeRequest::new());
            scope.handle().load().await.unwrap().insert("a", &name).unwrap();
            let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
            visitors.push((name, cookie));
        }
        let rule = mix(&proxy, On::commands(["GET"]), Times::EveryNth(7));
        let (errors, served) = (Arc::new(Mutex::new(Vec::new())), AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for (name, cookie) in visitors.clone() {
            let (engine, errors) = (engine.clone(), errors.clone());
            tasks.spawn(async move {
                let mut served = 0;
                for _ in 0..40 {
                    match visit(&engine, &cookie, &name).await {
                        Ok(()) => served += 1,
                        Err(error) => errors.lock().unwrap().push(error),
                    }
                }
                served
            });
        }
        while let Some(task) = tasks.join_next().await {
            served.fetch_add(task.unwrap(), Ordering::SeqCst);
        }
        for error in errors.lock().unwrap().iter() {
            let SessionError::Storage(error) = error else { panic!("{way}: {error}") };
            assert_ne!(*error.kind(), StorageErrorKind::Corrupt, "{way}: {error}");
        }
        assert!(rule.struck() > 5 && losses.load(Ordering::SeqCst) > 0, "{way}");
        assert!(served.load(Ordering::SeqCst) > 10 * VISITORS, "{way}: too few are served");
        drop(rule);
        proxy.clear().unwrap();
        // A reply that was lost or held back before may still concern the very next one.
        for (name, cookie) in &visitors {
            let _ = visit(&engine, cookie, name).await;
        }
        for (name, cookie) in &visitors {
            visit(&engine, cookie, name).await.unwrap();
        }
    }
}

#[tokio::test]
async fn copied_keys_are_errors_and_cost_no_connection() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = through(&proxy, 2).await;
    let losses = counting_losses(&storage);
    three_sessions(&storage).await;
    let record = server.ask([b"GET".as_slice(), &key_of("ann")]).await.unwrap().bytes().unwrap();
    let before = proxy.accepted();
    let copies: Vec<_> = (0..20).map(|number| format!("copy {number}")).collect();
    for copy in &copies {
        server.ask([b"SET".as_slice(), &key_of(copy), &record]).await.unwrap();
    }
    for _ in 0..20 {
        for copy in &copies {
            let error = storage.get(copy, None).await.unwrap_err();
            assert_eq!(*error.kind(), StorageErrorKind::Corrupt, "{error}");
            assert!(!error.is_transient());
        }
        assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("ann"));
    }
    assert_eq!((losses.load(Ordering::SeqCst), proxy.accepted()), (0, before));
    for copy in &copies {
        let bytes = server.ask([b"GET".as_slice(), &key_of(copy)]).await.unwrap().bytes();
        assert_eq!(bytes.as_ref(), Some(&record));
    }
}

#[tokio::test]
async fn another_owners_index_is_noticed_and_nobody_is_taken_for_signed_out() {
    for (way, mix) in MIXES {
        let server = start().await;
        let proxy = FaultProxy::before(&server).await.unwrap();
        let storage = through(&proxy, 1).await;
        let engine = Engine::builder(storage.clone()).build().unwrap();
        for name in ["ann", "bob", "cat"] {
            let scope = engine.begin(&FakeRequest::new());
            scope.handle().load().await.unwrap().set_owner(name).unwrap();
            let _ = scope.finish(Answer::Ordinary).await.unwrap();
        }
        let losses = counting_losses(&storage);
        let rule = mix(&proxy, On::commands(["ZRANGE"]), Times::Once);
        let (ann, bob, cat) = tokio::join!(
            engine.revoke_owner("ann"),
            engine.sessions_of("bob"),
            engine.sessions_of("cat"),
        );
        assert_eq!(rule.struck(), 1, "{way}");
        assert!(losses.load(Ordering::SeqCst) > 0, "{way}");
        for (name, found) in [("bob", bob), ("cat", cat)] {
            let Ok(found) = found else { continue };
            let owners: Vec<_> = found.iter().map(|facts| facts.owner().unwrap()).collect();
            assert_eq!(owners, [name], "{way}");
        }
        let ended = match ann {
            Ok(revoked) => revoked.ended,
            // Whoever is told so asks again.
            Err(_) => engine.revoke_owner("ann").await.unwrap().ended,
        };
        assert_eq!(ended, 1, "{way}");
    }
}
