//! How much is held at most: sessions and bytes, in all shards together.

use super::*;

#[test]
fn a_full_cache_gives_up_what_was_not_used() {
    let cache = cache(patient().with_max_entries(8));
    let wire = Wire::to(&cache);
    read(&cache, "regular", &wire);
    for visitor in 0..100 {
        assert!(cache.get(&key("regular")).is_some(), "{visitor}");
        read(&cache, &format!("visitor {visitor}"), &wire);
        assert!(cache.health().entries <= 8);
    }
    assert_eq!(cache.health().evictions, 93);
}

#[test]
fn all_shards_together_hold_what_is_allowed_and_no_more() {
    // Three shards and 32, neither a divisor of the entries.
    for (entries, bytes) in [(200, 3 << 20), (10_000, 64 << 20)] {
        let cache = cache(patient().with_max_entries(entries).with_max_bytes(bytes));
        let (wire, record) = (Wire::to(&cache), record("ann", 10, TTL));
        for visitor in 0..entries * 2 {
            let key = key(&format!("visitor {visitor}"));
            let read = cache.read(&key);
            read.sending(wire.on());
            read.found(&record);
        }
        assert_eq!(cache.health().entries, entries);
    }
}

#[test]
fn bytes_are_bounded_and_counted_exactly() {
    let cache = cache(patient().with_max_bytes(64 * 1024));
    let wire = Wire::to(&cache);
    for (at, bytes) in (0..60).map(|at| (at, 1 + at * 997 % 9000)) {
        let (name, key) = (format!("visitor {at}"), key(&format!("visitor {at}")));
        let read = cache.read(&key);
        read.sending(wire.on());
        read.found(&record(&name, bytes, TTL));
        assert!(cache.health().bytes <= 64 * 1024);
    }
    assert!(cache.health().entries > 3);
    (0..60).for_each(|at| cache.forget(&key(&format!("visitor {at}"))));
    assert_eq!((cache.health().entries, cache.health().bytes), (0, 0));
}

#[test]
fn a_record_larger_than_the_whole_cache_is_not_kept() {
    let cache = cache(patient().with_max_bytes(64 * 1024));
    let (wire, large) = (Wire::to(&cache), key("large"));
    read(&cache, "ann", &wire);
    let read = cache.read(&large);
    read.sending(wire.on());
    read.found(&record("large", 64 * 1024 - 200, TTL));
    assert!(cache.get(&large).is_none());
    assert!(cache.get(&key("ann")).is_some());
}
