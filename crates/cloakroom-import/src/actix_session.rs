//! actix-session: one JSON map per session, whose values are texts that hold JSON themselves.

use std::collections::HashMap;

use crate::old_session::{OldSession, Raw, Unreadable};

pub(crate) fn read(raw: &Raw<'_>) -> Result<OldSession, Unreadable> {
    let texts: HashMap<String, String> = serde_json::from_slice(raw.text()?)
        .map_err(|_| Unreadable::Malformed("a JSON map of texts"))?;
    let fields = texts.into_iter().map(|(name, text)| Ok((name, serde_json::from_str(&text)?)));
    let fields = fields
        .collect::<Result<_, serde_json::Error>>()
        .map_err(|_| Unreadable::Malformed("a JSON map of JSON texts"))?;
    Ok(OldSession::new(raw, fields))
}
