//! Which sessions a list shows, in which order, and what their lines look like, on a clock that is
//! moved by hand.

use std::time::Duration;

use cloakroom::{
    Absolute, CommitBuilder, Committed, Expect, MemorySessionStorage, SessionFingerprint,
    SessionKey, SessionStorage,
};
use cloakroom_testkit::ManualClock;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn session(owner: Option<&str>, idle_timeout: Duration) -> CommitBuilder {
    let commit = CommitBuilder::new(Expect::Absent)
        .absolute(Absolute::Start(100 * HOUR))
        .idle_timeout(idle_timeout)
        .fingerprint(SessionFingerprint::new("192.0.2.7", "curl/8"));
    owner.map_or(commit.clone(), |owner| commit.owner(owner))
}

async fn put(storage: &MemorySessionStorage, name: &str, commit: CommitBuilder) {
    let commit = commit.build().unwrap();
    let committed = storage.commit(&SessionKey::from_name(name), &commit).await.unwrap();
    assert!(matches!(committed, Committed::Applied { .. }));
}

/// `ann`, who is three hours old and was seen an hour ago; `bob` of two hours; one of nobody, an hour
/// old, which ends first and is the largest.
async fn sessions() -> Vec<(&'static str, SessionFacts)> {
    let clock = ManualClock::new();
    let storage = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    put(&storage, "ann", session(Some("ann"), 50 * HOUR)).await;
    clock.advance(HOUR);
    put(&storage, "bob", session(Some("bob"), 50 * HOUR)).await;
    clock.advance(HOUR);
    let _ = storage.touch(&SessionKey::from_name("ann")).await.unwrap();
    put(&storage, "nobody", session(None, 2 * HOUR).field("cart", vec![b'1'; 500])).await;
    clock.advance(HOUR);
    let names = ["ann", "bob", "nobody"];
    let found = storage.facts(&names.map(SessionKey::from_name)).await.unwrap();
    names.into_iter().zip(found.into_iter().map(|found| found.session().unwrap())).collect()
}

fn name_of(sessions: &[(&'static str, SessionFacts)], facts: &SessionFacts) -> &'static str {
    sessions.iter().find(|(_, it)| it.id() == facts.id()).unwrap().0
}

#[tokio::test]
async fn all_that_a_filter_says_has_to_be_true() {
    let sessions = sessions().await;
    let fitting = |filter: Filter| -> Vec<_> {
        sessions.iter().filter(|(_, facts)| filter.accepts(facts)).map(|(name, _)| *name).collect()
    };
    let none = Filter::default;
    assert_eq!(fitting(none()), ["ann", "bob", "nobody"]);
    assert_eq!(fitting(Filter { signed_in: true, ..none() }), ["ann", "bob"]);
    assert_eq!(fitting(Filter { anonymous: true, ..none() }), ["nobody"]);
    assert_eq!(fitting(Filter { older_than: Some(2 * HOUR), ..none() }), ["ann", "bob"]);
    assert_eq!(fitting(Filter { younger_than: Some(2 * HOUR), ..none() }), ["nobody"]);
    assert_eq!(fitting(Filter { idle_for: Some(2 * HOUR), ..none() }), ["bob"]);
    let between =
        Filter { older_than: Some(HOUR), younger_than: Some(3 * HOUR), signed_in: true, ..none() };
    assert_eq!(fitting(between), ["bob"]);
}

#[tokio::test]
async fn the_first_ones_of_an_order_are_kept() {
    let sessions = sessions().await;
    for (key, first) in [
        (Key::Created, ["ann", "bob"]),
        (Key::Seen, ["bob", "ann"]),
        (Key::Ends, ["nobody", "bob"]),
        (Key::Size, ["nobody", "ann"]),
    ] {
        let mut order = Order::new(key, 2);
        // In steps of one, the last first.
        for (_, facts) in sessions.iter().rev() {
            order.add(vec![facts.clone()]);
        }
        let names: Vec<_> = order.sorted().iter().map(|facts| name_of(&sessions, facts)).collect();
        let same_size = matches!(key, Key::Seen | Key::Size);
        assert!(names == first || same_size && names[0] == first[0], "{names:?}");
    }
}

#[tokio::test]
async fn a_line_stands_below_its_head() {
    let sessions = sessions().await;
    let at = |title: &str| HEAD.find(title).unwrap();
    let line = line(&sessions[0].1);
    assert_eq!(line[..32], sessions[0].1.id().to_string());
    for (title, text) in [
        ("CREATED AGO", "3h 0m"),
        ("SEEN AGO", "1h 0m"),
        ("ENDS IN", "2d 1h"),
        ("ADDRESS", "192.0.2.7"),
        ("BROWSER", "-"),
        ("OWNER", "ann\n"),
    ] {
        assert!(line[at(title)..].starts_with(text), "{title}: {line}");
    }
}
