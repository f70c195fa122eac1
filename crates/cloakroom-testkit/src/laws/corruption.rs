//! What lies under a key and is no record of ours is an error, and is left as it is.

use cloakroom::{
    CommitBuilder, Committed, Destroyed, Expect, Generation, Nonce, SessionData, SessionError,
    SessionKey, SessionStorage, StorageErrorKind, Version,
};

use super::sample::{STAMP, apply, creating, found, send, unused_key};
use super::{RawFixture, Settings};

/// Where a record says which format it has.
const VERSION_AT: usize = 4;

/// A record of which one bit has changed is never shown, neither by a load nor by a conflict.
pub async fn a_bit_flipped_record_is_an_error(fixture: &impl RawFixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    apply(&storage, &key, &creating().owner("ann").field("a", "[1,2,3]")).await;
    let sound = found(&storage, &key).await.as_bytes().to_vec();
    for at in (0..sound.len()).filter(|at| !STAMP.contains(at)) {
        for bit in [0, 7] {
            let mut flipped = sound.clone();
            flipped[at] ^= 1 << bit;
            fixture.plant(&key, &flipped).await;
            let error = storage.load(&key).await.expect_err("a flipped bit must be noticed");
            assert_eq!(*error.kind(), StorageErrorKind::Corrupt, "byte {at}");
            assert_eq!(fixture.look(&key).await, Some(flipped), "byte {at}");
        }
    }
}

/// A record that was cut, to whatever length, is an error.
pub async fn a_truncated_record_is_an_error(fixture: &impl RawFixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    apply(&storage, &key, &creating().owner("ann").field("a", "[1,2,3]")).await;
    let sound = found(&storage, &key).await.as_bytes().to_vec();
    for length in 0..sound.len() {
        let cut = sound[..length].to_vec();
        fixture.plant(&key, &cut).await;
        let error = storage.load(&key).await.expect_err("a cut record must be noticed");
        assert_eq!(*error.kind(), StorageErrorKind::Corrupt, "length {length}");
        assert_eq!(fixture.look(&key).await, Some(cut), "length {length}");
    }
}

/// Neither a commit nor a touch nor a direct `set` overwrites what cannot be read.
pub async fn bytes_that_are_no_record_are_left_as_they_are(fixture: &impl RawFixture) {
    let storage = fixture.open(&Settings::default()).await;
    let name = "somebody";
    let key = SessionKey::from_name(name);
    let mut data = SessionData::new();
    data.insert("a", 1).unwrap();
    storage.set(name, &data, None).await.unwrap();
    let sound = found(&storage, &key).await.as_bytes().to_vec();
    let mut of_the_future = sound.clone();
    of_the_future[VERSION_AT] = 2;
    let mut damaged = sound.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let short = sound[..60].to_vec();
    for foreign in
        [Vec::new(), b"not ours".to_vec(), vec![b'x'; 500], short, of_the_future, damaged]
    {
        fixture.plant(&key, &foreign).await;
        refuses_to_change(&storage, name).await;
        assert_eq!(fixture.look(&key).await, Some(foreign.clone()), "{foreign:?}");
    }
}

async fn refuses_to_change(storage: &impl SessionStorage, name: &str) {
    let key = SessionKey::from_name(name);
    let newer = Version::new(Generation::new(7), Nonce::from_bytes([7; 16]));
    let newer = Expect::Exactly(newer);
    for expect in [Expect::Present, newer] {
        let commit = CommitBuilder::new(expect).field("a", "2").build().unwrap();
        let error = storage.commit(&key, &commit).await.expect_err("nothing may be overwritten");
        assert_eq!(*error.kind(), StorageErrorKind::Corrupt, "{expect:?}");
    }
    match storage.commit(&key, &creating().build().unwrap()).await {
        Ok(Committed::Exists) => {}
        Err(error) if *error.kind() == StorageErrorKind::Corrupt => {}
        other => panic!("{other:?}"),
    }
    let mut data = SessionData::new();
    data.insert("a", 2).unwrap();
    match storage.set(name, &data, None).await.expect_err("nothing may be overwritten") {
        SessionError::Storage(error) => assert_eq!(*error.kind(), StorageErrorKind::Corrupt),
        other => panic!("{other}"),
    }
    let error = storage.get(name, None).await.expect_err("it cannot be read");
    assert_eq!(*error.kind(), StorageErrorKind::Corrupt);
    let error = storage.exists(name).await.expect_err("nobody knows whether it is a session");
    assert_eq!(*error.kind(), StorageErrorKind::Corrupt);
}

