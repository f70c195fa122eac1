//! From a Java value to JSON: texts, numbers, booleans, enums, and Java's own collections of them.
//! Everything else is an object of a program.

use serde_json::{Map, Number, Value};

use super::java::{Item, Node, Object, Own, Stream};

/// How many values one attribute may become. References are written once and may be met often.
const MAX_VALUES: usize = 100_000;

/// How many bytes of text: more than any session may take. A text is written once as well.
const MAX_BYTES: usize = 1024 * 1024;

const MAX_DEPTH: usize = 64;

/// What a value has become.
pub(super) enum Expressed {
    Taken(Value),
    /// It holds an object of this class; the shape shows its fields.
    Left {
        class: String,
        shape: Value,
    },
}

pub(super) fn express(stream: &Stream) -> Expressed {
    match Teller::new(stream, Objects::Refused).tell(stream.root(), 0) {
        Ok(value) => Expressed::Taken(value),
        Err(class) => {
            let shape = Teller::new(stream, Objects::Shown).tell(stream.root(), 0);
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
    told: usize,
    bytes: usize,
}

/// A value, or the class of what cannot be told.
type Told<T = Value> = Result<T, String>;

impl<'a> Teller<'a> {
    fn new(stream: &'a Stream, objects: Objects) -> Self {
        Self { stream, objects, told: 0, bytes: 0 }
    }

    fn tell(&mut self, item: Item, depth: usize) -> Told {
        self.told += 1;
        if depth == MAX_DEPTH || self.told > MAX_VALUES || self.bytes > MAX_BYTES {
            return self.refuse("a collection that is too large");
        }
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
            Item::Node(at) => self.tell_node(self.stream.node(at), depth),
        }
    }

    fn tell_node(&mut self, node: &'a Node, depth: usize) -> Told {
        match node {
            Node::Text(text) | Node::Enum(text) => Ok(self.text(text).into()),
            Node::Array(items) => self.list(items.iter().copied(), depth),
            Node::Object(object) => self.object(object, depth),
            Node::Class(_) | Node::Other => self.refuse("java.lang.Class"),
        }
    }

    fn object(&mut self, object: &'a Object, depth: usize) -> Told {
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
            | "java.lang.Character" => self.tell(field("value"), depth),
            "ArrayList" | "LinkedList" | "HashSet" | "LinkedHashSet" | "TreeSet" | "ArrayDeque" => {
                self.list(elements(object), depth)
            }
            "HashMap" | "LinkedHashMap" | "TreeMap" | "Hashtable" => {
                self.map(elements(object), depth)
            }
            // Its end is a pair of nulls; it holds none itself.
            "concurrent.ConcurrentHashMap" => {
                self.map(all_items(object).filter(|item| *item != Item::Null), depth)
            }
            "CollSer" => match field("tag") {
                Item::Integer(tag) if tag & 0xff == 3 => self.map(elements(object), depth),
                _ => self.list(elements(object), depth),
            },
            "Arrays$ArrayList" => self.tell(field("a"), depth + 1),
            "Vector" | "Stack" => self.vector(field("elementData"), field("elementCount"), depth),
            "Collections$EmptyList" | "Collections$EmptySet" => Ok(Value::Array(Vec::new())),
            "Collections$EmptyMap" => Ok(Value::Object(Map::new())),
            "Collections$SingletonList" | "Collections$SingletonSet" => {
                self.list([field("element")].into_iter(), depth)
            }
            "Collections$SingletonMap" => self.map([field("k"), field("v")].into_iter(), depth),
            _ if is_wrapper(class) => {
                let inner = if class.ends_with("Map") { field("m") } else { field("c") };
                self.tell(inner, depth + 1)
            }
            _ if self.objects == Objects::Shown => {
                let mut shown = Map::new();
                for (name, item) in &object.fields {
                    shown.insert(self.text(name), self.tell(*item, depth + 1)?);
                }
                Ok(shown.into())
            }
            _ => Err(object.class().to_owned()),
        }
    }

    fn text(&mut self, text: &str) -> String {
        self.bytes += text.len();
        text.to_owned()
    }

    fn list(&mut self, items: impl Iterator<Item = Item>, depth: usize) -> Told {
        items.map(|item| self.tell(item, depth + 1)).collect()
    }

    fn vector(&mut self, data: Item, count: Item, depth: usize) -> Told {
        let (Item::Node(at), Item::Integer(count)) = (data, count) else {
            return self.refuse("java.util.Vector");
        };
        match (self.stream.node(at), usize::try_from(count)) {
            (Node::Array(items), Ok(count)) => self.list(items.iter().copied().take(count), depth),
            _ => self.refuse("java.util.Vector"),
        }
    }

    fn map(&mut self, mut items: impl Iterator<Item = Item>, depth: usize) -> Told {
        let mut map = Map::new();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let key = match self.tell(key, depth + 1)? {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(value) => value.to_string(),
                _ => return self.refuse("a map whose keys are no texts"),
            };
            let value = self.tell(value, depth + 1)?;
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
