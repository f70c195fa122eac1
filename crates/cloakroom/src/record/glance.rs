//! [`Glance`]: the facts at the beginning of a record, where the rest of it was not fetched.

use std::time::Duration;

use super::{Stamp, layout};
use crate::fingerprint::SessionFingerprint;
use crate::token::SessionKey;

/// What stands before the fields.
pub(crate) struct Glance<'a> {
    pub(crate) stamp: Stamp,
    pub(crate) idle_timeout: Duration,
    pub(crate) owner: Option<&'a str>,
    pub(crate) origin: Option<SessionFingerprint>,
}

impl<'a> Glance<'a> {
    /// Reads the beginning of a record; `None` where it is none of this session's.
    pub(crate) fn at(key: &SessionKey, bytes: &'a [u8]) -> Option<Self> {
        let (head, ends) = layout::beginning(key, bytes)?;
        Some(Self {
            stamp: head.stamp(),
            idle_timeout: head.idle_timeout(),
            owner: ends.owner(bytes),
            origin: ends.origin(bytes).map(|origin| origin.to_owned()),
        })
    }
}
