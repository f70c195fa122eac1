//! From a Java value to JSON: texts, numbers, booleans, enums, and Java's own collections of them.
//! Everything else is an object of a program.
//!
//! A stream writes a value once and may refer to it from many places, and from within. So there is one
//! way down, [`Teller::node`], which ends at what holds itself and at a depth; and everything told
//! takes its place in a [`Room`], which a session's attributes share.

use serde_json::{Map, Number, Value};

use super::java::{Item, Node, Object, Own, Stream};

const MAX_DEPTH: usize = 64;

const TOO_LARGE: &str = "a collection that is too large";

/// What is left of what the attributes of one session may become.
pub(super) struct Room {
    values: usize,
    /// Of text: at first more than any session may take.
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { values: 100_000, bytes: 1024 * 1024 }
    }
}

/// What a value has become.
pub(super) enum Expressed {
    Taken(Value),
    /// It holds an object of this class; the shape shows its fields.
    Left {
        class: String,
        shape: Value,
    },
}

/// Expresses a stream within the room that is left. What was told in vain has taken room as well: it
/// was work.
pub(super) fn express(stream: &Stream, room: &mut Room) -> Expressed {
    match Teller::new(stream, Objects::Refused, room).tell(stream.root()) {
        Ok(value) => Expressed::Taken(value),
        Err(class) => {
            let shape = Teller::new(stream, Objects::Shown, room).tell(stream.root());
            Expressed::Left { class, shape: shape.unwrap_or(Value::Null) }
        }
    }
}

/// What becomes of a program's objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Objects {
    /// The whole value cannot be told.
    Refused,
    /// Their fields are told.
    Shown,
}

struct Teller<'a> {
    stream: &'a Stream,
    objects: Objects,
    room: &'a mut Room,
    /// The nodes that are being told, each within the one before.
    path: Vec<usize>,
}

/// A value, or the class of what cannot be told.
type Told<T = Value> = Result<T, String>;

impl<'a> Teller<'a> {
    fn new(stream: &'a Stream, objects: Objects, room: &'a mut Room) -> Self {
        Self { stream, objects, room, path: Vec::new() }
    }

    fn tell(&mut self, item: Item) -> Told {
        self.room.values = self.room.values.checked_sub(1).ok_or(TOO_LARGE)?;
        match item {
            Item::Null => Ok(Value::Null),
            Item::Boolean(value) => Ok(value.into()),
            Item::Integer(value) => Ok(value.into()),
            Item::Float(value) => match Number::from_f64(value) {
                Some(number) => Ok(number.into()),
                None => self.refuse("a number that is not finite"),
            },
            Item::Character(unit) => match char::from_u32(unit.into()) {
                Some(character) => Ok(character.to_string().into()),
                None => self.refuse("half a character"),
            },
            Item::Node(at) => self.node(at),
        }
    }

    fn node(&mut self, at: usize) -> Told {
        if self.path.contains(&at) {
            return self.refuse("an object that holds itself");
        }
        if self.path.len() == MAX_DEPTH {
            return self.refuse(TOO_LARGE);
        }
        self.path.push(at);
        let told = match self.stream.node(at) {
            Node::Text(text) | Node::Enum(text) => self.text(text).map(Value::from),
            Node::Array(items) => self.list(items.iter().copied()),
            Node::Object(object) => self.object(object),
            Node::Class(_) | Node::Other => self.refuse("java.lang.Class"),
        };
        self.path.pop();
        told
    }

    fn object(&mut self, object: &'a Object) -> Told {
        let field = |name: &str| object.field(name).unwrap_or(Item::Null);
        let class = object.class().strip_prefix("java.util.").unwrap_or(object.class());
        match class {
            "java.lang.Integer"
            | "java.lang.Long"
            | "java.lang.Short"
            | "java.lang.Byte"
            | "java.lang.Double"
            | "java.lang.Float"
            | "java.lang.Boolean"
            | "java.lang.Character" => self.tell(field("value")),
            "ArrayList" | "LinkedList" | "HashSet" | "LinkedHashSet" | "TreeSet" | "ArrayDeque" => {
                self.list(elements(object))
            }
            "HashMap" | "LinkedHashMap" | "TreeMap" | "Hashtable" => self.map(elements(object)),
            // Its end is a pair of nulls; it holds none itself.
            "concurrent.ConcurrentHashMap" => {
                self.map(all_items(object).filter(|item| *item != Item::Null))
            }
            "CollSer" => match field("tag") {
                Item::Integer(tag) if tag & 0xff == 3 => self.map(elements(object)),
                _ => self.list(elements(object)),
            },
            "Arrays$ArrayList" => self.tell(field("a")),
            "Vector" | "Stack" => self.vector(field("elementData"), field("elementCount")),
            "Collections$EmptyList" | "Collections$EmptySet" => Ok(Value::Array(Vec::new())),
            "Collections$EmptyMap" => Ok(Value::Object(Map::new())),
            "Collections$SingletonList" | "Collections$SingletonSet" => {
                self.list([field("element")].into_iter())
            }
            "Collections$SingletonMap" => self.map([field("k"), field("v")].into_iter()),
            _ if is_wrapper(class) => {
                let inner = if class.ends_with("Map") { field("m") } else { field("c") };
                self.tell(inner)
            }
            _ if self.objects == Objects::Shown => {
                let mut shown = Map::new();
                for (name, item) in &object.fields {
                    shown.insert(self.text(name)?, self.tell(*item)?);
                }
                Ok(shown.into())
            }
            _ => Err(object.class().to_owned()),
        }
    }

    fn text(&mut self, text: &str) -> Told<String> {
        self.room.bytes = self.room.bytes.checked_sub(text.len()).ok_or(TOO_LARGE)?;
        Ok(text.to_owned())
    }

    fn list(&mut self, items: impl Iterator<Item = Item>) -> Told {
        items.map(|item| self.tell(item)).collect()
    }

    fn vector(&mut self, data: Item, count: Item) -> Told {
        let (Item::Node(at), Item::Integer(count)) = (data, count) else {
            return self.refuse("java.util.Vector");
        };
        match (self.stream.node(at), usize::try_from(count)) {
            (Node::Array(items), Ok(count)) => self.list(items.iter().copied().take(count)),
            _ => self.refuse("java.util.Vector"),
        }
    }

    fn map(&mut self, mut items: impl Iterator<Item = Item>) -> Told {
        let mut map = Map::new();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let key = match self.tell(key)? {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(value) => value.to_string(),
                _ => return self.refuse("a map whose keys are no texts"),
            };
            let value = self.tell(value)?;
            map.insert(key, value);
        }
        Ok(map.into())
    }

    fn refuse(&self, class: &str) -> Told {
        match self.objects {
            Objects::Refused => Err(class.to_owned()),
            Objects::Shown => Ok(Value::Null),
        }
    }
}

/// The wrappers of `Collections`, which hold another collection.
fn is_wrapper(class: &str) -> bool {
    let name = class.strip_prefix("Collections$");
    name.is_some_and(|name| name.starts_with("Unmodifiable") || name.starts_with("Synchronized"))
}

/// What a collection has written behind its own numbers.
fn elements(object: &Object) -> impl Iterator<Item = Item> {
    let behind = object.own.iter().skip_while(|own| matches!(own, Own::Item(_)));
    behind.filter_map(|own| match own {
        Own::Item(item) => Some(*item),
        Own::Block => None,
    })
}

fn all_items(object: &Object) -> impl Iterator<Item = Item> {
    object.own.iter().filter_map(|own| match own {
        Own::Item(item) => Some(*item),
        Own::Block => None,
    })
}

#[cfg(test)]
mod tests;
