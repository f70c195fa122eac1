//! [`Step`]: what can happen to a storage, and the random histories that are made of it.
//!
//! Steps name sessions and generations relative to what the model holds at that moment, so that
//! random histories meet the interesting cases often.

use std::time::Duration;

use cloakroom::Absolute;
use proptest::prelude::*;

/// How many sessions a history plays with; few, so that steps meet each other.
pub(super) const SESSIONS: usize = 3;

/// One call of a storage, or some time that passes.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads a session.
    Load(usize),
    /// Writes a session.
    Commit {
        /// Which session.
        session: usize,
        /// What must be true of the stored record.
        wanted: Wanted,
        /// How long it shall live.
        lifetime: Lifetime,
        /// What it shall hold.
        content: Content,
    },
    /// Sends one of the commits that were sent before once more: that many before the last one.
    Repeat(usize),
    /// Moves a session's idle deadline.
    Touch(usize),
    /// Removes a session.
    Destroy(usize),
    /// Counts sessions and bytes.
    Count,
    /// Lets time pass.
    Wait(Duration),
    /// Lets time pass until a session's idle deadline, and that much more.
    WaitForDeadline(usize, Duration),
}

/// What a commit expects, relative to the record that is there.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// No record.
    Absent,
    /// Any record.
    Present,
    /// The generation that is stored.
    Current,
    /// A generation that many before the stored one.
    Stale(u64),
    /// A generation that many after the stored one.
    Future(u64),
}

/// What a commit says about time.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// The idle timeout.
    pub idle: Duration,
    /// From when the absolute timeout counts.
    pub absolute: Absolute,
}

/// What a commit writes.
#[derive(Clone, Debug)]
pub struct Content {
    /// Names and JSON.
    pub fields: Vec<(String, String)>,
    /// The principal.
    pub owner: Option<String>,
    /// Whether the cookie outlives the browser.
    pub persistent: bool,
    /// Whether the record shall be larger than the storage allows.
    pub oversized: bool,
}

/// Random histories of up to 60 steps.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60)
}

fn step() -> impl Strategy<Value = Step> {
    let session = 0..SESSIONS;
    let commit = (session.clone(), wanted(), lifetime(), content()).prop_map(
        |(session, wanted, lifetime, content)| Step::Commit { session, wanted, lifetime, content },
    );
    let beyond = prop_oneof![Just(0), Just(1), 0..10_000u64].prop_map(Duration::from_millis);
    prop_oneof![
        10 => commit,
        4 => session.clone().prop_map(Step::Load),
        2 => (0..4usize).prop_map(Step::Repeat),
        3 => session.clone().prop_map(Step::Touch),
        1 => session.clone().prop_map(Step::Destroy),
        1 => Just(Step::Count),
        2 => (0..600_000u64).prop_map(|millis| Step::Wait(Duration::from_millis(millis))),
        1 => (session, beyond).prop_map(|(session, beyond)| Step::WaitForDeadline(session, beyond)),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    prop_oneof![
        3 => Just(Wanted::Absent),
        2 => Just(Wanted::Present),
        6 => Just(Wanted::Current),
        1 => (1..4u64).prop_map(Wanted::Stale),
        1 => (1..4u64).prop_map(Wanted::Future),
    ]
}

fn lifetime() -> impl Strategy<Value = Lifetime> {
    // From one minute on: a history on a real clock takes seconds.
    let millis = 60_000..3_600_000u64;
    let timeout = millis.clone().prop_map(Duration::from_millis);
    let absolute = prop_oneof![
        Just(Absolute::Keep),
        timeout.clone().prop_map(Absolute::Start),
        timeout.prop_map(Absolute::Prolong),
    ];
    (millis, absolute)
        .prop_map(|(idle, absolute)| Lifetime { idle: Duration::from_millis(idle), absolute })
}

fn content() -> impl Strategy<Value = Content> {
    let field = ("[a-z]{1,3}|.{1,20}", "[0-9]{1,9}|\"[a-zé😀]{0,40}\"");
    let oversized = prop::bool::weighted(0.05);
    (
        prop::collection::btree_map(field.0, field.1, 0..5),
        prop::option::of("[a-zé]{1,12}"),
        any::<bool>(),
        oversized,
    )
        .prop_map(|(fields, owner, persistent, oversized)| {
            let fields = fields.into_iter().collect();
            Content { fields, owner, persistent, oversized }
        })
}
