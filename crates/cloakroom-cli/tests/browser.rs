//! The demo in a real browser: what a visitor with JavaScript sees, step by step.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod http;
    pub mod process;
    pub mod webdriver;
}

use support::http::Visitor;
use support::process::{Demo, Stage};
use support::webdriver::Browser;

async fn sign_in(browser: &Browser, demo: &Demo) {
    browser.open(&demo.url()).await;
    browser.shows(".who", "Nobody is signed in").await;
    browser.write("#name", "Ada").await;
    browser.click(".sign-in button").await;
    browser.shows("[data-owner]", "Ada").await;
}

#[tokio::test]
async fn a_visitor_signs_in_fills_the_cart_in_parallel_and_signs_out() {
    let browser = Browser::start().await;
    for stage in Stage::each().await {
        sign_in(&browser, &stage.demo).await;
        browser.shows(".flashes", "Welcome, Ada.").await;
        browser.shows("h1", "Good to see you, Ada.").await;

        browser.click("[data-parallel]").await;
        browser.shows("[data-arrived]", "20").await;
        browser.shows("[data-parallel-status]", "All 20 arrived").await;
        browser.shows("[data-article=tag] output", "20").await;
        let arrived = "return document.querySelectorAll('.tags .arrived').length";
        assert_eq!(browser.script(arrived).await, 20);

        browser.click(".who button").await;
        browser.shows("h1", "You are signed out.").await;
        browser.open(&stage.demo.url()).await;
        browser.shows(".who", "Nobody is signed in").await;
        browser.shows(".ticket .number", "none").await;
    }
    assert_eq!(browser.console().await, Vec::<String>::new());
    browser.quit().await;
}

#[tokio::test]
async fn a_visitor_ends_another_device() {
    let browser = Browser::start().await;
    for stage in Stage::each().await {
        let mut phone = Visitor::of(stage.demo.port);
        phone.sign_in("Ada").await;
        sign_in(&browser, &stage.demo).await;
        browser.click("nav a[href='/devices']").await;
        browser.shows("h1", "Your devices.").await;
        browser.shows("[data-devices]", "2").await;
        browser.shows("[data-device]:first-child", "Chrome on Linux").await;
        browser.shows("[data-device]:first-child", "this one").await;
        browser.shows("[data-device]:last-child", "Unknown browser").await;
        browser.click("[data-device]:last-child button").await;
        browser.shows(".flashes", "Signed out there.").await;
        browser.shows("[data-devices]", "1").await;
        assert_eq!(phone.get("/").await.owner(), None);
    }
    assert_eq!(browser.console().await, Vec::<String>::new());
    browser.quit().await;
}

#[tokio::test]
async fn a_visitor_sees_that_a_late_write_does_not_sign_in_again() {
    let browser = Browser::start().await;
    for stage in Stage::each().await {
        sign_in(&browser, &stage.demo).await;
        browser.click("nav a[href='/slow']").await;
        browser.shows("h1", "Signing out is final.").await;
        browser.click("[data-slow]").await;
        browser.shows("[data-verdict]", "Refused.").await;
        browser.shows("[data-now]", "Nobody.").await;
        browser.shows(".ticket .number", "none").await;
        // The refusal itself is all that the console tells.
        let console = browser.console().await;
        assert_eq!(console.len(), 1, "{console:?}");
        assert!(console[0].contains("/slow") && console[0].contains("409"), "{console:?}");
        browser.click(".again").await;
        browser.shows("h1", "Keep the ticket.").await;
    }
    browser.quit().await;
}

#[tokio::test]
async fn no_page_is_wider_than_a_telephone() {
    let demo = Demo::start("memory").await;
    let browser = Browser::start().await;
    browser.narrow().await;
    sign_in(&browser, &demo).await;
    for path in ["/", "/slow", "/signed-out", "/nowhere"] {
        browser.open(&format!("{}{path}", demo.url())).await;
        let widths = "return [innerWidth, document.documentElement.scrollWidth]";
        assert_eq!(browser.script(widths).await, serde_json::json!([390, 390]), "{path}");
    }
    browser.quit().await;
}
