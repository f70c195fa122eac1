//! Streams that no Java has written: knots, graphs that unfold, classes without bytes, and any bytes.

use proptest::prelude::*;

use super::super::java::MAGIC;
use super::*;

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

/// A class of these fields and this parent, which takes two handles more with a field of objects.
fn class(name: &str, flags: u8, fields: &[(u8, &str)], parent: &[u8]) -> Vec<u8> {
    let mut bytes = [&[0x72][..], &text(name), &[0; 8], &[flags]].concat();
    bytes.extend((fields.len() as u16).to_be_bytes());
    for (kind, name) in fields {
        bytes.push(*kind);
        bytes.extend(text(name));
        if *kind == b'L' {
            bytes.push(0x74);
            bytes.extend(text("Ljava/lang/Object;"));
        }
    }
    [&bytes[..], &[0x78], parent].concat()
}

fn reference(handle: u8) -> [u8; 5] {
    [0x71, 0, 0x7e, 0, handle]
}

fn array(items: &[Vec<u8>]) -> Vec<u8> {
    let class = class("[Ljava.lang.Object;", 2, &[], &[0x70]);
    [&[0x75][..], &class, &(items.len() as u32).to_be_bytes(), &items.concat()].concat()
}

fn read(value: &[u8]) -> Stream {
    Stream::read(&[&MAGIC[..], value].concat()).unwrap()
}

/// The class that is left behind, and what can be shown of it.
fn left(value: &[u8]) -> (String, Value) {
    match express(&read(value), &mut Room::default()) {
        Expressed::Left { class, shape } => (class, shape),
        Expressed::Taken(value) => panic!("{value}"),
    }
}

#[test]
fn a_number_that_is_its_own_value_is_left_behind() {
    let class = class("java.lang.Integer", 2, &[(b'L', "value")], &[0x70]);
    let itself = [&[0x73][..], &class, &reference(2)].concat();
    assert_eq!(MAGIC.len() + itself.len(), 72);
    assert_eq!(left(&itself), ("an object that holds itself".to_owned(), Value::Null));
}

#[test]
fn an_object_that_holds_itself_is_shown_without_itself() {
    let class = class("shop.User", 2, &[(b'Z', "is_here"), (b'L', "self")], &[0x70]);
    let user = [&[0x73][..], &class, &[1], &reference(2)].concat();
    let shape = serde_json::json!({ "is_here": true, "self": null });
    assert_eq!(left(&user), ("shop.User".to_owned(), shape));
}

/// A list of a list of a list, and each holds the next one twice: a few hundred bytes that unfold to
/// millions of values. The handle is its class's.
fn unfolding(steps: u8, handle: u8, innermost: &[u8]) -> Vec<u8> {
    if steps == 0 {
        return innermost.to_vec();
    }
    let next = unfolding(steps - 1, handle + 2, innermost);
    let list = class("java.util.ArrayList", 3, &[], &[0x70]);
    [&[0x73][..], &list, &[0x77, 0], &next, &reference(handle + 3), &[0x78]].concat()
}

#[test]
fn what_unfolds_beyond_all_measure_is_left_behind_without_a_shape() {
    let too_large = (TOO_LARGE.to_owned(), Value::Null);
    let object = |name| [&[0x73][..], &class(name, 2, &[], &[0x70])].concat();
    assert_eq!(left(&unfolding(25, 0, &object("java.util.Collections$EmptyList"))), too_large);
    assert_eq!(
        left(&unfolding(25, 0, &object("shop.User"))),
        ("shop.User".to_owned(), Value::Null)
    );
    let long = [&[0x74][..], &text(&"x".repeat(60_000))].concat();
    let mut items = vec![long];
    items.resize(100, reference(2).to_vec());
    assert_eq!(left(&array(&items)), too_large, "six million letters");
    let itself = array(&vec![reference(1).to_vec(); 100_000]);
    assert_eq!(left(&itself), ("an object that holds itself".to_owned(), Value::Null));
}

#[test]
fn the_attributes_of_a_session_share_one_room() {
    let bytes = [&[0x75][..], &class("[B", 2, &[], &[0x70]), &60_000u32.to_be_bytes()].concat();
    let stream = read(&[bytes, vec![7; 60_000]].concat());
    let mut room = Room::default();
    assert!(matches!(express(&stream, &mut room), Expressed::Taken(_)));
    let second = express(&stream, &mut room);
    assert!(matches!(second, Expressed::Left { class, .. } if class == TOO_LARGE));
}

