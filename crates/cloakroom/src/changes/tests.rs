//! [`Changes`] against a plain map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::commit::Nonce;
use crate::record::tests::{key, record_of};

type Map = BTreeMap<String, Vec<u8>>;

/// What a handler does to one field, or to all.
#[derive(Clone, Debug)]
enum Deed {
    Set(String, Vec<u8>),
    Remove(String),
    Update(String, Rule),
    Clear,
}

/// What an update makes of the old value.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Append(u8),
    Keep,
    Erase,
}

impl Rule {
    fn run(self, old: Option<&[u8]>) -> Option<Vec<u8>> {
        match self {
            Self::Append(digit) => Some([old.unwrap_or_default(), &[digit]].concat()),
            Self::Keep => old.map(<[u8]>::to_vec),
            Self::Erase => None,
        }
    }
}

fn name(alphabet: &'static str) -> impl Strategy<Value = String> {
    prop::sample::select(alphabet.split(' ').map(str::to_owned).collect::<Vec<_>>())
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(vec![b"1".to_vec(), b"2".to_vec(), b"33".to_vec()])
}

fn map() -> impl Strategy<Value = Map> {
    prop::collection::btree_map(name("a b c d e"), value(), 0..5)
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![(b'0'..=b'9').prop_map(Rule::Append), Just(Rule::Keep), Just(Rule::Erase)]
}

fn deed(names: &'static str) -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (name(names), value()).prop_map(|(name, value)| Deed::Set(name, value)),
        2 => name(names).prop_map(Deed::Remove),
        4 => (name(names), rule()).prop_map(|(name, rule)| Deed::Update(name, rule)),
    ]
}

fn deeds(names: &'static str) -> impl Strategy<Value = Vec<Deed>> {
    prop::collection::vec(deed(names), 0..10)
}

fn deeds_with_clear() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![8 => deed("a b c d e"), 1 => Just(Deed::Clear)];
    prop::collection::vec(deed, 0..10)
}

fn record(fields: &Map) -> Record {
    record_of(fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())))
}

fn changes(base: Option<&Record>, deeds: &[Deed]) -> Changes {
    let mut changes = Changes::default();
    for deed in deeds {
        match deed.clone() {
            Deed::Set(name, value) => changes.set(base, &name, value),
            Deed::Remove(name) => changes.remove(base, &name),
            Deed::Update(name, rule) => {
                let seen = rule.run(changes.value(base, &name));
                changes.update(base, &name, Arc::new(move |_, old| Ok(rule.run(old))), seen);
            }
            Deed::Clear => changes.clear(base),
        }
    }
    changes
}

fn follow(map: &mut Map, deeds: &[Deed]) {
    for deed in deeds {
        match deed.clone() {
            Deed::Set(name, value) => drop(map.insert(name, value)),
            Deed::Remove(name) => drop(map.remove(&name)),
            Deed::Update(name, rule) => match rule.run(map.get(&name).map(Vec::as_slice)) {
                Some(value) => drop(map.insert(name, value)),
                None => drop(map.remove(&name)),
            },
            Deed::Clear => map.clear(),
        }
    }
}

