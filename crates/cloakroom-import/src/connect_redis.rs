//! express-session in connect-redis: one JSON object per session; what the library needs for the
//! cookie stands in its field `cookie`.

use serde_json::{Map, Value};

use crate::old_session::{OldSession, Raw, Unreadable};

pub(crate) fn read(raw: &Raw<'_>) -> Result<OldSession, Unreadable> {
    let mut fields: Map<String, Value> =
        serde_json::from_slice(raw.text()?).map_err(|_| Unreadable::Malformed("a JSON object"))?;
    let Some(Value::Object(cookie)) = fields.remove("cookie") else {
        return Err(Unreadable::Malformed("an object with a field `cookie`"));
    };
    let mut session = OldSession::new(raw, fields);
    session.is_remembered = cookie.get("expires").is_some_and(|expires| !expires.is_null());
    Ok(session)
}
