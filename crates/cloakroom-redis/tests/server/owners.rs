//! The indexes of owners on a real server: what others put there, what a full server does, and how they
//! end by themselves.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloakroom::{
    Answer, Engine, Found, OwnerKey, Policy, SessionError, SessionKey, SessionStorage,
    StorageErrorKind,
};
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::fault_proxy::{Answer as ProxyAnswer, Direction, Latency, On, Scope, Times};
use cloakroom_testkit::{FakeRequest, FaultProxy, RedisServer, Reply, ticket_in};

use super::support::{connect, dump, holding, key_of, start};

const OWNER: &str = "ann";

fn index_name() -> Vec<u8> {
    format!("{DEFAULT_PREFIX}owner:{}", OwnerKey::of(OWNER)).into_bytes()
}

async fn engine(server: &RedisServer) -> Engine {
    Engine::builder(connect(server).await).build().unwrap()
}

async fn sign_in(engine: &Engine) -> Result<SessionKey, SessionError> {
    let scope = engine.begin(&FakeRequest::new());
    scope.handle().load().await?.set_owner(OWNER)?;
    let cookie = scope.finish(Answer::Ordinary).await?.into_cookie().unwrap();
    Ok(cloakroom::Token::parse(ticket_in(&cookie).as_bytes()).unwrap().key())
}

async fn number(server: &RedisServer, command: &str) -> i64 {
    server.ask([command.as_bytes(), &index_name()]).await.unwrap().number()
}

#[tokio::test]
async fn an_index_ends_a_minute_after_its_last_session() {
    let server = start().await;
    let engine = engine(&server).await;
    let session = sign_in(&engine).await.unwrap();
    let deadline = engine.session(session.public_id()).await.unwrap().session().unwrap();
    let deadline = deadline.absolute_deadline().as_millis();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let left = i64::try_from(u128::from(deadline) - now).unwrap() + 60_000;
    let life = number(&server, "PTTL").await;
    // An entry may outlive its session by the time that its sign-in might have taken.
    assert!((left - 5_000..=left + 20_000).contains(&life), "{life} instead of {left}");
    let _ = engine.revoke(session.public_id()).await.unwrap();
    assert!(engine.drain(Duration::from_secs(5)).await);
    assert_eq!(number(&server, "EXISTS").await, 0);
}

/// A node that was told a time from before the server's clock was set back.
#[tokio::test]
async fn a_reader_whose_clock_is_ahead_takes_no_living_session_out_of_its_index() {
    let server = start().await;
    let engine = engine(&server).await;
    sign_in(&engine).await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let day = Duration::from_secs(24 * 60 * 60);
    let ahead = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + day;
    let told = ProxyAnswer::list([
        ProxyAnswer::value(ahead.as_secs().to_string()),
        ProxyAnswer::value("0"),
    ]);
    let _ahead = proxy.answer_commands(On::commands(["TIME"]), &told, Times::UntilCleared);
    let reader = Engine::builder(behind(&proxy).await).build().unwrap();
    assert_eq!(reader.sessions_of(OWNER).await.unwrap(), []);
    assert!(reader.drain(Duration::from_secs(5)).await);
    assert_eq!(number(&server, "ZCARD").await, 1);
    assert_eq!(engine.sessions_of(OWNER).await.unwrap().len(), 1);
    // What a revocation cannot be sure of it ends.
    assert_eq!(reader.revoke_owner(OWNER).await.unwrap().ended, 1);
    assert!(reader.drain(Duration::from_secs(5)).await);
    assert_eq!(server.ask(["DBSIZE"]).await.unwrap().number(), 0);
}

#[tokio::test]
async fn what_is_over_leaves_an_index_and_what_others_put_there_does_no_harm() {
    let server = start().await;
    let engine = engine(&server).await;
    let session = sign_in(&engine).await.unwrap();
    let over = [&[7; 16][..], b"s", &[0; 8]].concat();
    let odd = [&[8; 16][..], b"?", &[0; 8]].concat();
    let far = b"9999999999999".to_vec();
    for (score, member) in [(&b"1000"[..], &over[..]), (&far, b"short"), (&far, &odd)] {
        let add = [b"ZADD".as_slice(), &index_name(), score, member];
        assert_eq!(server.ask(add).await.unwrap().number(), 1);
    }
    let found = engine.sessions_of(OWNER).await.unwrap();
    assert_eq!(found.iter().map(|facts| facts.id().key()).collect::<Vec<_>>(), [session]);
    sign_in(&engine).await.unwrap();
    let members = [b"ZRANGE".as_slice(), &index_name(), b"0", b"-1"];
    let members = server.ask(members).await.unwrap().many();
    let members: Vec<_> = members.into_iter().filter_map(Reply::bytes).collect();
    assert!(!members.contains(&over) && members.contains(&b"short".to_vec()));
    assert_eq!(engine.revoke_owner(OWNER).await.unwrap().ended, 2);
}

