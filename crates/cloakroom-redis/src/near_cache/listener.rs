//! [`Listener`]: takes what the server pushes off one connection.
//!
//! The client calls it in the task that reads the socket, between the answers that came before a push
//! and those that come after it. The order on the wire is what all of the near-cache stands on.

use std::sync::Arc;

use redis::aio::{AsyncPushSender, SendError};
use redis::{PushInfo, PushKind, Value};

use super::cache::Cache;
use super::coverage::Coverage;

/// It lives as long as the task does, and so knows when nobody reads the socket any more.
pub(crate) struct Listener {
    cache: Arc<Cache>,
    coverage: Arc<Coverage>,
}

impl Listener {
    pub(crate) fn new(cache: Arc<Cache>, coverage: Arc<Coverage>) -> Self {
        Self { cache, coverage }
    }

    fn hear(&self, push: &PushInfo) {
        match (&push.kind, push.data.as_slice()) {
            (PushKind::Invalidate, [Value::Array(names)]) => {
                for name in names {
                    match name {
                        Value::BulkString(name) => self.cache.invalidate(name, &self.coverage),
                        _ => self.coverage.forget(),
                    }
                }
            }
            // Everything is gone: FLUSHALL, FLUSHDB, or a replica that was filled anew.
            (PushKind::Invalidate, [Value::Nil]) => self.coverage.forget(),
            (PushKind::Disconnection, _) => self.coverage.end(),
            // Nobody has asked for anything else, so nobody knows what it means.
            _ => self.coverage.suspend(),
        }
    }
}

impl AsyncPushSender for Listener {
    fn send(&self, info: PushInfo) -> Result<(), SendError> {
        self.hear(&info);
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.coverage.end();
    }
}
