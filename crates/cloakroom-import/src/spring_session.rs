//! Spring Session: one hash per session with its times and `sessionAttr:NAME` for each attribute.
//! Values are Java-serialised unless the application has chosen JSON.
//!
//! Texts, numbers, booleans, enums, and collections of these are taken. Other Java objects are left
//! behind, each with its class, unless they were written as JSON.

mod jackson;
mod java;
mod java_value;

use std::collections::HashMap;
use std::time::Duration;

use cloakroom::Timestamp;
use serde_json::{Map, Value};

use crate::old_session::{LeftBehind, OldSession, Raw, RawValue, Unreadable};

use java_value::{Expressed, Room};

const ATTRIBUTE: &str = "sessionAttr:";

/// Stands for the class where an attribute could not be read at all.
const UNREADABLE: &str = "an object that cannot be read";

const EXPECTED: Unreadable = Unreadable::Malformed("a hash of Spring Session");

pub(crate) fn read(raw: &Raw<'_>, now: Timestamp) -> Result<OldSession, Unreadable> {
    let RawValue::Hash(hash) = raw.value else { return Err(Unreadable::OtherType) };
    let (mut attributes, mut facts) = (Vec::new(), HashMap::new());
    for (name, value) in hash {
        let name = str::from_utf8(name).map_err(|_| EXPECTED)?;
        match name.strip_prefix(ATTRIBUTE) {
            Some(name) => attributes.push((name, value)),
            None => drop(facts.insert(name, value)),
        }
    }
    let number = |name| match express(facts.get(name).ok_or(EXPECTED)?, &mut Room::default())? {
        Expressed::Taken(value) => value.as_i64().ok_or(EXPECTED),
        Expressed::Left { .. } => Err(EXPECTED),
    };
    // The short ones first: one that takes all the room leaves none to those behind it.
    attributes.sort_by_key(|(_, value)| value.len());
    let (mut fields, mut left_behind, mut room) = (Map::new(), Vec::new(), Room::default());
    for (name, value) in attributes {
        // What cannot be read of an attribute costs the session that attribute and no more.
        let unreadable = |_| Expressed::Left { class: UNREADABLE.to_owned(), shape: Value::Null };
        match express(value, &mut room).unwrap_or_else(unreadable) {
            Expressed::Taken(value) => drop(fields.insert(name.to_owned(), value)),
            Expressed::Left { class, shape } => {
                left_behind.push(LeftBehind { field: name.to_owned(), class, shape });
            }
        }
    }
    let mut session = OldSession::new(raw, fields);
    session.left_behind = left_behind;
    let created = u64::try_from(number("creationTime")?).map_err(|_| EXPECTED)?;
    session.created = Some(Timestamp::from_millis(created));
    let used = u64::try_from(number("lastAccessedTime")?).map_err(|_| EXPECTED)?;
    // An attribute that was removed is an empty value in some versions: nothing is there to take.
    session.fields.retain(|_, value| !value.is_null());
    // A session that has no limit is one with a negative number.
    if let Ok(idle) = u64::try_from(number("maxInactiveInterval")?) {
        let end = Duration::from_millis(used).saturating_add(Duration::from_secs(idle));
        // The key outlives the session where Spring wants to hear of its end.
        let left = end.saturating_sub(Duration::from_millis(now.as_millis()));
        session.time_left = Some(session.time_left.map_or(left, |key| key.min(left)));
    }
    Ok(session)
}

fn express(value: &[u8], room: &mut Room) -> Result<Expressed, Unreadable> {
    if value.is_empty() {
        return Ok(Expressed::Taken(Value::Null));
    }
    if value.starts_with(&java::MAGIC) {
        let stream = java::Stream::read(value)
            .ok_or(Unreadable::Malformed("a Java object that was serialised"))?;
        return Ok(java_value::express(&stream, room));
    }
    let value = serde_json::from_slice(value)
        .map_err(|_| Unreadable::Malformed("a serialised Java object or JSON"))?;
    Ok(Expressed::Taken(jackson::untyped(value)))
}