#[tokio::test]
async fn an_index_of_another_type_is_an_error_and_is_left_as_it_is() {
    let server = start().await;
    let engine = engine(&server).await;
    server.ask([b"SET".as_slice(), &index_name(), b"mine"]).await.unwrap();
    let before = dump(&server, &index_name()).await;
    let Err(SessionError::Storage(error)) = sign_in(&engine).await else { panic!("an error") };
    assert_eq!(*error.kind(), StorageErrorKind::Corrupt);
    let error = engine.sessions_of(OWNER).await.unwrap_err();
    assert_eq!(*error.kind(), StorageErrorKind::Corrupt);
    assert!(engine.revoke_owner(OWNER).await.is_err());
    assert_eq!(dump(&server, &index_name()).await, before);
    assert_eq!(engine.storage().stats().await.unwrap().total_sessions, 0);
}

#[tokio::test]
async fn a_full_server_refuses_sign_ins_and_takes_revocations() {
    let server = start().await;
    let engine = engine(&server).await;
    let sessions = [sign_in(&engine).await.unwrap(), sign_in(&engine).await.unwrap()];
    server.ask(["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    let Err(SessionError::Storage(error)) = sign_in(&engine).await else { panic!("an error") };
    assert_eq!(*error.kind(), StorageErrorKind::Full);
    assert_eq!(engine.sessions_of(OWNER).await.unwrap().len(), 2);
    let revoked = engine.revoke_owner(OWNER).await.unwrap();
    assert_eq!((revoked.ended, revoked.pending), (2, 0));
    assert!(engine.drain(Duration::from_secs(5)).await);
    assert_eq!(number(&server, "EXISTS").await, 0);
    for session in sessions {
        assert_eq!(engine.session(session.public_id()).await.unwrap(), Found::Nothing);
    }
}

#[tokio::test]
async fn a_revocation_needs_no_script_to_be_known_to_the_server() {
    let server = start().await;
    let engine = engine(&server).await;
    sign_in(&engine).await.unwrap();
    server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
    assert_eq!(engine.revoke_owner(OWNER).await.unwrap().ended, 1);
    let later = cloakroom::Timestamp::from_millis(u64::from(u32::MAX) * 1000);
    connect(&server).await.set("ann", &holding("a", "1"), None).await.unwrap();
    server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
    let page = engine.revoke_created_before(later, &cloakroom::Position::start()).await.unwrap();
    assert_eq!(page.ended, 1);
}

#[tokio::test]
async fn a_server_learns_the_script_of_a_great_revocation_once() {
    const MANY: usize = 600;
    let server = start().await;
    let storage = connect(&server).await;
    let mut sessions = Vec::new();
    for number in 0..MANY {
        let name = number.to_string();
        storage.set(&name, &holding("a", "1"), None).await.unwrap();
        sessions.push(SessionKey::from_name(&name));
    }
    server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
    let before = server.calls("eval").await.unwrap();
    let later = cloakroom::Timestamp::from_millis(u64::from(u32::MAX) * 1000);
    assert_eq!(storage.destroy_created_before(&sessions, later).await.unwrap().removed, MANY);
    assert_eq!(server.calls("eval").await.unwrap() - before, 1);
    assert_eq!(server.ask(["DBSIZE"]).await.unwrap().number(), 0);
}

#[tokio::test]
async fn facts_tell_what_cannot_be_read_from_what_is_not_there() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("sound", &holding("a", "1"), None).await.unwrap();
    let names = ["sound", "other type", "text", "short", "foreign", "nothing"];
    let keys = names.map(SessionKey::from_name);
    server.ask([b"SADD".as_slice(), &key_of("other type"), b"x"]).await.unwrap();
    server.ask([b"SET".as_slice(), &key_of("text"), &[b'x'; 500]]).await.unwrap();
    server.ask([b"SET".as_slice(), &key_of("short"), b"CLKR\x01"]).await.unwrap();
    server.ask([b"COPY".as_slice(), &key_of("sound"), &key_of("foreign")]).await.unwrap();
    let found = storage.facts(&keys).await.unwrap();
    assert!(matches!(found[0], Found::Session(_)));
    assert_eq!(found[1..5], [const { Found::Unreadable }; 4]);
    assert_eq!(found[5], Found::Nothing);
    // Nothing of that is touched, whatever is asked for, and that is told.
    let later = cloakroom::Timestamp::from_millis(u64::from(u32::MAX) * 1000);
    for known in [true, false] {
        if !known {
            server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
        }
        let destroyed = storage.destroy_created_before(&keys[1..], later).await.unwrap();
        assert_eq!((destroyed.removed, destroyed.unreadable), (0, 4), "{known}");
    }
    for name in &names[1..5] {
        assert_ne!(dump(&server, &key_of(name)).await, Reply::Nil, "{name}");
    }
}

/// A storage behind a proxy, which was near when it connected.
async fn behind(proxy: &FaultProxy) -> RedisSessionStorage {
    RedisSessionStorage::builder().url(proxy.url()).pool_size(2).build().await.unwrap()
}

#[tokio::test]
async fn an_owners_sessions_are_one_read_of_the_index_and_one_batch() {
    const MANY: usize = 600;
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let engine = Engine::builder(behind(&proxy).await).build().unwrap();
    for _ in 0..10 {
        sign_in(&engine).await.unwrap();
    }
    assert!(engine.drain(Duration::from_secs(5)).await);
    let commands = async |wanted: u64, work: tokio::task::JoinHandle<usize>| {
        let before = ["GETRANGE", "STRLEN"].map(|name| proxy.commands(name));
        // No answer comes before everything was asked for.
        let held = proxy.hold_replies(On::commands(["GETRANGE", "STRLEN"]), Times::UntilCleared);
        for (name, before) in ["GETRANGE", "STRLEN"].iter().zip(before) {
            let asked = proxy.until_commands(name, before + wanted);
            tokio::time::timeout(Duration::from_secs(2), asked).await.expect("all in one batch");
        }
        drop(held);
        let found = work.await.unwrap();
        let after = ["GETRANGE", "STRLEN"].map(|name| proxy.commands(name));
        assert_eq!(after, before.map(|before| before + wanted));
        found
    };
    let reads = proxy.commands("ZRANGE");
    let (all, asking) = (engine.clone(), engine.clone());
    // The task begins to run when this one waits, and by then replies are held.
    let owners = tokio::spawn(async move { asking.sessions_of(OWNER).await.unwrap().len() });
    assert_eq!(commands(10, owners).await, 10);
    assert_eq!(proxy.commands("ZRANGE") - reads, 1);
    // More than go into one exchange are asked for side by side.
    let keys: Vec<_> = (0..MANY).map(|at| SessionKey::from_name(&at.to_string())).collect();
    let many = tokio::spawn(async move { all.storage().facts(&keys).await.unwrap().len() });
    assert_eq!(commands(MANY as u64, many).await, MANY);
}

#[tokio::test]
async fn a_great_revocation_advances_although_its_server_is_far_away() {
    const MANY: usize = 2_000;
    let server = start().await;
    let near = connect(&server).await;
    for number in 0..MANY {
        near.set(&number.to_string(), &holding("a", "1"), None).await.unwrap();
    }
    let proxy = FaultProxy::before(&server).await.unwrap();
    let engine = Engine::builder(behind(&proxy).await).build().unwrap();
    server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
    proxy.delay(Scope::All, Direction::Both, Latency::of(Duration::from_millis(150)));
    let later = cloakroom::Timestamp::from_millis(u64::from(u32::MAX) * 1000);
    let (mut ended, mut position) = (0, Some(cloakroom::Position::start()));
    while let Some(here) = position {
        let page = engine.revoke_created_before(later, &here).await.unwrap();
        ended += page.ended;
        position = page.next;
    }
    assert_eq!(ended, MANY);
    assert_eq!(server.ask(["DBSIZE"]).await.unwrap().number(), 0);
}

#[tokio::test]
async fn a_damaged_record_takes_nobodys_place_and_stays() {
    let server = start().await;
    let mut policy = Policy::default();
    policy.concurrent_sessions.limit = 2;
    let engine = Engine::builder(connect(&server).await).policy(policy).build().unwrap();
    let mut sessions = [sign_in(&engine).await.unwrap(), sign_in(&engine).await.unwrap()];
    sessions.reverse();
    let [living, damaged] = sessions;
    let name = [DEFAULT_PREFIX.as_bytes(), &damaged.to_hex()].concat();
    server.ask([b"SET".as_slice(), &name, &[b'x'; 500], b"KEEPTTL"]).await.unwrap();
    sign_in(&engine).await.unwrap();
    assert!(engine.drain(Duration::from_secs(5)).await);
    // The other one is the oldest that could go, and did not have to.
    assert_eq!(engine.sessions_of(OWNER).await.unwrap().len(), 2);
    assert!(engine.session(living.public_id()).await.unwrap().session().is_some());
    assert_eq!(engine.session(damaged.public_id()).await.unwrap(), Found::Unreadable);
    assert_eq!(number(&server, "ZCARD").await, 3);
}
