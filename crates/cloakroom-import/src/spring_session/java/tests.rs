use super::*;

#[test]
fn a_long_text_is_read() {
    let mut bytes = [&MAGIC[..], &[0x7c], &70_000u64.to_be_bytes()].concat();
    bytes.extend([b'x'; 70_000]);
    let stream = Stream::read(&bytes).unwrap();
    assert!(matches!(stream.node(0), Node::Text(text) if text.len() == 70_000));
}

#[test]
fn what_is_cut_or_too_deep_is_no_stream() {
    let class = [&[0x72, 0, 1, b'x'][..], &[0; 8], &[2, 0, 1, b'L', 0, 1, b'f', 0x74, 0, 0]];
    let class = class.concat();
    let mut deep = MAGIC.to_vec();
    for _ in 0..100 {
        deep.push(0x73);
        deep.extend(&class);
        deep.extend([0x78, 0x70]);
    }
    assert!(Stream::read(&deep).is_none());
    assert!(Stream::read(&[0xac, 0xed, 0, 5, 0x75]).is_none());
    assert!(Stream::read(b"").is_none());
}

#[test]
fn what_many_objects_refer_to_is_held_once() {
    let (name, field) = ("c".repeat(10_000), "f".repeat(10_000));
    let text = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
    let class = [&[0x72][..], &text(&name), &[0; 8], &[2, 0, 1, b'Z'], &text(&field)].concat();
    // An array of as many objects as there is room for, all of the class of the first one.
    let count = 50_000u32;
    let array = [&[0x75, 0x72][..], &text("[Lx;"), &[0; 8], &[2, 0, 0, 0x78, 0x70]].concat();
    let mut bytes = [&MAGIC[..], &array, &count.to_be_bytes()].concat();
    bytes.extend([&[0x73][..], &class, &[0x78, 0x70, 1]].concat());
    for _ in 1..count {
        bytes.extend([0x73, 0x71, 0, 0x7e, 0, 2, 0]);
    }
    let stream = Stream::read(&bytes).unwrap();
    let objects = stream.nodes.iter().filter_map(|node| match node {
        Node::Object(object) => Some(object),
        _ => None,
    });
    let objects: Vec<_> = objects.collect();
    assert_eq!(objects.len(), count as usize);
    assert!(objects.iter().all(|it| Arc::ptr_eq(&it.class, &objects[0].class)));
    assert!(objects.iter().all(|it| Arc::ptr_eq(&it.fields[0].0, &objects[0].fields[0].0)));
}
