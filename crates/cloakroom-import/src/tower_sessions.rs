//! tower-sessions: one MessagePack record per session, an array of id, data and expiry date, under a
//! key that is the id alone.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloakroom::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::old_session::{OldSession, Raw, Unreadable};

/// How deep a value may be, as in JSON. Each step takes some of the thread's stack.
const MAX_DEPTH: usize = 128;

#[derive(Deserialize)]
struct Record {
    id: i128,
    data: Map<String, Value>,
    expiry_date: OffsetDateTime,
}

/// Whether a text is an id: 16 bytes in base64url.
pub(crate) fn is_id(text: &str) -> bool {
    number(text).is_some()
}

pub(crate) fn read(raw: &Raw<'_>, now: Timestamp) -> Result<OldSession, Unreadable> {
    let mut bytes = rmp_serde::Deserializer::from_read_ref(raw.text()?);
    bytes.set_max_depth(MAX_DEPTH);
    let record = Record::deserialize(&mut bytes)
        .map_err(|_| Unreadable::Malformed("a record in MessagePack"))?;
    if number(raw.id) != Some(record.id) {
        return Err(Unreadable::OtherId);
    }
    let mut session = OldSession::new(raw, record.data);
    session.time_left.get_or_insert_with(|| left(record.expiry_date, now));
    Ok(session)
}

fn number(id: &str) -> Option<i128> {
    let mut bytes = [0; 16];
    let written = URL_SAFE_NO_PAD.decode_slice(id, &mut bytes).ok()?;
    (written == bytes.len()).then(|| i128::from_le_bytes(bytes))
}

fn left(expiry: OffsetDateTime, now: Timestamp) -> Duration {
    let expiry = u64::try_from(expiry.unix_timestamp()).unwrap_or(0);
    Duration::from_secs(expiry).saturating_sub(Duration::from_millis(now.as_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::old_session::RawValue;

    #[test]
    fn a_value_that_is_too_deep_is_unreadable() {
        let read = |depth| {
            // The id as 16 bytes, a map of one field, and the first day of 1970.
            let mut record = [&[0x93, 0xc4, 16][..], &[0; 16], &[0x81, 0xa1, b'k']].concat();
            record.extend(vec![0x91; depth]);
            record.push(0xc0);
            record.extend(rmp_serde::to_vec(&OffsetDateTime::UNIX_EPOCH).unwrap());
            let id = "A".repeat(22);
            let raw = Raw { id: &id, value: RawValue::Text(&record), time_left: None };
            super::read(&raw, Timestamp::from_millis(0))
        };
        assert!(read(100).is_ok());
        for depth in [200, 1_000, 1_000_000] {
            assert!(matches!(read(depth), Err(Unreadable::Malformed(_))), "{depth}");
        }
    }
}
