//! The switch for development over plain HTTP is loud: to the observer, or else to a person.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::process::Command;
use std::sync::{Arc, Mutex};

use cloakroom::{Engine, Event, MemorySessionStorage, Policy};

/// Tells the program of this test, started once more, which policy to build an engine with.
const CHILD: &str = "CLOAKROOM_TEST_PLAIN_HTTP_CHILD";

/// What a process that builds an engine without an observer writes to its standard error output.
fn told_on_stderr(policy: &str) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "builds_an_engine_in_a_process_of_its_own", "--nocapture"]);
    let output = child.env(CHILD, policy).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn builds_an_engine_in_a_process_of_its_own() {
    let policy = match std::env::var(CHILD).as_deref() {
        Ok("plain") => Policy::for_local_development(),
        _ => Policy::default(),
    };
    Engine::builder(MemorySessionStorage::new()).policy(policy).build().unwrap();
}

#[test]
fn an_engine_without_an_observer_warns_in_one_line_on_standard_error() {
    let told = told_on_stderr("plain");
    let warnings: Vec<_> = told.lines().filter(|line| line.contains("plain HTTP")).collect();
    assert_eq!(warnings.len(), 1, "{told}");
    assert!(warnings[0].contains("WARNING") && warnings[0].contains("local_plain_http"), "{told}");
}

#[test]
fn an_engine_over_https_has_nothing_to_warn_of() {
    assert!(!told_on_stderr("https").contains("HTTP"));
}

#[test]
fn an_observer_is_told_once() {
    let told = Arc::new(Mutex::new(0));
    let count = told.clone();
    let observer = move |event: &Event<'_>| {
        *count.lock().unwrap() += usize::from(matches!(event, Event::PlainHttp));
    };
    let builder = Engine::builder(MemorySessionStorage::new()).observer(observer);
    builder.policy(Policy::for_local_development()).build().unwrap();
    assert_eq!(*told.lock().unwrap(), 1);
}
