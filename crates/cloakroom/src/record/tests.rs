//! The record's bytes: what goes in comes out, and nothing that was cut or altered is believed.

use proptest::prelude::*;

use super::*;
use crate::commit::{Absolute, Commit, CommitBuilder, Expect};
use crate::token::Token;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// The key of [`record_of`]'s records.
pub(crate) fn key() -> SessionKey {
    Token::parse(&[b'A'; 64]).unwrap().key()
}

/// A record with these fields, for tests of whatever works on records.
pub(crate) fn record_of<'a>(fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Record {
    let mut commit = CommitBuilder::new(Expect::Absent)
        .absolute(Absolute::Start(Duration::from_secs(12 * 60 * 60)))
        .verifier(Token::parse(&[b'A'; 64]).unwrap().verifier_hash());
    for (name, value) in fields {
        commit = commit.field(name, value);
    }
    let commit = commit.build().unwrap();
    Record::decode(&key(), commit.stamped(&key(), &commit.stamp(None, NOW)), NOW).unwrap()
}

/// Everything that a record holds.
#[derive(Clone, Debug)]
struct Content {
    fields: Vec<(String, Vec<u8>)>,
    owner: Option<String>,
    fingerprint: Option<SessionFingerprint>,
    persistent: bool,
    idle_timeout: Duration,
    stamp: Stamp,
}

fn content() -> impl Strategy<Value = Content> {
    let field = (".{1,60}", prop::collection::vec(any::<u8>(), 0..80));
    let fingerprint = (".{0,80}|[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-f:]{0,20}", ".{0,80}");
    let fingerprint =
        fingerprint.prop_map(|(address, agent)| SessionFingerprint::new(&address, &agent));
    (
        prop::collection::btree_map(field.0, field.1, 0..6),
        prop::option::of(".{1,60}"),
        prop::option::of(fingerprint),
        any::<bool>(),
        any::<u64>().prop_map(Duration::from_millis),
        stamp(),
    )
        .prop_map(|(fields, owner, fingerprint, persistent, idle_timeout, mut stamp)| {
            stamp.idle_deadline = stamp.absolute_deadline.min(stamp.touched + idle_timeout);
            let fields = fields.into_iter().collect();
            Content { fields, owner, fingerprint, persistent, idle_timeout, stamp }
        })
}

/// Stamps in order, up to the last millisecond that there is. What makes their idle deadline sound
/// is the idle timeout.
fn stamp() -> impl Strategy<Value = Stamp> {
    (1..u64::MAX, prop::collection::vec(any::<u64>(), 5)).prop_map(|(generation, mut times)| {
        times.sort_unstable();
        let time = |at: usize| Timestamp::from_millis(times[at]);
        Stamp {
            generation: Generation::new(generation),
            created: time(0),
            started: time(1),
            touched: time(2),
            idle_deadline: time(3),
            absolute_deadline: time(4),
        }
    })
}

fn commit(content: &Content, token: &Token) -> Commit {
    let mut commit = CommitBuilder::new(Expect::Absent)
        .idle_timeout(content.idle_timeout)
        .verifier(token.verifier_hash());
    for (name, value) in &content.fields {
        commit = commit.field(name, value.as_slice());
    }
    if let Some(owner) = &content.owner {
        commit = commit.owner(owner);
    }
    if let Some(fingerprint) = &content.fingerprint {
        commit = commit.fingerprint(fingerprint.clone());
    }
    if content.persistent {
        commit = commit.persistent();
    }
    commit.build().unwrap()
}

fn bytes(content: &Content) -> Vec<u8> {
    commit(content, &Token::generate().unwrap()).stamped(&key(), &content.stamp).to_vec()
}

fn decode(bytes: &[u8]) -> Result<Record, CorruptRecord> {
    Record::decode(&key(), Bytes::copy_from_slice(bytes), NOW)
}

