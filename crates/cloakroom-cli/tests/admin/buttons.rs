//! Every button, by pointer: it asks first, and does what it says once.

use std::time::Duration;

use super::{quiet, until};
use crate::support::admin::{AGENTS, Admin};
use crate::support::webdriver::Browser;

#[tokio::test]
async fn every_button_does_what_it_says_after_a_question() {
    let admin = Admin::start().await;
    let browser = Browser::start().await;
    let (one, kept, other) = (
        admin.visit(Some("eve"), "A").await,
        admin.visit(Some("eve"), "B").await,
        admin.visit(Some("eve"), "C").await,
    );
    let bystander = admin.visit(Some("bob"), "D").await;
    admin.sign_in(&browser).await;

    // Search by owner, from the list to the session, end it; the first question is left with "no".
    browser.click("nav a[href='/sessions']").await;
    browser.write("#owner", "eve").await;
    browser.click(".search button").await;
    browser.shows("[data-looked-at]", "3 shown").await;
    browser.click(".search .button").await;
    browser.shows("[data-looked-at]", "4 shown").await;
    browser.write("#session", &one.to_string()).await;
    browser.click(".search button").await;
    browser.shows("h1", &one.to_string()[..8]).await;
    browser.click(".actions a:nth-of-type(1)").await;
    browser.shows("dialog h1", "End this session?").await;
    browser.click("dialog [data-cancel]").await;
    until(&browser, "return document.querySelector('dialog') === null").await;
    assert!(admin.lives(one).await);
    browser.click(".actions a:nth-of-type(1)").await;
    browser.shows("dialog h1", "End this session?").await;
    browser.click("dialog button").await;
    browser.shows("[data-outcome=good]", "Done: 1 session ended.").await;
    assert!(!admin.lives(one).await);

    // The owner's others.
    admin.open(&browser, &format!("/sessions/{kept}")).await;
    browser.click(".actions a:nth-of-type(2)").await;
    browser.shows("dialog h1", "End the owner's other sessions?").await;
    browser.click("dialog button").await;
    browser.shows("[data-outcome=good]", "Done: 1 session ended.").await;
    assert!(admin.lives(kept).await && !admin.lives(other).await);
    browser.click("[data-back]").await;

    // All of the owner.
    browser.shows("h1", &kept.to_string()[..8]).await;
    browser.click(".actions a:nth-of-type(3)").await;
    browser.shows("dialog form", "eve has 1 session").await;
    browser.click("dialog button").await;
    browser.shows("[data-outcome=good]", "Done: 1 session ended.").await;
    assert!(!admin.lives(kept).await && admin.lives(bystander).await);
    browser.click("[data-back]").await;
    browser.shows("main", "There is none.").await;

    // The links beside them.
    admin.open(&browser, &format!("/sessions/{bystander}")).await;
    browser.click(".actions a:nth-of-type(4)").await;
    browser.shows("[data-looked-at]", "1 shown").await;
    browser.click("main a.danger[href*='/owner/end']").await;
    browser.shows("dialog form", "bob has 1 session").await;
    browser.click("dialog [data-cancel]").await;
    until(&browser, "return document.querySelector('dialog') === null").await;
    admin.open(&browser, &format!("/sessions/{bystander}/end")).await;
    browser.click(".confirm [data-cancel]").await;
    browser.shows("h1", &bystander.to_string()[..8]).await;

    // By date: not without the word.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    browser.click("nav a[href='/before']").await;
    browser.click("main button").await;
    browser.shows("h1", "End everything from before this moment?").await;
    browser.click(".confirm button").await;
    assert_eq!(
        browser.script("return document.querySelector('#word').validity.valid").await,
        false
    );
    assert!(admin.lives(bystander).await);
    browser.write("#word", "end them").await;
    browser.click(".confirm button").await;
    browser.shows("[data-outcome=good]", "Done: 1 session ended.").await;
    assert!(!admin.lives(bystander).await);

    // All of it stands in the trail, to which the outcome leads.
    browser.click("main a[href='/audit']").await;
    browser.shows("h1", "Audit trail").await;
    browser.click(".brand").await;
    browser.shows("h1", "Overview").await;
    browser.click("nav a[href='/audit']").await;
    let lines = "return [...document.querySelectorAll('[data-audit] tbody tr')].length";
    assert_eq!(browser.script(lines).await, 5);
    browser.shows("[data-audit]", "End all sessions from before a moment").await;
    browser.click(".who button").await;
    browser.shows("h1", "Sign in").await;
    quiet(&browser).await;
    browser.quit().await;
}

#[tokio::test]
async fn a_double_click_asks_once() {
    let admin = Admin::start().await;
    let browser = Browser::start().await;
    admin.visit(Some("eve"), "A").await;
    admin.visit(Some("bob"), AGENTS[0]).await;
    admin.sign_in(&browser).await;
    admin.open(&browser, "/sessions?owner=bob").await;
    browser.shows("[data-label=Browser]", "Firefox on Linux").await;
    let clicks = "const link = document.querySelector('[data-sessions] a[data-ask]'); \
                  for (let at = 0; at < 3; at += 1) link.click()";
    browser.script(clicks).await;
    browser.shows("dialog h1", "End this session?").await;
    browser.shows("dialog [data-browser]", "Firefox on Linux").await;
    browser.shows("dialog [data-user-agent]", "rv:140.0").await;
    let asked = "return performance.getEntriesByType('resource')\
                 .filter((it) => it.name.endsWith('/end')).length";
    assert_eq!(browser.script(asked).await, 1);
    assert_eq!(browser.script("return document.querySelectorAll('dialog').length").await, 1);
    // The next one is asked again.
    browser.click("dialog [data-cancel]").await;
    until(&browser, "return document.querySelector('dialog') === null").await;
    browser.click("[data-sessions] a[data-ask]").await;
    browser.shows("dialog h1", "End this session?").await;
    quiet(&browser).await;
    browser.quit().await;
}