/// Another session's record under a key is an error, whatever is asked for and whatever a commit
/// expects, and stays as it is. A removal takes it away.
pub async fn a_record_of_another_session_is_an_error_and_stays(fixture: &impl RawFixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (ann, bob) = (unused_key(), unused_key());
    apply(&storage, &ann, &creating().owner("ann").field("a", "1")).await;
    apply(&storage, &bob, &creating().owner("bob").field("a", "1")).await;
    let record = found(&storage, &ann).await;
    let bobs = found(&storage, &bob).await;
    let copied = record.as_bytes().to_vec();
    fixture.plant(&bob, &copied).await;

    // More than once: what was noticed before must not be taken for granted, nor for the other way.
    for _ in 0..3 {
        let error = storage.load(&bob).await.expect_err("it is ann's");
        assert_eq!(*error.kind(), StorageErrorKind::Corrupt);
        assert!(!error.is_transient());
        let error = storage.touch(&bob).await.expect_err("it is ann's");
        assert_eq!(*error.kind(), StorageErrorKind::Corrupt);
    }
    let newer = Version::new(Generation::new(7), Nonce::from_bytes([7; 16]));
    let (anns, newer) = (Expect::Exactly(record.version()), Expect::Exactly(newer));
    let before = Expect::Exactly(bobs.version());
    let commit = |expect: Expect| CommitBuilder::new(expect).field("a", "2");
    // The writer knows what it expects, and may stamp the record by that, in one of these only.
    let stamped = commit(before).seen(&bobs);
    let now = bobs.as_of();
    assert!(stamped.clone().build().unwrap().expected_stamp(&bob, now).is_some());
    let others = [Expect::Present, anns, newer, before, Expect::Absent].map(commit);
    for commit in others.into_iter().chain([stamped, commit(anns).seen(&record)]) {
        let outcome = storage.commit(&bob, &commit.build().unwrap()).await;
        let error = outcome.expect_err("nothing may be overwritten");
        assert_eq!(*error.kind(), StorageErrorKind::Corrupt, "{commit:?}");
    }
    assert_eq!(fixture.look(&bob).await, Some(copied));

    assert_eq!(found(&storage, &ann).await.field("a"), Some(b"1".as_slice()));
    assert!(matches!(storage.destroy(&bob).await.unwrap(), Destroyed::Removed(_)));
    assert!(storage.load(&bob).await.unwrap().is_none());
    apply(&storage, &bob, &creating().field("a", "2")).await;
    assert_eq!(found(&storage, &bob).await.field("a"), Some(b"2".as_slice()));
}

/// Somebody else's record under a name, by a mixed-up reply or a copied key, is never served.
pub async fn a_record_of_another_name_is_never_served(fixture: &impl RawFixture) {
    let storage = fixture.open(&Settings::default()).await;
    let mut data = SessionData::new();
    data.insert("a", 1).unwrap();
    storage.set("ann", &data, None).await.unwrap();
    storage.set("bob", &data, None).await.unwrap();
    let [ann_key, bob_key] = ["ann", "bob"].map(SessionKey::from_name);
    let copied = fixture.look(&ann_key).await.unwrap();
    fixture.plant(&bob_key, &copied).await;

    let error = storage.get("bob", None).await.expect_err("it is ann's");
    assert_eq!(*error.kind(), StorageErrorKind::Corrupt);
    let error = storage.set("bob", &data, None).await.expect_err("it is ann's");
    assert!(
        matches!(error, SessionError::Storage(error) if *error.kind() == StorageErrorKind::Corrupt)
    );
    assert_eq!(fixture.look(&bob_key).await, Some(copied));
    let outcome = send(&storage, &unused_key(), &creating()).await;
    assert!(matches!(outcome, Committed::Applied { .. }), "other keys are not concerned");
}
