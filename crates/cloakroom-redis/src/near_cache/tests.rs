//! What is kept, what is served and what is dropped, push by push and without a server.

mod room;

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{MemorySessionStorage, Record, SessionData, SessionKey, SessionStorage, Timestamp};
use redis::aio::AsyncPushSender;
use redis::{PushInfo, PushKind, Value};

use super::cache::Write;
use super::{Cache, Coverage, Listener, Moment, NearCache};
use crate::connection::Watch;
use crate::keys::{DEFAULT_PREFIX, Keys};

const TTL: Duration = Duration::from_secs(600);

/// One connection as the cache knows it.
struct Wire {
    coverage: Arc<Coverage>,
    listener: Listener,
}

impl Wire {
    fn to(cache: &Arc<Cache>) -> Self {
        let coverage = Arc::<Coverage>::default();
        coverage.confirm(Moment::now());
        Self { listener: Listener::new(cache.clone(), coverage.clone()), coverage }
    }

    fn push(&self, kind: PushKind, data: Vec<Value>) {
        self.listener.send(PushInfo { kind, data }).unwrap();
    }

    fn invalidate(&self, key: &SessionKey) {
        let name = Keys::new(DEFAULT_PREFIX).unwrap().session(key);
        self.push(PushKind::Invalidate, vec![Value::Array(vec![Value::BulkString(name)])]);
    }

    fn on(&self) -> Option<&Arc<Coverage>> {
        Some(&self.coverage)
    }
}

fn cache(settings: NearCache) -> Arc<Cache> {
    Arc::new(Cache::new(settings, Keys::new(DEFAULT_PREFIX).unwrap()))
}

fn patient() -> NearCache {
    NearCache::default().with_lease(TTL).with_max_age(TTL)
}

fn key(name: &str) -> SessionKey {
    SessionKey::from_name(name)
}

fn record(name: &str, bytes: usize, ttl: Duration) -> Record {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let storage = MemorySessionStorage::new();
        let mut data = SessionData::new();
        data.insert("a", "x".repeat(bytes)).unwrap();
        storage.set(name, &data, ttl).await.unwrap();
        storage.load(&key(name)).await.unwrap().unwrap()
    })
}

/// Reads a record into the cache over a connection.
fn read(cache: &Cache, name: &str, wire: &Wire) {
    let (key, record) = (key(name), record(name, 10, TTL));
    let read = cache.read(&key);
    read.sending(wire.on());
    read.found(&record);
}

#[test]
fn what_was_read_is_served_until_it_is_called_back() {
    let cache = cache(patient());
    let wire = Wire::to(&cache);
    assert!(cache.get(&key("ann")).is_none());
    read(&cache, "ann", &wire);
    let copy = cache.get(&key("ann")).unwrap();
    assert_eq!(copy.as_bytes().len(), record("ann", 10, TTL).size());
    wire.invalidate(&key("ann"));
    assert!(cache.get(&key("ann")).is_none());
    let health = cache.health();
    assert_eq!((health.hits, health.misses, health.invalidations), (1, 2, 1));
    assert_eq!((health.entries, health.bytes), (0, 0));
}

#[test]
fn an_invalidation_before_the_answer_beats_it() {
    let cache = cache(patient());
    let (wire, ann) = (Wire::to(&cache), key("ann"));
    let late = cache.read(&ann);
    late.sending(wire.on());
    wire.invalidate(&ann);
    late.found(&record("ann", 10, TTL));
    assert!(cache.get(&ann).is_none());
}

#[test]
fn an_invalidation_between_the_answer_and_its_reader_beats_it_too() {
    let cache = cache(patient());
    let (wire, ann, answer) = (Wire::to(&cache), key("ann"), record("ann", 10, TTL));
    let slow = cache.read(&ann);
    slow.sending(wire.on());
    // The answer is there, its reader has not run yet. A second reader asks meanwhile.
    let second = cache.read(&ann);
    second.sending(wire.on());
    wire.invalidate(&ann);
    slow.found(&answer);
    second.found(&answer);
    assert!(cache.get(&ann).is_none());
}

#[test]
fn a_flush_takes_everything_of_its_connection_and_what_is_under_way() {
    let cache = cache(patient());
    let (wire, other) = (Wire::to(&cache), Wire::to(&cache));
    read(&cache, "ann", &wire);
    read(&cache, "bob", &other);
    let (cid, dan) = (key("cid"), record("dan", 10, TTL));
    let under_way = cache.read(&cid);
    under_way.sending(wire.on());
    wire.push(PushKind::Invalidate, vec![Value::Nil]);
    under_way.found(&record("cid", 10, TTL));
    assert!(cache.get(&key("ann")).is_none() && cache.get(&cid).is_none());
    assert!(cache.get(&key("bob")).is_some());
    let next = key("dan");
    let read = cache.read(&next);
    read.sending(wire.on());
    read.found(&dan);
    assert!(cache.get(&next).is_some());
}

