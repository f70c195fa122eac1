//! Everything by keyboard alone.

use serde_json::json;

use super::{ENTER, ESCAPE, PAGES, TAB, quiet, until};
use crate::support::admin::{Admin, PASSWORD};
use crate::support::webdriver::Browser;

#[tokio::test]
async fn everything_can_be_done_with_the_keyboard_alone() {
    let admin = Admin::start().await;
    let browser = Browser::start().await;
    let id = admin.visit(Some("eve"), "A").await;
    admin.open(&browser, "/").await;
    browser.shows("h1", "Sign in").await;
    // The name has the focus already.
    browser.press(&format!("admin{TAB}{PASSWORD}{ENTER}")).await;
    browser.shows("h1", "Overview").await;

    // The skip link comes first, shows itself, and leads to the content.
    browser.press(TAB).await;
    let skip = "const it = document.activeElement; \
                return it.matches('.skip') && it.getBoundingClientRect().top >= 0";
    assert_eq!(browser.script(skip).await, true);
    browser.press(ENTER).await;
    assert_eq!(browser.script("return document.activeElement.id").await, "content");

    browser.tab_to("nav a[href='/sessions']").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Sessions").await;
    browser.tab_to("#owner").await;
    browser.press(&format!("eve{ENTER}")).await;
    browser.shows("[data-looked-at]", "1 shown").await;
    browser.tab_to("[data-sessions] th a").await;
    browser.press(ENTER).await;
    browser.shows("h1", &id.to_string()[..8]).await;

    // Escape leaves the question and gives the focus back; Enter alone ends nothing.
    browser.tab_to(".actions a").await;
    browser.press(ENTER).await;
    browser.shows("dialog h1", "End this session?").await;
    assert_eq!(
        browser.script("return document.activeElement.matches('[data-cancel]')").await,
        true
    );
    browser.press(ESCAPE).await;
    until(&browser, "return document.querySelector('dialog') === null").await;
    assert_eq!(browser.script("return document.activeElement.matches('.actions a')").await, true);
    browser.press(ENTER).await;
    browser.shows("dialog h1", "End this session?").await;
    browser.press(ENTER).await;
    until(&browser, "return document.querySelector('dialog') === null").await;
    assert!(admin.lives(id).await);
    browser.press(ENTER).await;
    browser.shows("dialog h1", "End this session?").await;
    browser.tab_to("dialog button").await;
    browser.press(ENTER).await;
    browser.shows("[data-outcome=good]", "Done: 1 session ended.").await;
    assert!(!admin.lives(id).await);

    browser.tab_to("nav a[href='/before']").await;
    browser.press(ENTER).await;
    browser.tab_to("main button").await;
    browser.press(ENTER).await;
    browser.shows("h1", "End everything from before this moment?").await;
    browser.tab_to("#word").await;
    browser.press(&format!("end them{ENTER}")).await;
    browser.shows("[data-outcome=good]", "There was nothing to end.").await;
    browser.tab_to(".who button").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Sign in").await;
    quiet(&browser).await;
    browser.quit().await;
}

#[tokio::test]
async fn no_page_traps_the_focus_or_hides_it() {
    let admin = Admin::start().await;
    let browser = Browser::start().await;
    let id = admin.visit(Some("eve"), "A").await;
    admin.sign_in(&browser).await;
    let more =
        [format!("/sessions/{id}"), format!("/sessions/{id}/end"), "/owner/end?name=eve".into()];
    for path in PAGES.into_iter().chain(more.iter().map(String::as_str)) {
        admin.open(&browser, path).await;
        browser.tab_through(path).await;
    }
    // Each field has a label, each page one heading and one main part.
    for path in PAGES {
        admin.open(&browser, path).await;
        let bare = "return [...document.querySelectorAll('input:not([type=hidden]), select')]\
                    .filter((it) => it.labels.length === 0).length";
        assert_eq!(browser.script(bare).await, 0, "{path}");
        let parts = "return [document.querySelectorAll('h1').length, document.querySelectorAll('main').length]";
        assert_eq!(browser.script(parts).await, json!([1, 1]), "{path}");
    }
    quiet(&browser).await;
    browser.quit().await;
}
