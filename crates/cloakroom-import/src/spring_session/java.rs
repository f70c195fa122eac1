//! [`Stream`]: one value that Java's `ObjectOutputStream` has written, as a graph of nodes. The format
//! stands in the Java Object Serialization Specification, chapter 6.
//!
//! It knows no class: it follows what the stream itself says of classes, runs nothing, and gives up
//! on what is cut, too deep or of a kind that no session holds. Every step takes bytes from the
//! stream, what a stream only refers to is shared, and room is made for nothing before its bytes have
//! come: the graph grows with the stream and by nothing else. It may be a knot all the same; whoever
//! follows its references must see to an end.

mod modified_utf8;
mod reader;

use std::sync::Arc;

use reader::Reader;

/// What every stream begins with.
pub(super) const MAGIC: [u8; 4] = [0xac, 0xed, 0, 5];

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
        let (nodes, root) = Reader::new(bytes.strip_prefix(&MAGIC)?).whole()?;
        Some(Self { nodes, root })
    }

    pub(super) fn root(&self) -> Item {
        self.root
    }

    pub(super) fn node(&self, at: usize) -> &Node {
        self.nodes.get(at).unwrap_or(&Node::Other)
    }
}

#[cfg(test)]
mod tests;
