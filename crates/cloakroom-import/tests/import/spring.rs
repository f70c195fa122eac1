//! What Spring Session has written, Java-serialised and as JSON.

use std::time::Duration;

use bytes::Bytes;
use cloakroom::Timestamp;
use cloakroom_import::{Library, OldSession, OwnerField, Raw, RawValue, Unreadable};
use serde_json::{Value, json};

use crate::fixtures::hash;

/// A hundred seconds after the session was used last.
const NOW: Timestamp = Timestamp::from_millis(1_700_000_600_000);

fn read(hash: &[(Bytes, Bytes)], time_left: Option<Duration>) -> Result<OldSession, Unreadable> {
    let raw = Raw { id: "id", value: RawValue::Hash(hash), time_left };
    Library::SpringSession.read(&raw, NOW)
}

#[test]
fn javas_own_texts_numbers_and_collections_are_taken() {
    let session = read(&hash("plain"), None).unwrap();
    let umbrella = json!(["umbrella", 2]);
    let pairs = [
        ("text", json!("Grüße \u{1f302} \0 end")),
        ("int", json!(7)),
        ("long", json!(9_007_199_254_740_993i64)),
        ("double", json!(12.5)),
        ("float", json!(0.25)),
        ("short", json!(-3)),
        ("byte", json!(-1)),
        ("flag", json!(true)),
        ("char", json!("ä")),
        ("array list", json!(["a", 1, null, umbrella, umbrella])),
        ("linked list", json!(["a", "b"])),
        ("as list", json!(["a", "b"])),
        ("list of", json!(["a", 1])),
        ("map of", json!({ "k": 1 })),
        ("set of", json!(["k"])),
        ("empty list", json!([])),
        ("hash set", json!(["a"])),
        ("linked hash set", json!(["b", "a"])),
        ("tree set", json!(["a", "b"])),
        ("hash map", json!({ "k": [1] })),
        ("linked hash map", json!({ "b": 1, "a": { "x": "y" } })),
        ("tree map", json!({ "b": 1, "a": { "x": "y" } })),
        ("concurrent", json!({ "k": "v" })),
        ("number keys", json!({ "1": "one" })),
        ("unmodifiable", json!({ "k": "v" })),
        ("ints", json!([1, -2])),
        ("strings", json!(["a", null])),
        ("bytes", json!([1, -1])),
        ("matrix", json!([[1], [2, 3]])),
        ("colour", json!("GREEN")),
    ];
    for (name, expected) in &pairs {
        assert_eq!(session.fields.get(*name), Some(expected), "{name}");
    }
    assert_eq!(session.fields.len(), pairs.len());
    assert_eq!(session.created, Some(Timestamp::from_millis(1_700_000_000_000)));
}

#[test]
fn a_programs_objects_are_left_behind_with_their_class() {
    let session = read(&hash("plain"), None).unwrap();
    let mut left: Vec<_> =
        session.left_behind.iter().map(|it| (it.field.as_str(), it.class.as_str())).collect();
    left.sort_unstable();
    let expected = [
        ("big", "java.math.BigInteger"),
        ("cart", "shop.Cart"),
        ("date", "java.util.Date"),
        ("instant", "java.time.Ser"),
        ("list with cart", "shop.Cart"),
        ("nan", "a number that is not finite"),
        ("uuid", "java.util.UUID"),
    ];
    assert_eq!(left, expected);
}

#[test]
fn the_user_of_spring_security_is_found_in_the_object_that_is_left_behind() {
    let path = "SPRING_SECURITY_CONTEXT.authentication.principal";
    let by_user = OwnerField::new(format!("{path}.username"));
    assert_eq!(by_user.find(&read(&hash("user"), None).unwrap()).as_deref(), Some("ada"));
    let session = read(&hash("name"), None).unwrap();
    assert_eq!(OwnerField::new(path).find(&session).as_deref(), Some("ada"));
    let index =
        "org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME";
    assert_eq!(OwnerField::new(index).find(&session).as_deref(), Some("ada"));
    assert_eq!(by_user.find(&session), None);
}

