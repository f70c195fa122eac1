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
    let record: Record = rmp_serde::from_slice(raw.text()?)
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
