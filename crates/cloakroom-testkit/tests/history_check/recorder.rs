//! What a history records, and what a verdict says.

use cloakroom_testkit::history::{
    Action, Bounds, Client, History, Invariant, Moment, Node, Outcome,
};

use super::story::{VISITOR, history, on, read, seen, signed_in, signed_out};

#[test]
fn an_operation_that_is_dropped_is_recorded_as_unknown() {
    let history = History::new();
    let mut invoked = history.begin(Client::new(0), Node::new(0), VISITOR, Action::Write);
    invoked.changes();
    drop(invoked);
    history.read(|entries| {
        assert_eq!(entries[0].outcome(), Outcome::Unknown);
        assert!(entries[0].returned() > entries[0].invoked());
    });
}

#[test]
fn a_history_without_room_is_no_good_verdict() {
    let history = History::with_limit(1);
    history.add(signed_in());
    assert!(history.check(&Bounds::default()).holds());
    history.add(read(3, 4).sees(seen()));
    let verdict = history.check(&Bounds::default());
    assert_eq!((history.len(), verdict.lost(), verdict.holds()), (1, 1, false));
}

#[test]
fn moments_never_repeat_in_any_thread() {
    let history = History::new();
    let mut moments: Vec<Moment> = std::thread::scope(|scope| {
        let draw = || (0..10_000).map(|_| history.now()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let drawn = moments.len();
    moments.sort_unstable();
    moments.dedup();
    assert_eq!(moments.len(), drawn);
}

#[test]
fn a_verdict_says_what_is_wrong_and_who_saw_it() {
    let bad = history([signed_in(), signed_out(8, 10), on(1, Action::Read, 11, 12).sees(seen())]);
    let verdict = bad.check(&Bounds::default());
    let text = verdict.to_string();
    assert!(text.contains("INV-1: 0 of 1 reads"), "{text}");
    assert!(text.contains("INV-2: 1 of 1 uses of ended tickets"), "{text}");
    assert!(text.contains("client 2 at node 1, visitor 7, read"), "{text}");
    let violation = &verdict.of(Invariant::FinalEnd).violations()[0];
    assert_eq!(violation.entries().len(), 2);
}

#[tokio::test]
async fn this_process_tells_what_it_holds() {
    let history = History::new();
    let held = history.sample().unwrap();
    assert!(held.memory > 1 << 20 && held.files >= 3, "{held:?}");
    assert!(held.tasks.is_some());
}
