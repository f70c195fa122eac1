//! [`Stream`]: one value that Java's `ObjectOutputStream` has written, as a graph of nodes. The format
//! stands in the Java Object Serialization Specification, chapter 6.
//!
//! It knows no class: it follows what the stream itself says of classes, runs nothing, and gives up
//! on what is cut, too deep or of a kind that no session holds. Every step takes bytes from the
//! stream, and what a stream only refers to is shared, so the graph grows with the stream and by
//! nothing else: a byte of it becomes 50 at the very most.

use std::sync::Arc;

/// What every stream begins with.
pub(super) const MAGIC: [u8; 4] = [0xac, 0xed, 0, 5];

const FIRST_HANDLE: u32 = 0x7e_0000;
const MAX_DEPTH: usize = 64;

const HAS_OWN_DATA: u8 = 1;
const SERIALIZABLE: u8 = 2;
const EXTERNALIZABLE: u8 = 4;
const IN_BLOCKS: u8 = 8;

/// A value that was read from its beginning to its end.
pub(super) struct Stream {
    nodes: Vec<Node>,
    root: Item,
}

/// A value: a primitive one, or a place in the graph.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Character(u16),
    Node(usize),
}

/// A part of the graph.
pub(super) enum Node {
    /// Not complete yet, or nothing that a value is made of.
    Other,
    Text(Arc<str>),
    /// The constant's name.
    Enum(Arc<str>),
    Array(Vec<Item>),
    Object(Object),
    Class(Arc<Class>),
}

/// An object of any class.
pub(super) struct Object {
    class: Arc<Class>,
    /// In the order of the stream. A class may have a field of a name that its parent has.
    pub(super) fields: Vec<(Arc<str>, Item)>,
    /// What classes have written by themselves: objects, and blocks of bytes between them.
    pub(super) own: Vec<Own>,
}

pub(super) enum Own {
    Block,
    Item(Item),
}

pub(super) struct Class {
    name: String,
    flags: u8,
    fields: Vec<(u8, Arc<str>)>,
    parent: Option<usize>,
}

impl Object {
    pub(super) fn class(&self) -> &str {
        &self.class.name
    }

    pub(super) fn field(&self, name: &str) -> Option<Item> {
        self.fields.iter().rev().find(|(known, _)| **known == *name).map(|(_, item)| *item)
    }
}

impl Stream {
    /// Reads a whole stream; `None` where it is none.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { rest: bytes.strip_prefix(&MAGIC)?, nodes: Vec::new(), depth: 0 };
        let Content::Item(root) = reader.content()? else { return None };
        reader.rest.is_empty().then_some(Self { nodes: reader.nodes, root })
    }

    pub(super) fn root(&self) -> Item {
        self.root
    }

    pub(super) fn node(&self, at: usize) -> &Node {
        self.nodes.get(at).unwrap_or(&Node::Other)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    nodes: Vec<Node>,
    depth: usize,
}

enum Content {
    Item(Item),
    Block,
    End,
}

