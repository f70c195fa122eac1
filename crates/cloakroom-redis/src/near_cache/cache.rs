//! [`Cache`]: the copies of all sessions, in shards, and who is about to bring more of them.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cloakroom::{NearCacheHealth, Record, SessionKey, Timestamp};

use super::claims::ClaimId;
use super::copies::Copies;
use super::coverage::Coverage;
use super::settings::NearCache;
use super::shard::Shard;
use crate::connection::Watch;
use crate::keys::Keys;

/// As many as let all processors of a large machine look at once.
const SHARDS: usize = 32;

/// With fewer copies in each, a shard would be full while others are empty.
const PER_SHARD: usize = 64;

#[derive(Debug)]
pub(crate) struct Cache {
    shards: Box<[Mutex<Shard>]>,
    chooser: RandomState,
    keys: Keys,
    claims: AtomicU64,
}

/// A read under way. Its end is a drop, or an answer that may be kept.
#[derive(Debug)]
pub(crate) struct Read<'a> {
    cache: &'a Cache,
    key: &'a SessionKey,
    id: ClaimId,
    is_over: bool,
}

/// A write under way. Its end is a drop.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    cache: &'a Cache,
    key: &'a SessionKey,
    /// What was written in a way that the connection hears of what comes after it.
    content: Mutex<Option<Bytes>>,
    is_over: bool,
}

impl Cache {
    pub(crate) fn new(settings: NearCache, keys: Keys) -> Self {
        let NearCache { max_entries, max_bytes, max_age, lease } = settings;
        // Each must have room for a record of the usual size limit.
        let wanted = (max_entries / PER_SHARD).min(max_bytes / (1024 * 1024)).clamp(1, SHARDS);
        let shard = |at| {
            let copies = Copies::new(share(max_entries, wanted, at), share(max_bytes, wanted, at));
            Mutex::new(Shard::new(copies, max_age, lease))
        };
        Self {
            shards: (0..wanted).map(shard).collect(),
            chooser: RandomState::new(),
            keys,
            claims: AtomicU64::new(0),
        }
    }

    /// A copy that may be served at this moment.
    pub(crate) fn get(&self, key: &SessionKey) -> Option<Record> {
        self.shard(key).get(key)
    }

    /// A read begins. Told of the connection that it goes over, it notes a ticket there.
    pub(crate) fn read<'a>(&'a self, key: &'a SessionKey) -> Read<'a> {
        let id = ClaimId(self.claims.fetch_add(1, Ordering::Relaxed));
        Read { cache: self, key, id, is_over: false }
    }

    /// A write begins: there is no copy of its record from here on.
    pub(crate) fn write<'a>(&'a self, key: &'a SessionKey) -> Write<'a> {
        self.shard(key).begin_write(key);
        Write { cache: self, key, content: Mutex::default(), is_over: false }
    }

    /// There shall be no copy of this record.
    pub(crate) fn forget(&self, key: &SessionKey) {
        self.shard(key).forget(key);
    }

    /// There shall be no copy at all, nor any of what is under way.
    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            lock(shard).clear();
        }
    }

    /// Somebody has changed what lies under a name, as was heard on a connection.
    pub(super) fn invalidate(&self, name: &[u8], on: &Arc<Coverage>) {
        // Others are probes, or lie next to ours.
        if let Some(key) = self.keys.parse(name) {
            self.shard(&key).invalidate(&key, on);
        }
    }

    pub(crate) fn health(&self) -> NearCacheHealth {
        let mut health = NearCacheHealth::default();
        for shard in &self.shards {
            let shard = lock(shard);
            health.entries += shard.copies().len();
            health.max_entries += shard.copies().max_entries();
            health.bytes += shard.copies().bytes();
            health.max_bytes += shard.copies().max_bytes();
            health.evictions += shard.copies().evictions();
            health.hits += shard.hits;
            health.misses += shard.misses;
            health.invalidations += shard.invalidations;
            health.longest_unconfirmed = health.longest_unconfirmed.max(shard.longest_unconfirmed);
        }
        health
    }

    fn shard(&self, key: &SessionKey) -> MutexGuard<'_, Shard> {
        let at = match self.shards.len() {
            1 => 0,
            shards => self.chooser.hash_one(key) as usize % shards,
        };
        lock(&self.shards[at])
    }
}

impl Read<'_> {
    /// The answer to the question, as the server gave it.
    pub(crate) fn found(mut self, record: &Record) {
        self.end(Some(record));
    }

    fn end(&mut self, found: Option<&Record>) {
        if !self.is_over {
            self.is_over = true;
            self.cache.shard(self.key).end_read(self.key, self.id, found);
        }
    }
}

impl Watch for Read<'_> {
    fn sending(&self, on: Option<&Arc<Coverage>>) {
        self.cache.shard(self.key).note_read(self.key, self.id, on);
    }
}

impl Drop for Read<'_> {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl Write<'_> {
    /// The server has taken what was written last, at this time by its clock.
    pub(crate) fn applied(mut self, as_of: Timestamp) {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stored = content.and_then(|bytes| Record::decode(self.key, bytes, as_of).ok());
        self.end(stored.as_ref());
    }

    fn end(&mut self, stored: Option<&Record>) {
        if !self.is_over {
            self.is_over = true;
            self.cache.shard(self.key).end_write(self.key, stored);
        }
    }
}

impl Watch for Write<'_> {
    fn sending(&self, on: Option<&Arc<Coverage>>) {
        self.cache.shard(self.key).note_write(self.key, on);
    }

    fn written(&self, content: Bytes) {
        *self.content.lock().unwrap_or_else(PoisonError::into_inner) = Some(content);
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// One of several shares that make up the whole: the first ones take what cannot be divided.
fn share(whole: usize, shares: usize, at: usize) -> usize {
    whole / shares + usize::from(at < whole % shares)
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