fn is_in_stamp(byte: usize) -> bool {
    (STAMP_AT..STAMP_AT + size_of::<StampBytes>()).contains(&byte)
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(content in content()) {
        let token = Token::generate().unwrap();
        let commit = commit(&content, &token);
        let record = decode(&commit.stamped(&key(), &content.stamp)).unwrap();
        prop_assert!(record.accepts(&token.verifier_hash()));
        prop_assert!(!record.accepts(&token.rotated().unwrap().verifier_hash()));
        prop_assert_eq!(record.version().nonce(), commit.nonce());
        prop_assert_eq!(record.owner(), content.owner.as_deref());
        prop_assert_eq!(record.fingerprint(), content.fingerprint.clone());
        prop_assert_eq!(record.is_persistent(), content.persistent);
        prop_assert_eq!(record.idle_timeout(), content.idle_timeout);
        let stamp = content.stamp;
        prop_assert_eq!(record.generation(), stamp.generation);
        prop_assert_eq!((record.created(), record.started()), (stamp.created, stamp.started));
        prop_assert_eq!(record.touched(), stamp.touched);
        prop_assert_eq!(record.idle_deadline(), stamp.idle_deadline);
        prop_assert_eq!(record.absolute_deadline(), stamp.absolute_deadline);
        prop_assert_eq!((record.as_of(), record.size()), (NOW, commit.size()));
        prop_assert_eq!(record.field_names().count(), content.fields.len());
        for (name, value) in &content.fields {
            prop_assert_eq!(record.field(name), Some(value.as_slice()));
        }
    }

    #[test]
    fn a_stamp_survives_its_bytes(stamp in stamp()) {
        prop_assert_eq!(Stamp::from_bytes(&stamp.to_bytes()), stamp);
    }

    #[test]
    fn a_record_that_was_cut_is_an_error(content in content(), at in any::<prop::sample::Index>()) {
        let bytes = bytes(&content);
        prop_assert!(decode(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn a_record_with_something_behind_it_is_an_error(content in content(), more in prop::collection::vec(any::<u8>(), 1..20)) {
        prop_assert!(decode(&[bytes(&content), more].concat()).is_err());
    }

    #[test]
    fn a_flipped_bit_is_an_error_or_stands_in_the_stamp(content in content(), at in any::<prop::sample::Index>()) {
        let mut bytes = bytes(&content);
        let before = decode(&bytes).unwrap();
        let bit = at.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        if !is_in_stamp(bit / 8) {
            prop_assert!(decode(&bytes).is_err());
        } else if let Ok(after) = decode(&bytes) {
            // The stamp is the storage's own; what the session holds is as it was.
            prop_assert_eq!(after.owner(), before.owner());
            prop_assert_eq!(after.idle_timeout(), before.idle_timeout());
            prop_assert!(after.accepts(&before.verifier()));
            prop_assert!(after.fields().eq(before.fields()));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&noise);
        let _ = decode(&[b"CLKR\x01".as_slice(), &noise].concat());
    }

    #[test]
    fn fields_of_any_bytes_are_walked_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        if Fields::check(&noise) {
            let mut again = Vec::new();
            Fields::new(&noise).for_each(|(name, value)| Fields::write(&mut again, name.as_bytes(), value));
            prop_assert_eq!(again, noise);
        }
    }

    #[test]
    fn a_commit_names_the_field_that_makes_it_too_large(mut content in content()) {
        content.fields.push(("the largest".into(), vec![b'1'; 300]));
        let commit = commit(&content, &Token::generate().unwrap());
        let size = commit.size();
        prop_assert!(commit.check_size(size).is_ok());
        let error = commit.check_size(size - 1).unwrap_err();
        prop_assert_eq!(error.kind(), &crate::error::StorageErrorKind::TooLarge {
            size, limit: size - 1, largest_field: "the largest".into(),
        });
    }
}

#[test]
fn a_record_says_whose_it_is_under_any_other_key() {
    let (record, other) = (record_of([("a", b"1".as_slice())]), SessionKey::from_name("bob"));
    let foreign = Record::decode(&other, record.as_bytes().clone(), NOW).unwrap_err();
    assert_eq!(foreign, CorruptRecord::Foreign(key().public_id()));
    assert!(foreign.to_string().contains(&key().public_id().to_string()), "{foreign}");
}

#[test]
fn one_commit_makes_each_key_its_own_record() {
    let commit = CommitBuilder::new(Expect::Absent).field("a", "1").build().unwrap();
    let stamp = commit.stamp(None, NOW);
    for name in ["ann", "bob"] {
        let key = SessionKey::from_name(name);
        let record = Record::decode(&key, commit.stamped(&key, &stamp), NOW).unwrap();
        assert_eq!(record.field("a"), Some(b"1".as_slice()));
        assert_eq!(record.size(), commit.content(&key).len());
    }
}

#[test]
fn a_record_of_a_future_version_is_an_error_of_its_own() {
    let mut bytes = record_of([("a", b"1".as_slice())]).as_bytes().to_vec();
    for version in [0, 2, 255] {
        bytes[4] = version;
        assert_eq!(decode(&bytes).unwrap_err(), CorruptRecord::Version(version));
    }
}

#[test]
fn a_string_of_somebody_else_is_not_a_record() {
    for foreign in ["", "C", "CLKR", "clkr\u{1}", "{\"user\": 7}", &"x".repeat(1000)] {
        assert_eq!(decode(foreign.as_bytes()).unwrap_err(), CorruptRecord::NotARecord);
    }
    assert_eq!(decode(b"CLKR\x01").unwrap_err(), CorruptRecord::Damaged);
}

#[test]
fn a_stamp_whose_times_contradict_each_other_is_damage() {
    let record = record_of([]);
    let sound = Stamp::from_bytes(record.as_bytes()[STAMP_AT..].first_chunk().unwrap());
    let early = Timestamp::from_millis(1);
    let unsound = [
        Stamp { generation: Generation::ZERO, ..sound },
        Stamp { started: early, ..sound },
        Stamp { touched: early, ..sound },
        Stamp { idle_deadline: early, ..sound },
        Stamp { absolute_deadline: early, ..sound },
    ];
    for stamp in unsound {
        let mut bytes = record.as_bytes().to_vec();
        bytes[STAMP_AT..STAMP_AT + size_of::<StampBytes>()].copy_from_slice(&stamp.to_bytes());
        assert_eq!(decode(&bytes).unwrap_err(), CorruptRecord::Damaged);
    }
}

#[test]
fn a_record_is_alive_at_its_deadline_and_expired_after_it() {
    let record = record_of([]);
    assert!(!record.is_expired(record.idle_deadline()));
    assert!(record.is_expired(record.idle_deadline() + Duration::from_millis(1)));
}

#[test]
fn debug_shows_neither_values_nor_the_owner() {
    let content = Content {
        fields: vec![("colour".into(), b"green".to_vec())],
        owner: Some("olga".into()),
        fingerprint: None,
        persistent: false,
        idle_timeout: Duration::from_secs(60),
        stamp: Stamp::first(NOW, Duration::from_secs(60), Duration::from_secs(60)),
    };
    let shown = format!("{:?}", decode(&bytes(&content)).unwrap());
    assert!(!shown.contains("green") && !shown.contains("olga"), "{shown}");
}

#[test]
fn an_address_that_is_cut_before_a_space_still_matches_itself_when_stored() {
    let fingerprint = SessionFingerprint::new(&format!("{} unknown", "x".repeat(63)), "");
    let commit = CommitBuilder::new(Expect::Absent).fingerprint(fingerprint.clone()).build();
    let commit = commit.unwrap();
    let record = decode(&commit.stamped(&key(), &commit.stamp(None, NOW))).unwrap();
    assert_eq!(record.fingerprint(), Some(fingerprint));
}