impl Reader<'_> {
    fn content(&mut self) -> Option<Content> {
        self.depth += 1;
        let content = if self.depth > MAX_DEPTH { None } else { self.content_here() };
        self.depth -= 1;
        content
    }

    fn content_here(&mut self) -> Option<Content> {
        let item = match self.byte()? {
            0x70 => Item::Null,
            0x71 => Item::Node(self.reference()?),
            0x72 => Item::Node(self.class_description()?),
            0x73 => self.object()?,
            0x74 => {
                let length = usize::from(self.short()?);
                self.text(length)?
            }
            0x75 => self.array()?,
            0x76 => {
                self.class()?;
                self.add(Node::Other)
            }
            0x77 => {
                let length = usize::from(self.byte()?);
                self.take(length)?;
                return Some(Content::Block);
            }
            0x78 => return Some(Content::End),
            0x7a => {
                let length = usize::try_from(self.int()?).ok()?;
                self.take(length)?;
                return Some(Content::Block);
            }
            0x7c => {
                let length = usize::try_from(self.long()?).ok()?;
                self.text(length)?
            }
            0x7e => self.constant()?,
            // Proxies, exceptions and resets are in no session.
            _ => return None,
        };
        Some(Content::Item(item))
    }

    fn item(&mut self) -> Option<Item> {
        match self.content()? {
            Content::Item(item) => Some(item),
            Content::Block | Content::End => None,
        }
    }

    fn object(&mut self) -> Option<Item> {
        let class = self.class()??;
        let item = self.add(Node::Other);
        let lineage = self.lineage(class)?;
        let count = lineage.iter().map(|class| class.fields.len()).sum();
        let (fields, own) = (Vec::with_capacity(count), Vec::new());
        let mut object = Object { class: lineage.last()?.clone(), fields, own };
        for class in lineage {
            if class.flags & EXTERNALIZABLE != 0 {
                if class.flags & IN_BLOCKS == 0 {
                    return None;
                }
                self.own(&mut object.own)?;
            } else if class.flags & SERIALIZABLE != 0 {
                for (kind, name) in &class.fields {
                    let value = self.value(*kind)?;
                    object.fields.push((name.clone(), value));
                }
                if class.flags & HAS_OWN_DATA != 0 {
                    self.own(&mut object.own)?;
                }
            }
        }
        self.complete(item, Node::Object(object))
    }

    /// A class with all its parents, the eldest first.
    fn lineage(&self, class: usize) -> Option<Vec<Arc<Class>>> {
        let (mut lineage, mut next) = (Vec::new(), Some(class));
        while let Some(at) = next {
            let Node::Class(class) = self.nodes.get(at)? else { return None };
            if lineage.len() == MAX_DEPTH {
                return None;
            }
            lineage.push(class.clone());
            next = class.parent;
        }
        lineage.reverse();
        Some(lineage)
    }

    fn own(&mut self, own: &mut Vec<Own>) -> Option<()> {
        loop {
            match self.content()? {
                Content::End => return Some(()),
                Content::Block => own.push(Own::Block),
                Content::Item(item) => own.push(Own::Item(item)),
            }
        }
    }

    fn array(&mut self) -> Option<Item> {
        let class = self.class_name()?;
        let item = self.add(Node::Other);
        let kind = *class.as_bytes().get(1)?;
        let count = self.int()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.value(kind)?);
        }
        self.complete(item, Node::Array(items))
    }

    fn constant(&mut self) -> Option<Item> {
        self.class()?;
        let item = self.add(Node::Other);
        let constant = self.string()?;
        self.complete(item, Node::Enum(constant))
    }

    fn text(&mut self, length: usize) -> Option<Item> {
        let text = modified_utf8(self.take(length)?)?;
        Some(self.add(Node::Text(text.into())))
    }

    /// The description of a class, new or known; within, `None` where there is none.
    fn class(&mut self) -> Option<Option<usize>> {
        match self.item()? {
            Item::Null => Some(None),
            Item::Node(at) if matches!(self.nodes.get(at)?, Node::Class(_)) => Some(Some(at)),
            _ => None,
        }
    }

    fn class_name(&mut self) -> Option<String> {
        let at = self.class()??;
        match self.nodes.get(at)? {
            Node::Class(class) => Some(class.name.clone()),
            _ => None,
        }
    }

    fn class_description(&mut self) -> Option<usize> {
        let name = self.short_text()?;
        self.long()?;
        let Item::Node(at) = self.add(Node::Other) else { return None };
        let flags = self.byte()?;
        let mut fields = Vec::new();
        for _ in 0..self.short()? {
            let kind = self.byte()?;
            let name = self.short_text()?;
            if matches!(kind, b'[' | b'L') {
                self.string()?;
            }
            fields.push((kind, name.into()));
        }
        self.own(&mut Vec::new())?;
        let parent = self.class()?;
        self.complete(
            Item::Node(at),
            Node::Class(Arc::new(Class { name, flags, fields, parent })),
        )?;
        Some(at)
    }

    fn value(&mut self, kind: u8) -> Option<Item> {
        Some(match kind {
            b'Z' => Item::Boolean(self.byte()? != 0),
            b'B' => Item::Integer(i8::from_be_bytes([self.byte()?]).into()),
            b'S' => Item::Integer(i16::from_be_bytes(self.bytes()?).into()),
            b'I' => Item::Integer(i32::from_be_bytes(self.bytes()?).into()),
            b'J' => Item::Integer(i64::from_be_bytes(self.bytes()?)),
            b'F' => Item::Float(f32::from_be_bytes(self.bytes()?).into()),
            b'D' => Item::Float(f64::from_be_bytes(self.bytes()?)),
            b'C' => Item::Character(self.short()?),
            b'L' | b'[' => self.item()?,
            _ => return None,
        })
    }

    fn reference(&mut self) -> Option<usize> {
        let at = usize::try_from(self.int()?.checked_sub(FIRST_HANDLE)?).ok()?;
        (at < self.nodes.len()).then_some(at)
    }

    fn string(&mut self) -> Option<Arc<str>> {
        let Item::Node(at) = self.item()? else { return None };
        match self.nodes.get(at)? {
            Node::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn short_text(&mut self) -> Option<String> {
        let length = usize::from(self.short()?);
        modified_utf8(self.take(length)?)
    }

    /// Gives the next handle to a node.
    fn add(&mut self, node: Node) -> Item {
        self.nodes.push(node);
        Item::Node(self.nodes.len() - 1)
    }

    fn complete(&mut self, item: Item, node: Node) -> Option<Item> {
        let Item::Node(at) = item else { return None };
        *self.nodes.get_mut(at)? = node;
        Some(item)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes().map(|[byte]| byte)
    }

    fn short(&mut self) -> Option<u16> {
        self.bytes().map(u16::from_be_bytes)
    }

    fn int(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_be_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_be_bytes)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }

    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }
}

/// Java's own UTF-8: a NUL takes two bytes, and what is beyond 16 bits takes two halves of three.
fn modified_utf8(bytes: &[u8]) -> Option<String> {
    let (mut units, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    let low = |byte: u8| (byte & 0xc0 == 0x80).then_some(u16::from(byte & 0x3f));
    while let Some((&first, next)) = rest.split_first() {
        let (unit, next) = match (first, next) {
            (0..0x80, next) => (u16::from(first), next),
            (0xc0..0xe0, [second, next @ ..]) => {
                (u16::from(first & 0x1f) << 6 | low(*second)?, next)
            }
            (0xe0..0xf0, [second, third, next @ ..]) => {
                (u16::from(first & 0x0f) << 12 | low(*second)? << 6 | low(*third)?, next)
            }
            _ => return None,
        };
        units.push(unit);
        rest = next;
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn whatever_comes_it_ends(bytes in prop::collection::vec(prop_oneof![0x70..0x7fu8, any::<u8>(), 0..4u8], 0..300)) {
            let _ = Stream::read(&[&MAGIC[..], &bytes].concat());
        }
    }
}
