//! Moves slots with all their keys from one primary to another while clients go on, as
//! `redis-cli --cluster reshard` does. Meanwhile clients meet ASK, TRYAGAIN and MOVED.

use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{ClusterSet, LIMIT};
use crate::patience::until;
use crate::{RedisServer, Reply};

/// So few keys at a time that no client has to wait long.
const BATCH: &str = "10";
/// Longer than news takes to get round.
const OPENING_LIMIT: Duration = Duration::from_secs(5);
/// Milliseconds.
const MIGRATE_LIMIT: &str = "900";

impl ClusterSet {
    /// Moves slots, one after another.
    ///
    /// # Errors
    /// Where one of the nodes does not own them, or does not answer.
    pub async fn move_slots(
        &self,
        slots: RangeInclusive<u16>,
        from: &RedisServer,
        to: &RedisServer,
    ) -> io::Result<()> {
        for slot in slots {
            self.begin_moving(slot, from, to).await?;
            self.finish_moving(slot, from, to).await?;
        }
        Ok(())
    }

    /// Opens a slot for moving and moves nothing: from now on the old owner sends clients that ask
    /// for a key it does not have to the new one (ASK).
    ///
    /// # Errors
    /// Where `from` does not own the slot, or one of the nodes does not answer.
    pub async fn begin_moving(
        &self,
        slot: u16,
        from: &RedisServer,
        to: &RedisServer,
    ) -> io::Result<()> {
        let (slot, old, new) = (&slot.to_string(), &id(from).await?, &id(to).await?);
        // Each has to know that the other one is a primary, of which it may not have heard yet.
        until(OPENING_LIMIT, || async move {
            to.order(["CLUSTER", "SETSLOT", slot, "IMPORTING", old]).await?;
            from.order(["CLUSTER", "SETSLOT", slot, "MIGRATING", new]).await
        })
        .await
        .map(drop)
    }

    /// Moves the keys of a slot that was opened by [`begin_moving`](Self::begin_moving), and tells
    /// all primaries the new owner (MOVED).
    ///
    /// # Errors
    /// Where one of the primaries does not answer, or keys cannot be moved within 40 s.
    pub async fn finish_moving(
        &self,
        slot: u16,
        from: &RedisServer,
        to: &RedisServer,
    ) -> io::Result<()> {
        let (slot, new) = (&slot.to_string(), &id(to).await?);
        until(LIMIT, || async move {
            while let Some(keys) = keys_in(from, slot).await? {
                migrate(keys, from, to).await?;
            }
            // The new owner first: should the old one fail between the two, nobody is without one.
            to.order(["CLUSTER", "SETSLOT", slot, "NODE", new]).await?;
            from.order(["CLUSTER", "SETSLOT", slot, "NODE", new]).await
        })
        .await?;
        for primary in self.primaries().await {
            if primary.port() != from.port() && primary.port() != to.port() {
                primary.order(["CLUSTER", "SETSLOT", slot, "NODE", new]).await?;
            }
        }
        Ok(())
    }
}

async fn id(node: &RedisServer) -> io::Result<String> {
    Ok(node.order(["CLUSTER", "MYID"]).await?.text())
}

/// Some of the keys of a slot; `None` when there are no more.
async fn keys_in(node: &RedisServer, slot: &str) -> io::Result<Option<Vec<Vec<u8>>>> {
    let keys = node.order(["CLUSTER", "GETKEYSINSLOT", slot, BATCH]).await?.many();
    let keys: Vec<_> = keys.into_iter().filter_map(Reply::bytes).collect();
    Ok(Some(keys).filter(|keys| !keys.is_empty()))
}

async fn migrate(keys: Vec<Vec<u8>>, from: &RedisServer, to: &RedisServer) -> io::Result<()> {
    let port = to.port().to_string();
    let mut words: Vec<Vec<u8>> =
        ["MIGRATE", "127.0.0.1", &port, "", "0", MIGRATE_LIMIT].map(|word| word.into()).to_vec();
    if let Some(password) = to.password() {
        words.extend(["AUTH", password].map(|word| word.as_bytes().to_vec()));
    }
    words.push(b"KEYS".to_vec());
    words.extend(keys);
    from.order(words).await.map(drop)
}
