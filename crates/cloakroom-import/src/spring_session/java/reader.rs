//! [`Reader`]: takes a stream apart, byte after byte, and builds its graph.
//!
//! Every method answers `None` where the stream is not what it has to be there, and then all of it is
//! none.

use std::sync::Arc;

use super::modified_utf8::modified_utf8;
use super::{Class, Item, Node, Object, Own};

const FIRST_HANDLE: u32 = 0x7e_0000;
const MAX_DEPTH: usize = 64;

const HAS_OWN_DATA: u8 = 1;
const SERIALIZABLE: u8 = 2;
const EXTERNALIZABLE: u8 = 4;
const IN_BLOCKS: u8 = 8;

/// The place in the stream, and the graph of what was read so far.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    nodes: Vec<Node>,
    depth: usize,
}

enum Content {
    Item(Item),
    Block,
    End,
}

impl<'a> Reader<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self { rest: stream, nodes: Vec::new(), depth: 0 }
    }

    /// The one value that the stream holds, with the graph that it is the root of.
    pub(super) fn whole(mut self) -> Option<(Vec<Node>, Item)> {
        let root = self.item()?;
        self.rest.is_empty().then_some((self.nodes, root))
    }

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
        // As many fields as a class says have no bytes where it is not SERIALIZABLE.
        let (fields, own) = (Vec::new(), Vec::new());
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
        object.fields.shrink_to_fit();
        object.own.shrink_to_fit();
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