/// The fields that a record has after the changes of some requests, through its stored bytes.
fn applied(base: &Record, all: &[&Changes]) -> Map {
    let mut draft = Draft::rewrite(base);
    for changes in all {
        changes.apply(&mut draft).unwrap();
    }
    let commit = draft.commit(Nonce::generate().unwrap());
    let stamp = commit.stamp(None, base.as_of());
    let next = Record::decode(&key(), commit.stamped(&key(), &stamp), base.as_of()).unwrap();
    next.fields().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

proptest! {
    #[test]
    fn on_the_record_that_was_seen_nothing_has_to_run_again(
        base in map(), deeds in deeds("a b c"),
    ) {
        let base = record(&base);
        let changes = changes(Some(&base), &deeds);
        let (mut replayed, mut as_seen) = (Draft::rewrite(&base), Draft::rewrite(&base));
        changes.apply(&mut replayed).unwrap();
        changes.apply_as_seen(&mut as_seen);
        prop_assert_eq!(replayed.fields, as_seen.fields);
    }

    #[test]
    fn a_request_sees_its_own_changes(base in prop::option::of(map()), deeds in deeds_with_clear()) {
        let record = base.as_ref().map(record);
        let mut wanted = base.unwrap_or_default();
        let changes = changes(record.as_ref(), &deeds);
        follow(&mut wanted, &deeds);
        for name in ["a", "b", "c", "d", "e"] {
            let seen = changes.value(record.as_ref(), name);
            prop_assert_eq!(seen, wanted.get(name).map(Vec::as_slice));
        }
        let mut names = changes.names(record.as_ref());
        names.sort();
        prop_assert_eq!(names, wanted.keys().cloned().collect::<Vec<_>>());
        prop_assert_eq!(record.is_none() && changes.creates(), record.is_none() && !wanted.is_empty());
    }

    #[test]
    fn what_was_seen_is_what_is_committed(base in map(), deeds in deeds_with_clear()) {
        let record = record(&base);
        let changes = changes(Some(&record), &deeds);
        let mut wanted = base;
        follow(&mut wanted, &deeds);
        prop_assert_eq!(applied(&record, &[&changes]), wanted);
    }

    #[test]
    fn nothing_is_dirty_where_every_byte_is_as_before(base in map(), deeds in deeds("a b c d e")) {
        let record = record(&base);
        let plain: Vec<_> =
            deeds.into_iter().filter(|deed| !matches!(deed, Deed::Update(..))).collect();
        let mut after = base.clone();
        follow(&mut after, &plain);
        prop_assert_eq!(changes(Some(&record), &plain).is_empty(), after == base);
    }

    #[test]
    fn changes_that_are_left_out_would_have_changed_nothing(base in map(), deeds in deeds_with_clear()) {
        let record = record(&base);
        let mut after = base.clone();
        follow(&mut after, &deeds);
        if changes(Some(&record), &deeds).is_empty() {
            prop_assert_eq!(after, base);
        }
    }

    #[test]
    fn on_a_newer_record_untouched_fields_are_the_newer_ones(
        base in map(), newer in map(), deeds in deeds("a b"),
    ) {
        let changes = changes(Some(&record(&base)), &deeds);
        let after = applied(&record(&newer), &[&changes]);
        for name in ["c", "d", "e"] {
            prop_assert_eq!(after.get(name), newer.get(name));
        }
    }

    #[test]
    fn on_a_newer_record_what_was_set_or_removed_is_ours(
        base in map(), newer in map(), before in deeds("a"), last in value(), removes in any::<bool>(),
    ) {
        let deed = if removes { Deed::Remove("a".into()) } else { Deed::Set("a".into(), last.clone()) };
        let deeds = [before, vec![deed]].concat();
        let changes = changes(Some(&record(&base)), &deeds);
        let after = applied(&record(&newer), &[&changes]);
        let ours = (!removes).then_some(last);
        // What leaves the field as it was seen is no change, so there the newer value stays.
        let wanted = if base.get("a") == ours.as_ref() { newer.get("a") } else { ours.as_ref() };
        prop_assert_eq!(after.get("a"), wanted);
    }

    #[test]
    fn on_a_newer_record_updates_run_on_the_newer_value(
        base in map(), newer in map(), digits in prop::collection::vec(b'0'..=b'9', 1..5),
    ) {
        let deeds: Vec<_> =
            digits.iter().map(|digit| Deed::Update("a".into(), Rule::Append(*digit))).collect();
        let changes = changes(Some(&record(&base)), &deeds);
        let after = applied(&record(&newer), &[&changes]);
        let wanted = [newer.get("a").map_or(&[][..], Vec::as_slice), &digits].concat();
        prop_assert_eq!(after.get("a"), Some(&wanted));
    }

    #[test]
    fn clearing_removes_also_what_is_new(
        mut base in map(), newer in map(), deeds in deeds("a b"),
    ) {
        base.insert("a".into(), b"1".to_vec());
        let deeds = [vec![Deed::Clear], deeds].concat();
        let changes = changes(Some(&record(&base)), &deeds);
        let mut wanted = Map::new();
        follow(&mut wanted, &deeds);
        prop_assert_eq!(applied(&record(&newer), &[&changes]), wanted);
    }

    #[test]
    fn changes_of_different_fields_survive_in_either_order(
        base in map(), mine in deeds("a b"), yours in deeds("c d"),
    ) {
        let record = record(&base);
        let mut wanted = base;
        follow(&mut wanted, &mine);
        follow(&mut wanted, &yours);
        let (mine, yours) = (changes(Some(&record), &mine), changes(Some(&record), &yours));
        prop_assert_eq!(applied(&record, &[&mine, &yours]), wanted.clone());
        prop_assert_eq!(applied(&record, &[&yours, &mine]), wanted);
    }

    #[test]
    fn appending_requests_lose_nothing_in_any_order(base in map(), digits in prop::collection::vec(b'0'..=b'9', 1..8)) {
        let record = record(&base);
        let all: Vec<_> = digits
            .iter()
            .map(|digit| changes(Some(&record), &[Deed::Update("a".into(), Rule::Append(*digit))]))
            .collect();
        let after = applied(&record, &all.iter().collect::<Vec<_>>());
        let wanted = [base.get("a").map_or(&[][..], Vec::as_slice), &digits].concat();
        prop_assert_eq!(after.get("a"), Some(&wanted));
    }
}

#[test]
fn starting_over_removes_what_is_new_even_when_nothing_was_seen() {
    let mut changes = Changes::default();
    changes.start_over();
    assert!(!changes.is_empty());
    let newer = record_of([("diary", b"1".as_slice())]);
    assert!(applied(&newer, &[&changes]).is_empty());
}

#[test]
fn a_failing_update_leaves_the_draft_as_it_was() {
    let base = record_of([("a", b"1".as_slice()), ("b", b"2")]);
    let mut failing = Changes::default();
    failing.set(Some(&base), "b", b"9".to_vec());
    let refuse = |_: &str, _: Option<&[u8]>| Err(SessionError::Gone);
    failing.update(Some(&base), "a", Arc::new(refuse), Some(b"7".to_vec()));
    let mut panicking = Changes::default();
    panicking.remove(Some(&base), "b");
    let panic = |_: &str, _: Option<&[u8]>| panic!("the update panics on purpose");
    panicking.update(Some(&base), "a", Arc::new(panic), Some(b"7".to_vec()));

    let mut draft = Draft::rewrite(&base);
    assert!(matches!(failing.apply(&mut draft), Err(SessionError::Gone)));
    let panicked = panicking.apply(&mut draft);
    assert!(matches!(panicked, Err(SessionError::UpdatePanicked { field }) if field == "a"));
    let mut fields: Vec<_> =
        draft.fields.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    fields.sort();
    assert_eq!(fields, [(b"a".as_slice(), b"1".as_slice()), (b"b", b"2")]);
}

#[test]
fn facts_about_the_session_replace_the_records_own() {
    let base = record_of([]);
    let fingerprint = SessionFingerprint::new("192.0.2.7", "Browser/1");
    let verifier = crate::token::Token::generate().unwrap().verifier_hash();
    let changes = Changes {
        owner: Some("olga".into()),
        verifier: Some(verifier),
        idle_timeout: Some(Duration::from_secs(60)),
        absolute_timeout: Some(Duration::from_secs(120)),
        persistent: Some(Persistence::UntilDeadline),
        fingerprint: Some(fingerprint.clone()),
        ..Changes::default()
    };
    assert!(!changes.is_empty() && changes.creates());
    let mut draft = Draft::rewrite(&base);
    assert!(draft.accepts(&base.verifier()));
    changes.apply(&mut draft).unwrap();
    assert!(draft.accepts(&verifier) && !draft.accepts(&base.verifier()));
    let commit = draft.commit(Nonce::generate().unwrap());
    let stamp = commit.stamp(None, base.as_of());
    let next = Record::decode(&key(), commit.stamped(&key(), &stamp), base.as_of()).unwrap();
    assert_eq!((next.owner(), next.fingerprint()), (Some("olga"), Some(fingerprint)));
    assert_eq!(next.idle_timeout(), Duration::from_secs(60));
    assert_eq!(next.absolute_deadline(), base.as_of() + Duration::from_secs(120));
    assert!(next.is_persistent());
}

#[test]
fn debug_shows_names_and_no_values() {
    let mut changes = Changes::default();
    changes.set(None, "colour", b"\"green\"".to_vec());
    let shown = format!("{changes:?}");
    assert!(shown.contains("colour") && !shown.contains("green"), "{shown}");
}