#[test]
fn the_time_left_counts_from_the_last_use_and_ends_with_the_key() {
    let left = |key| read(&hash("user"), key).unwrap().time_left.unwrap().as_secs();
    assert_eq!(left(None), 1_700);
    assert_eq!(left(Some(Duration::from_secs(2_000))), 1_700, "the key lives five minutes longer");
    assert_eq!(left(Some(Duration::from_secs(5))), 5);
}

#[test]
fn sessions_written_as_json_are_read() {
    let field = |name: &str, value: &str| (name.to_owned().into(), value.to_owned().into());
    let hash = [
        field("creationTime", "1700000000000"),
        field("lastAccessedTime", "1700000500000"),
        field("maxInactiveInterval", "-1"),
        field("sessionAttr:cart", r#"["java.util.ArrayList",["umbrella"]]"#),
        field("sessionAttr:user", r#"{"@class":"shop.User","name":"ada"}"#),
        field("sessionAttr:gone", ""),
    ];
    let session = read(&hash, None).unwrap();
    let user = json!({ "@class": "shop.User", "name": "ada" });
    assert_eq!(Value::from(session.fields.clone()), json!({ "cart": ["umbrella"], "user": user }));
    assert_eq!(OwnerField::new("user.name").find(&session).as_deref(), Some("ada"));
    assert_eq!(session.time_left, None, "it does not expire");
}

#[test]
fn what_is_cut_is_unreadable_and_an_attribute_costs_only_itself() {
    let whole = hash("user");
    let fields = |hash: &[(Bytes, Bytes)]| {
        let session = read(hash, None).unwrap();
        session.fields.len() + session.left_behind.len()
    };
    for at in 0..whole.len() {
        let is_needed = !whole[at].0.starts_with(b"sessionAttr:");
        for end in 1..whole[at].1.len() {
            let mut cut = whole.clone();
            cut[at].1.truncate(end);
            if is_needed {
                assert!(matches!(read(&cut, None), Err(Unreadable::Malformed(_))), "{at} {end}");
                continue;
            }
            let session = read(&cut, None).unwrap();
            let left = session.left_behind.iter();
            let left = left.filter(|it| it.class == "an object that cannot be read").count();
            assert_eq!((left, fields(&cut)), (1, fields(&whole)), "{at} {end}");
        }
        let mut missing = whole.clone();
        let (name, _) = missing.remove(at);
        assert_eq!(read(&missing, None).is_err(), is_needed, "{name:?}");
    }
}

#[test]
fn an_attribute_that_holds_itself_or_fills_all_room_costs_only_itself() {
    let whole = hash("plain");
    let of_plain = |hash: &[(Bytes, Bytes)]| {
        let session = read(hash, None).unwrap();
        let left: Vec<_> = session.left_behind.into_iter().map(|it| (it.field, it.class)).collect();
        (session.fields.len(), left)
    };
    let (kept, left_of_plain) = of_plain(&whole);
    // An Integer whose value is a reference to itself, and 200,000 bytes.
    let knot =
        b"\xac\xed\0\x05\x73\x72\0\x11java.lang.Integer\0\0\0\0\0\0\0\0\x02\0\x01L\0\x05value\
        \x74\0\x12Ljava/lang/Object;\x78\x70\x71\0\x7e\0\x02";
    let bytes = b"\xac\xed\0\x05\x75\x72\0\x02[B\0\0\0\0\0\0\0\0\x02\0\0\x78\x70\0\x03\x0d\x40";
    let bytes = [&bytes[..], &[7; 200_000]].concat();
    assert_eq!(knot.len(), 72);
    let mut hash = vec![("sessionAttr:photo".into(), bytes.into())];
    hash.push(("sessionAttr:knot".into(), Bytes::from_static(knot)));
    hash.extend(whole);
    let (kept_now, mut left) = of_plain(&hash);
    left.retain(|it| !left_of_plain.contains(it));
    let lines =
        [("knot", "an object that holds itself"), ("photo", "a collection that is too large")];
    assert_eq!(left, lines.map(|(field, class)| (field.to_owned(), class.to_owned())));
    assert_eq!(kept_now, kept);
}
