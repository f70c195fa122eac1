//! Hostile visitors, and very many of them.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::quiet;
use crate::support::admin::Admin;
use crate::support::webdriver::Browser;

#[tokio::test]
async fn what_visitors_send_never_runs() {
    let hostile = [
        "<script>window.broken = 1</script>",
        "\"><img src=x onerror=\"window.broken = 1\">",
        "</title></textarea><svg onload=\"window.broken = 1\">",
        "'-window.broken=1-'",
        "ada\u{202e}nimda",
        "eve\nadmin",
        "eve\radmin",
        "eve\0admin",
    ];
    let long = "W".repeat(400);
    let admin = Admin::start().await;
    let browser = Browser::start().await;
    browser.narrow().await;
    admin.sign_in(&browser).await;
    for text in hostile.into_iter().chain([long.as_str()]) {
        let id = admin.visit(Some(text), text).await;
        let paths = [
            "/sessions".to_owned(),
            format!("/sessions/{id}"),
            format!("/sessions/{id}/end"),
            format!("/sessions/{id}/end-others"),
        ];
        for path in paths {
            admin.open(&browser, &path).await;
            unbroken(&browser, &path).await;
        }
        admin.open(&browser, &format!("/sessions/{id}")).await;
        browser.click(".actions a:nth-of-type(3)").await;
        browser.shows("dialog h1", "End all sessions of this owner?").await;
        unbroken(&browser, text).await;
        browser.click("dialog button").await;
        browser.shows("[data-outcome=good]", "Done: 1 session ended.").await;
        unbroken(&browser, text).await;
        assert!(!admin.lives(id).await);
        admin.open(&browser, "/audit").await;
        unbroken(&browser, text).await;
    }
    quiet(&browser).await;
    browser.quit().await;
}

/// No script has run, nothing foreign stands in the page, nothing turns the writing, all fits.
async fn unbroken(browser: &Browser, what: &str) {
    let look = "return [typeof window.broken, document.querySelectorAll('main img, main svg, main script').length, \
                /[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.querySelector('main').innerText), \
                document.documentElement.scrollWidth <= innerWidth]";
    let seen = browser.script(look).await;
    assert_eq!(seen, json!(["undefined", 0, false, true]), "{what}");
}

#[tokio::test]
async fn ten_thousand_sessions_can_be_paged_through() {
    let admin = Admin::start().await;
    admin.crowd(10_000).await;
    let browser = Browser::start().await;
    admin.sign_in(&browser).await;
    browser.shows("[data-figure=sessions]", "10,000").await;
    browser.shows("[data-figure=signed_in]", "≈").await;
    browser.click("nav a[href='/sessions']").await;
    let mut seen = HashSet::new();
    for _ in 0..10 {
        let ids =
            "return [...document.querySelectorAll('[data-sessions] th a')].map((it) => it.href)";
        let ids = browser.script(ids).await;
        assert_eq!(ids.as_array().unwrap().len(), 50);
        seen.extend(ids.as_array().unwrap().iter().map(Value::to_string));
        browser.click("[data-next]").await;
    }
    assert_eq!(seen.len(), 500);
    browser.write("#owner", "visitor-001").await;
    browser.click(".search button").await;
    browser.shows("[data-looked-at]", "shown, ").await;
    browser.shows("[data-looked-at]", "50 shown, 67 looked at").await;
    browser.click("[data-next]").await;
    browser.shows("[data-looked-at]", "17 shown, ").await;
    quiet(&browser).await;
    browser.quit().await;
}