#[test]
fn what_nobody_understands_makes_a_connection_count_for_nothing() {
    let other = || PushKind::Other("tracking-redir-broken".to_owned());
    let odd = [
        (PushKind::Message, vec![Value::Nil]),
        (PushKind::Invalidate, vec![]),
        (PushKind::Invalidate, vec![Value::Int(1)]),
        (PushKind::Invalidate, vec![Value::Array(vec![Value::Int(1)])]),
        (PushKind::Disconnection, vec![]),
        (other(), vec![]),
    ];
    for (kind, data) in odd {
        let cache = cache(patient());
        let wire = Wire::to(&cache);
        read(&cache, "ann", &wire);
        wire.push(kind.clone(), data);
        assert!(cache.get(&key("ann")).is_none(), "{kind:?}");
    }
}

#[test]
fn a_connection_that_nobody_reads_any_more_has_no_copies() {
    let cache = cache(patient());
    let wire = Wire::to(&cache);
    read(&cache, "ann", &wire);
    let coverage = wire.coverage.clone();
    drop(wire.listener);
    assert!(cache.get(&key("ann")).is_none());
    coverage.confirm(Moment::now());
    assert!(cache.get(&key("ann")).is_none());
}

/// Writes a record over a connection, up to the moment at which the answer is there.
fn written<'a>(cache: &'a Cache, key: &'a SessionKey, wire: &Wire) -> (Write<'a>, Record) {
    let write = cache.write(key);
    let record = record("ann", 20, TTL);
    write.sending(wire.on());
    write.written(record.as_bytes().clone());
    (write, record)
}

#[test]
fn a_write_takes_the_copy_away_before_it_is_sent_and_leaves_the_new_one() {
    let cache = cache(patient());
    let (wire, ann) = (Wire::to(&cache), key("ann"));
    read(&cache, "ann", &wire);
    let (write, new) = written(&cache, &ann, &wire);
    assert!(cache.get(&ann).is_none());
    // What is read while the write is under way may be what was there before.
    read(&cache, "ann", &wire);
    assert!(cache.get(&ann).is_none());
    write.applied(new.as_of());
    assert_eq!(cache.get(&ann).unwrap().size(), new.size());
}

#[test]
fn the_echo_of_an_own_write_costs_nothing_and_the_next_invalidation_everything() {
    for echo_is_first in [false, true] {
        let cache = cache(patient());
        let (wire, ann) = (Wire::to(&cache), key("ann"));
        let (write, new) = written(&cache, &ann, &wire);
        if echo_is_first {
            wire.invalidate(&ann);
        }
        write.applied(new.as_of());
        if !echo_is_first {
            wire.invalidate(&ann);
        }
        assert!(cache.get(&ann).is_some(), "{echo_is_first}");
        wire.invalidate(&ann);
        assert!(cache.get(&ann).is_none(), "{echo_is_first}");
    }
}

#[test]
fn an_echo_that_did_not_come_in_time_does_not_hide_a_change() {
    let cache = cache(patient());
    let (wire, ann) = (Wire::to(&cache), key("ann"));
    let (write, new) = written(&cache, &ann, &wire);
    write.applied(new.as_of());
    // A later question was answered, and an echo would have come before that.
    let before = Moment::now();
    while Moment::now() == before {}
    wire.coverage.confirm(Moment::now());
    wire.invalidate(&ann);
    assert!(cache.get(&ann).is_none());
}

#[test]
fn the_late_echo_on_another_connection_leaves_the_new_copy_alone() {
    let cache = cache(patient());
    let (reads, writes, ann) = (Wire::to(&cache), Wire::to(&cache), key("ann"));
    read(&cache, "ann", &reads);
    let (write, new) = written(&cache, &ann, &writes);
    write.applied(new.as_of());
    reads.invalidate(&ann);
    writes.invalidate(&ann);
    assert!(cache.get(&ann).is_some());
    writes.invalidate(&ann);
    assert!(cache.get(&ann).is_none());
}

#[test]
fn what_others_have_changed_since_an_own_write_is_not_kept() {
    let cache = cache(patient());
    let (wire, ann) = (Wire::to(&cache), key("ann"));
    let (write, new) = written(&cache, &ann, &wire);
    wire.invalidate(&ann);
    wire.invalidate(&ann);
    write.applied(new.as_of());
    assert!(cache.get(&ann).is_none());
}

#[test]
fn what_was_sent_twice_or_beside_another_write_is_not_kept() {
    let cache = cache(patient());
    let (wire, other, ann) = (Wire::to(&cache), Wire::to(&cache), key("ann"));
    let (twice, new) = written(&cache, &ann, &wire);
    twice.sending(other.on());
    twice.applied(new.as_of());
    assert!(cache.get(&ann).is_none());
    let (first, new) = written(&cache, &ann, &wire);
    let (second, newer) = written(&cache, &ann, &wire);
    first.applied(new.as_of());
    second.applied(newer.as_of());
    assert!(cache.get(&ann).is_none());
}

