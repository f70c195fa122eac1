//! The fixtures, as `tests/fixtures/README.md` describes them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloakroom::Timestamp;
use cloakroom_import::{Library, OldSession, Raw, RawValue, Unreadable};
use serde_json::Value;

/// The key that signs and encrypts in the fixtures.
pub(crate) const KEY: &[u8; 64] =
    b"0123456789012345678901234567890123456789012345678901234567890123";

/// One session with its cookie.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
    pub(crate) cookie_name: String,
    pub(crate) cookie: String,
}

pub(crate) fn case(library: Library, case: &str) -> Case {
    let text = match library {
        Library::TowerSessions => include_str!("../fixtures/tower-sessions.json"),
        Library::ActixSession => include_str!("../fixtures/actix-session.json"),
        Library::ConnectRedis => include_str!("../fixtures/connect-redis.json"),
        other => panic!("{other} has no cookies in its fixture"),
    };
    let all: Value = serde_json::from_str(text).unwrap();
    let case = &all["cases"][case];
    let (cookie_name, cookie) = case["cookie"].as_str().unwrap().split_once('=').unwrap();
    let key = &case["keys"][0];
    Case {
        name: key["name"].as_str().unwrap().to_owned(),
        value: bytes(&key["value"]),
        cookie_name: cookie_name.to_owned(),
        cookie: cookie.to_owned(),
    }
}

/// A hash of Spring Session.
pub(crate) fn hash(case: &str) -> Vec<(Bytes, Bytes)> {
    let all = include_str!("../fixtures/spring-session.json");
    let all: Value = serde_json::from_str(all).unwrap();
    let fields = all["cases"][case].as_object().unwrap().iter();
    fields.map(|(name, value)| (name.clone().into(), bytes(value).into())).collect()
}

pub(crate) fn read(library: Library, case: &Case) -> Result<OldSession, Unreadable> {
    let id = library.id_in(case.name.as_bytes(), library.usual_prefix()).unwrap();
    let left = Some(Duration::from_secs(60));
    let raw = Raw { id, value: RawValue::Text(&case.value), time_left: left };
    library.read(&raw, Timestamp::from_millis(0))
}

fn bytes(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}
