//! What the pages tell while Redis is sick or gone.

use std::time::{Duration, Instant};

use super::quiet;
use crate::support::admin::Admin;
use crate::support::webdriver::Browser;

#[tokio::test]
async fn the_overview_tells_an_outage_and_its_end() {
    let admin = Admin::start().await;
    let browser = Browser::start().await;
    let id = admin.visit(Some("eve"), "A").await;
    admin.sign_in(&browser).await;
    browser.shows("[data-figure=sessions]", "1").await;
    browser.shows(".state[data-state=healthy]", "answers").await;
    browser.shows("[data-figure=sign_ins_note]", "after two counts").await;
    quiet(&browser).await;

    admin.redis.freeze();
    browser.shows(".state[data-state=unavailable]", "cannot be reached").await;
    for path in ["/sessions".to_owned(), format!("/sessions/{id}")] {
        admin.open(&browser, &path).await;
        browser.shows("h1", "The storage cannot say at present").await;
    }
    admin.redis.thaw();
    let start = Instant::now();
    loop {
        admin.open(&browser, &format!("/sessions/{id}")).await;
        let heading = browser.script("return document.querySelector('h1').innerText").await;
        if heading.as_str().unwrap().starts_with("Session ") {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{heading}");
    }
    // An outage begins while the question is on the screen.
    browser.click(".actions a:nth-of-type(1)").await;
    browser.shows("dialog h1", "End this session?").await;
    admin.redis.freeze();
    browser.click("dialog button").await;
    browser.shows("[data-outcome=warn]", "Pending").await;
    browser.shows("[data-outcome=warn]", "1 still to go").await;
    admin.open(&browser, "/").await;
    browser.shows("[data-figure=breakers]", "1 ends pending").await;
    admin.redis.thaw();
    browser.shows(".state[data-state=healthy]", "answers").await;
    let start = Instant::now();
    while admin.lives(id).await {
        assert!(start.elapsed() < Duration::from_secs(20), "the end is still pending");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    browser.quit().await;
}

#[tokio::test]
async fn a_redis_that_was_killed_is_told() {
    let admin = Admin::start().await;
    let browser = Browser::start().await;
    admin.visit(Some("eve"), "A").await;
    admin.sign_in(&browser).await;
    admin.open(&browser, "/before/end?moment=2026-01-01T00:00").await;
    browser.write("#word", "end them").await;
    admin.redis.kill_now();
    browser.click(".confirm button").await;
    browser.shows("h1", "Could not be done").await;
    admin.open(&browser, "/").await;
    browser.shows(".state[data-state=unavailable]", "cannot be reached").await;
    browser.shows("[data-incidents]", "connection lost").await;
    admin.open(&browser, "/owner/end?name=eve").await;
    browser.shows("h1", "The storage cannot say at present").await;
    admin.redis.restart_empty().await.unwrap();
    admin.open(&browser, "/").await;
    browser.shows(".state[data-state=healthy]", "answers").await;
    browser.quit().await;
}