#[test]
fn what_was_applied_in_an_unusual_way_or_not_at_all_is_not_kept() {
    let cache = cache(patient());
    let (wire, ann) = (Wire::to(&cache), key("ann"));
    let write = cache.write(&ann);
    write.sending(wire.on());
    write.applied(record("ann", 20, TTL).as_of());
    assert!(cache.get(&ann).is_none());
    drop(written(&cache, &ann, &wire));
    assert!(cache.get(&ann).is_none());
    read(&cache, "ann", &wire);
    assert!(cache.get(&ann).is_some());
}

#[test]
fn nothing_is_kept_that_came_over_a_connection_without_tracking() {
    let cache = cache(patient());
    let (wire, ann) = (Wire::to(&cache), key("ann"));
    let moved = cache.read(&ann);
    moved.sending(wire.on());
    moved.sending(None);
    moved.found(&record("ann", 10, TTL));
    assert!(cache.get(&ann).is_none());
    let (write, new) = written(&cache, &ann, &wire);
    write.sending(None);
    write.applied(new.as_of());
    assert!(cache.get(&ann).is_none());
}

#[test]
fn a_reader_who_gives_up_leaves_room_for_the_next() {
    let cache = cache(patient());
    let (wire, ann) = (Wire::to(&cache), key("ann"));
    let gone = cache.read(&ann);
    gone.sending(wire.on());
    drop(gone);
    read(&cache, "ann", &wire);
    assert!(cache.get(&ann).is_some());
}

#[test]
fn what_is_under_way_when_a_key_is_forgotten_is_not_kept() {
    let cache = cache(patient());
    let (wire, ann, bob) = (Wire::to(&cache), key("ann"), key("bob"));
    let (reads, of_another) = (cache.read(&ann), cache.read(&bob));
    reads.sending(wire.on());
    of_another.sending(wire.on());
    cache.forget(&ann);
    reads.found(&record("ann", 10, TTL));
    of_another.found(&record("bob", 10, TTL));
    assert!(cache.get(&ann).is_none());
    assert!(cache.get(&bob).is_some());
    let (write, new) = written(&cache, &ann, &wire);
    cache.forget(&ann);
    write.applied(new.as_of());
    assert!(cache.get(&ann).is_none());
}

#[test]
fn without_a_sign_of_life_nothing_is_served_and_with_one_it_is_again() {
    let lease = Duration::from_millis(1);
    let cache = cache(patient().with_lease(lease));
    let wire = Wire::to(&cache);
    read(&cache, "ann", &wire);
    let asked = Moment::now();
    while Moment::now() < asked.after(lease) {
        std::hint::spin_loop();
    }
    assert!(cache.get(&key("ann")).is_none());
    // On a busy machine a lease of a millisecond may be over before the look.
    let mut served = false;
    for _ in 0..1000 {
        wire.coverage.confirm(Moment::now());
        served |= cache.get(&key("ann")).is_some();
    }
    assert!(served);
    assert!(cache.health().longest_unconfirmed < lease);
}

#[test]
fn a_copy_ends_with_its_record_and_at_its_greatest_age() {
    for (ttl, max_age) in [(1, 60_000), (60_000, 1)] {
        let (ttl, max_age) = (Duration::from_millis(ttl), Duration::from_millis(max_age));
        let cache = cache(patient().with_max_age(max_age));
        let (wire, ann) = (Wire::to(&cache), key("ann"));
        let kept = cache.read(&ann);
        kept.sending(wire.on());
        let record = record("ann", 10, Duration::from_secs(60));
        let left =
            Timestamp::from_millis(record.idle_deadline().as_millis() - ttl.as_millis() as u64);
        kept.found(&record.looked_at(left));
        let start = Moment::now();
        while Moment::now() < start.after(ttl.min(max_age) * 2) {
            std::hint::spin_loop();
        }
        assert!(cache.get(&ann).is_none());
    }
}

#[test]
fn what_a_slow_write_has_left_ends_with_its_record() {
    let [exchange, left] = [80, 100].map(Duration::from_millis);
    let until = |end: Moment| {
        while Moment::now() < end {
            std::hint::spin_loop();
        }
    };
    let cache = cache(patient());
    let (wire, ann, before) = (Wire::to(&cache), key("ann"), Moment::now());
    let (write, new) = written(&cache, &ann, &wire);
    let begun = Moment::now();
    until(begun.after(exchange));
    // The time that the record is stamped with, which is that before the exchange.
    let end = new.idle_deadline().as_millis();
    write.applied(Timestamp::from_millis(end - left.as_millis() as u64));
    // A busy machine may have let all of its time pass meanwhile.
    let looked = (cache.get(&ann).is_some(), Moment::now());
    assert!(looked.0 || looked.1 > before.after(left), "{looked:?}");
    until(begun.after(left));
    assert!(cache.get(&ann).is_none());
}
