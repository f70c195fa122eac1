//! Something else lies under one of our keys: an error, never "no session", and never overwritten.

use std::sync::{Arc, Mutex};

use cloakroom::{
    Answer, CommitBuilder, Engine, Event, Expect, Generation, Nonce, Observer, SessionData,
    SessionError, SessionKey, SessionStorage, StorageErrorKind, Version,
};
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::{FakeRequest, RedisServer};

use super::support::{connect, dump, holding, key_of, start};

/// Every way to reach the session `ann`, none of which may change what lies there.
async fn every_access_is_refused(storage: &RedisSessionStorage, stale: &SessionData) {
    let key = SessionKey::from_name("ann");
    let mut kinds = vec![
        storage.load(&key).await.map(drop).unwrap_err(),
        storage.get("ann", None).await.map(drop).unwrap_err(),
        storage.exists("ann").await.map(drop).unwrap_err(),
        storage.touch(&key).await.map(drop).unwrap_err(),
    ];
    let nonce = Nonce::from_bytes([7; 16]);
    let exactly = |number| Expect::Exactly(Version::new(Generation::new(number), nonce));
    for expect in [Expect::Present, exactly(1), exactly(9)] {
        let commit = CommitBuilder::new(expect).build().unwrap();
        kinds.push(storage.commit(&key, &commit).await.map(drop).unwrap_err());
    }
    for data in [&holding("a", "2"), stale] {
        match storage.set("ann", data, None).await.unwrap_err() {
            SessionError::Storage(error) => kinds.push(error),
            other => panic!("{other}"),
        }
    }
    for error in kinds {
        assert_eq!(*error.kind(), StorageErrorKind::Corrupt, "{error}");
        assert!(!error.is_transient());
    }
}

async fn stale_data(storage: &RedisSessionStorage) -> SessionData {
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let mut stale = storage.get("ann", None).await.unwrap().unwrap();
    stale.insert("b", "2").unwrap();
    stale
}

#[tokio::test]
async fn a_key_of_another_type_is_an_error_and_stays() {
    let server = start().await;
    let storage = connect(&server).await;
    let stale = stale_data(&storage).await;
    let key = key_of("ann");
    for words in [
        ["HSET", "field", "value"].as_slice(),
        &["RPUSH", "value"],
        &["SADD", "value"],
        &["ZADD", "1", "value"],
        &["XADD", "*", "field", "value"],
    ] {
        server.ask([b"DEL".as_slice(), &key]).await.unwrap();
        let mut put = vec![words[0].as_bytes(), &key];
        put.extend(words[1..].iter().map(|word| word.as_bytes()));
        server.ask(put).await.unwrap();
        let before = dump(&server, &key).await;
        every_access_is_refused(&storage, &stale).await;
        let error = storage.get("ann", None).await.unwrap_err().to_string();
        assert!(error.contains("of another type"), "{error}");
        assert_eq!(dump(&server, &key).await, before, "{}", words[0]);
    }
}

#[tokio::test]
async fn a_string_that_is_not_ours_is_an_error_and_stays() {
    let server = start().await;
    let storage = connect(&server).await;
    let stale = stale_data(&storage).await;
    let key = key_of("ann");
    let json = br#"{"user":"ann"}"#.as_slice();
    for foreign in [b"".as_slice(), b"1", json, &[0; 200], b"CLKR", b"CLKR\x01", &[255; 80]] {
        server.ask([b"SET".as_slice(), &key, foreign]).await.unwrap();
        let before = dump(&server, &key).await;
        every_access_is_refused(&storage, &stale).await;
        assert_eq!(dump(&server, &key).await, before, "{foreign:?}");
    }
}

#[tokio::test]
async fn a_record_of_a_future_format_is_an_error_that_names_the_version_and_stays() {
    let server = start().await;
    let storage = connect(&server).await;
    let stale = stale_data(&storage).await;
    let key = key_of("ann");
    let mut record = server.ask([b"GET".as_slice(), &key]).await.unwrap().bytes().unwrap();
    record[4] = 2;
    server.ask([b"SET".as_slice(), &key, &record, b"KEEPTTL"]).await.unwrap();
    let before = dump(&server, &key).await;
    every_access_is_refused(&storage, &stale).await;
    assert_eq!(dump(&server, &key).await, before);
    let error = storage.get("ann", None).await.unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
}

/// The commands that put something unreadable where a session's record lies, by name.
fn bad_values(key: &[u8], record: &[u8]) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let (mut flipped, mut future) = (record.to_vec(), record.to_vec());
    *flipped.last_mut().unwrap() ^= 1;
    future[4] += 1;
    let string = |value: &[u8]| vec![b"SET".to_vec(), key.to_vec(), value.to_vec()];
    let hash = [b"HSET", key, b"field", b"value"].map(<[u8]>::to_vec).to_vec();
    vec![
        ("a hash", hash),
        ("a foreign string", string(br#"{"user":"ann"}"#)),
        ("an empty string", string(b"")),
        ("a truncated record", string(&record[..record.len() - 1])),
        ("a record with a flipped bit", string(&flipped)),
        ("a record of a future version", string(&future)),
    ]
}

/// Remembers every error that the storage gave an engine.
fn remembering(told: &Arc<Mutex<Vec<StorageErrorKind>>>) -> impl Observer {
    let told = told.clone();
    move |event: &Event<'_>| {
        if let Event::Asked { error: Some(error), .. } = event {
            told.lock().unwrap().push(error.kind().clone());
        }
    }
}

fn assert_corrupt(error: SessionError, name: &str) {
    let SessionError::Storage(error) = error else { panic!("{name}: {error}") };
    assert_eq!(*error.kind(), StorageErrorKind::Corrupt, "{name}: {error}");
}

#[tokio::test]
async fn a_request_whose_session_is_unreadable_is_neither_anonymous_nor_loses_its_cookie() {
    let server = start().await;
    let told = Arc::default();
    let builder = Engine::builder(connect(&server).await).observer(remembering(&told));
    let engine = builder.build().unwrap();
    let scope = engine.begin(&FakeRequest::new());
    scope.handle().load().await.unwrap().insert("a", 1).unwrap();
    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    let key = the_only_key(&server).await.into_bytes();
    let record = server.ask([b"GET".as_slice(), &key]).await.unwrap().bytes().unwrap();

    for (name, put) in bad_values(&key, &record) {
        server.ask([b"DEL".as_slice(), &key]).await.unwrap();
        server.ask(put.iter().map(Vec::as_slice)).await.unwrap();
        let before = dump(&server, &key).await;
        for answer in [Answer::Ordinary, Answer::ServerError] {
            let scope = engine.begin(&FakeRequest::with(&cookie));
            let handle = scope.handle();
            assert_corrupt(handle.load().await.map(drop).unwrap_err(), name);
            assert_corrupt(handle.load_existing().await.map(drop).unwrap_err(), name);
            assert_corrupt(handle.outcome().await.map(drop).unwrap_err(), name);
            assert!(scope.finish(answer).await.unwrap().into_cookie().is_none(), "{name}");
            let told = std::mem::take(&mut *told.lock().unwrap());
            assert_eq!(told, [StorageErrorKind::Corrupt], "{name}");
        }
        assert_eq!(dump(&server, &key).await, before, "{name}");
    }
}

async fn the_only_key(server: &RedisServer) -> String {
    let keys = server.ask(["KEYS", &format!("{DEFAULT_PREFIX}*")]).await.unwrap().many();
    assert_eq!(keys.len(), 1);
    keys[0].text()
}
