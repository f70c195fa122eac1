//! `cloakroom admin` in a real browser: every button, by pointer and by keyboard, in an outage, under
//! hostile visitors, on a telephone, by day and by night.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

#[path = "../support"]
mod support {
    pub mod admin;
    pub mod webdriver;
}

mod buttons;
mod command;
mod crowd;
mod keyboard;
mod long_revocation;
mod looks;
mod mounted;
mod outages;

use std::time::{Duration, Instant};

use support::webdriver::{Browser, ENTER, ESCAPE, TAB};

/// Every page of the navigation.
const PAGES: [&str; 4] = ["/", "/sessions", "/before", "/audit"];

/// Waits until a script answers `true`.
async fn until(browser: &Browser, script: &str) {
    let start = Instant::now();
    while browser.script(script).await != true {
        assert!(start.elapsed() < Duration::from_secs(20), "never true: {script}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn quiet(browser: &Browser) {
    assert_eq!(browser.console().await, Vec::<String>::new());
}
