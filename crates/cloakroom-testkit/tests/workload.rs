//! A mixed load passes on a sound storage, and exposes every broken promise of an unsound one.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod broken_storage;

use std::time::Duration;

use cloakroom::{AnyStorage, Engine, MemorySessionStorage};
use cloakroom_testkit::history::{Action, Bounds, History, Invariant, Mark, Outcome, Verdict};
use cloakroom_testkit::workload::{Mix, Summary, Workload};

use broken_storage::{BrokenStorage, Flaw};

/// Few visitors, so that their requests meet; much is tried again with old tickets.
fn load() -> Workload {
    let mix = Mix { read: 50, peek: 2, write: 30, sign_in: 3, sign_out: 5, replay: 10 };
    Workload::new()
        .visitors(8)
        .clients(4)
        .mix(mix)
        .per_second(1_000)
        .operations(2_500)
        .read_deadline(Duration::from_millis(750))
        .write_deadline(Duration::from_millis(1_500))
}

fn nodes(storage: &AnyStorage) -> Vec<Engine> {
    (0..3).map(|_| Engine::builder(storage.clone()).build().unwrap()).collect()
}

fn bounds() -> Bounds {
    Bounds::default().abandoned_applied_within(Duration::from_millis(100))
}

async fn run(flaw: Flaw, every: usize) -> (Summary, Verdict) {
    run_load(load(), flaw, every).await
}

async fn run_load(load: Workload, flaw: Flaw, every: usize) -> (Summary, Verdict) {
    let broken = BrokenStorage::new(flaw, every);
    let storage = AnyStorage::new(broken.clone());
    let history = History::new();
    let summary = load.run(&nodes(&storage), &history).await;
    assert!(broken.times() > 0, "the storage never showed its flaw: {summary}");
    (summary, history.check(&bounds()))
}

#[track_caller]
fn assert_exposed((summary, verdict): (Summary, Verdict), invariant: Invariant) {
    assert!(verdict.of(invariant).violated() > 0, "{summary}\n{verdict}");
    assert!(!verdict.holds());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_storage_keeps_every_invariant_under_a_mixed_load() {
    let nodes = nodes(&AnyStorage::new(MemorySessionStorage::new()));
    let history = History::new();
    let workload = Workload::new().visitors(10).operations(10_000);
    let workload = workload.given_up(0.05, Duration::from_micros(200));
    let summary = workload.run(&nodes, &history).await;
    let verdict = history.check(&Bounds::default());
    assert!(verdict.holds(), "{summary}\n{verdict}");
    let checked = |invariant| verdict.of(invariant).checked();
    for invariant in [Invariant::OwnData, Invariant::NoStepBack, Invariant::NothingLost] {
        assert!(checked(invariant) > 2_500, "{summary}\n{verdict}");
    }
    assert!(checked(Invariant::FinalEnd) > 250, "{summary}\n{verdict}");
    assert_eq!(history.len(), summary.operations());
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_operation_takes_place_and_is_acknowledged() {
    let nodes = nodes(&AnyStorage::new(MemorySessionStorage::new()));
    let summary = load().run(&nodes, &History::new()).await;
    for action in Action::ALL {
        assert!(summary.count_of(action, Outcome::Ok) > 20, "{summary}");
        assert!(summary.latency(action).unwrap().count() > 20);
    }
    assert!(summary.outcomes(Outcome::Rejected) > 100, "old tickets are refused: {summary}");
    assert_eq!(summary.outcomes(Outcome::Unavailable) + summary.outcomes(Outcome::Failed), 0);
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_is_admitted_violates_nothing() {
    let (summary, verdict) = run(Flaw::AdmitsOutage, 5).await;
    assert!(summary.outcomes(Outcome::Unavailable) > 100, "{summary}");
    assert!(verdict.holds(), "{summary}\n{verdict}");
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_given_up_violate_nothing_and_their_sign_outs_are_carried_out() {
    let load = load().given_up(0.5, Duration::from_millis(8));
    let (summary, verdict) = run_load(load, Flaw::TakesItsTime, 1).await;
    for action in Action::ALL {
        assert!(summary.count_of(action, Outcome::Unknown) > 0, "{summary}");
    }
    assert!(verdict.holds(), "{summary}\n{verdict}");
}

#[tokio::test(start_paused = true)]
async fn data_of_another_visitor_is_exposed_although_it_is_served_once() {
    assert_exposed(run(Flaw::MixesData, 1_500).await, Invariant::OwnData);
}

#[tokio::test(start_paused = true)]
async fn a_record_of_another_session_opens_for_nobody_and_its_loss_is_exposed() {
    let (summary, verdict) = run(Flaw::ServesAnother, 50).await;
    assert_eq!(verdict.of(Invariant::OwnData).violated(), 0, "{summary}\n{verdict}");
    assert_exposed((summary, verdict), Invariant::NothingLost);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_commit_is_exposed() {
    assert_exposed(run(Flaw::ForgetsCommit, 20).await, Invariant::NothingLost);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_is_carried_out_twice_is_exposed() {
    assert_exposed(run(Flaw::AppliesTwice, 20).await, Invariant::NothingLost);
}

#[tokio::test(start_paused = true)]
async fn an_old_state_is_exposed() {
    assert_exposed(run(Flaw::ServesOld, 10).await, Invariant::NoStepBack);
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_that_is_undone_is_exposed() {
    assert_exposed(run(Flaw::Resurrects, 1).await, Invariant::FinalEnd);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_exposed() {
    assert_exposed(run(Flaw::AnswersLate, 200).await, Invariant::InTime);
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_passes_for_a_sign_out_is_exposed() {
    assert_exposed(run(Flaw::DeniesSession, 50).await, Invariant::NothingLost);
}

#[tokio::test(start_paused = true)]
async fn a_summary_says_how_soon_things_went_well_after_a_mark() {
    let nodes = nodes(&AnyStorage::new(MemorySessionStorage::new()));
    let history = History::new();
    let workload = load().per_second(100).duration(Duration::from_secs(4));
    let marks = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        history.mark(Mark::FaultBegan);
        tokio::time::sleep(Duration::from_secs(1)).await;
        history.mark(Mark::FaultEnded);
    };
    let (summary, ()) = tokio::join!(workload.run(&nodes, &history), marks);
    assert!((390..=401).contains(&summary.operations()), "{summary}");
    assert!(summary.longest_pause(Action::Read).unwrap() < Duration::from_secs(1));
    let [began, ended] = summary.recoveries() else { panic!("{summary}") };
    assert_eq!((began.mark(), ended.mark()), (Mark::FaultBegan, Mark::FaultEnded));
    let first = ended.first(Action::Read).unwrap();
    assert!(first > Duration::ZERO && first < Duration::from_secs(1), "{summary}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_leaves_a_sound_history() {
    let nodes = nodes(&AnyStorage::new(MemorySessionStorage::new()));
    let history = History::new();
    let workload = load().operations(u64::MAX);
    let limit = Duration::from_secs(1);
    assert!(tokio::time::timeout(limit, workload.run(&nodes, &history)).await.is_err());
    assert!(history.len() > 900);
    assert!(history.check(&Bounds::default()).holds());
}

#[tokio::test]
async fn without_a_node_or_a_visitor_nothing_is_done() {
    let nodes = nodes(&AnyStorage::new(MemorySessionStorage::new()));
    assert_eq!(load().run(&[], &History::new()).await.operations(), 0);
    assert_eq!(load().visitors(0).run(&nodes, &History::new()).await.operations(), 0);
}