/// Fields that stand for no byte: 70,000 objects of 195,000 each are 365 GB of room, if any is made.
#[test]
fn fields_without_bytes_take_no_room() {
    let fields = vec![(b'Z', ""); 65_000];
    let mut lineage = vec![0x70];
    for name in ["a", "b", "c"] {
        lineage = class(name, 0, &fields, &lineage);
    }
    let mut items = vec![[&[0x73][..], &lineage].concat()];
    items.resize(70_000, [&[0x73][..], &reference(2)].concat());
    let stream = read(&array(&items));
    let Node::Array(items) = stream.node(1) else { panic!("no array") };
    for item in items {
        let Item::Node(at) = *item else { panic!("no object") };
        assert!(matches!(stream.node(at), Node::Object(it) if it.fields.capacity() == 0));
    }
}

/// How many values there are, and how many bytes of text.
fn size(value: &Value) -> (usize, usize) {
    let sum = |(values, bytes): (usize, usize), (more, text): (usize, usize)| {
        (values + more, bytes + text)
    };
    match value {
        Value::String(text) => (1, text.len()),
        Value::Array(items) => items.iter().map(size).fold((1, 0), sum),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| sum((0, name.len()), size(value))).fold((1, 0), sum)
        }
        _ => (1, 0),
    }
}

/// The whole way from bytes to the text of a field.
fn assert_ends(value: &[u8]) {
    let Some(stream) = Stream::read(&[&MAGIC[..], value].concat()) else { return };
    let told = match express(&stream, &mut Room::default()) {
        Expressed::Taken(value) => value,
        Expressed::Left { shape, .. } => shape,
    };
    let (values, bytes) = size(&told);
    let room = Room::default();
    // A number or a character takes a few bytes, which are not counted.
    assert!(values <= room.values && bytes <= room.bytes + 25 * room.values);
    serde_json::from_str::<Value>(&told.to_string()).unwrap();
}

/// The classes that are told each in its own way, with the fields that are looked at.
const CLASSES: [(&str, u8, &[&str]); 14] = [
    ("java.lang.Integer", 2, &["value"]),
    ("java.lang.Character", 2, &["value"]),
    ("java.util.ArrayList", 3, &[]),
    ("java.util.HashMap", 3, &[]),
    ("java.util.concurrent.ConcurrentHashMap", 3, &[]),
    ("java.util.CollSer", 3, &["tag"]),
    ("java.util.Arrays$ArrayList", 2, &["a"]),
    ("java.util.Vector", 2, &["elementData", "elementCount"]),
    ("java.util.Collections$SingletonList", 2, &["element"]),
    ("java.util.Collections$SingletonMap", 2, &["k", "v"]),
    ("java.util.Collections$UnmodifiableMap", 2, &["m"]),
    ("java.util.Collections$SynchronizedList", 2, &["c"]),
    ("shop.User", 3, &["friend", "self"]),
    ("shop.Nothing", 0, &["none"]),
];

fn arbitrary_value() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(vec![0x70]),
        (0..30u8).prop_map(|handle| reference(handle).to_vec()),
        "[a-z]{0,3}".prop_map(|it| [&[0x74][..], &text(&it)].concat()),
    ];
    leaf.prop_recursive(6, 60, 5, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..5);
        let object = (0..CLASSES.len(), prop::collection::vec(inner, 0..6));
        prop_oneof![
            items.prop_map(|items| array(&items)),
            object.prop_map(|(at, mut items)| {
                let (name, flags, fields) = CLASSES[at];
                let described: Vec<_> = fields.iter().map(|name| (b'L', *name)).collect();
                let mut bytes = [&[0x73][..], &class(name, flags, &described, &[0x70])].concat();
                if flags & 2 != 0 {
                    items.resize(items.len().max(fields.len()), vec![0x70]);
                    bytes.extend(items.drain(..fields.len()).flatten());
                }
                if flags & 1 != 0 {
                    bytes.extend([0x77, 0]);
                    bytes.extend(items.concat());
                    bytes.push(0x78);
                }
                bytes
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_bytes_come_it_ends(bytes in prop::collection::vec(prop_oneof![0x70..0x7fu8, any::<u8>(), 0..4u8], 0..300)) {
        assert_ends(&bytes);
    }

    #[test]
    fn whatever_graph_comes_it_ends(value in arbitrary_value()) {
        assert_ends(&value);
    }
}
