//! The demo in a real browser: what a visitor with JavaScript sees, step by step, by pointer and by
//! keyboard; and the pictures of it in the documentation.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod http;
    pub mod process;
    pub mod webdriver;
}

use support::http::Visitor;
use support::process::{Demo, Stage};
use support::webdriver::{Browser, ENTER};

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

#[tokio::test]
async fn everything_can_be_done_with_the_keyboard_alone() {
    let demo = Demo::start("memory").await;
    let browser = Browser::start().await;
    let mut phone = Visitor::of(demo.port);
    phone.sign_in("Ada").await;
    browser.open(&demo.url()).await;
    browser.tab_to(".skip").await;
    browser.press(ENTER).await;
    assert_eq!(browser.script("return document.activeElement.id").await, "content");
    browser.tab_to("#name").await;
    browser.press(&format!("Ada{ENTER}")).await;
    browser.shows("[data-owner]", "Ada").await;

    browser.tab_to("[data-article=coat] [aria-label^='Add']").await;
    browser.press(ENTER).await;
    browser.shows("[data-article=coat] output", "1").await;
    browser.tab_to("[data-article=coat] [aria-label^='Take']").await;
    browser.press(ENTER).await;
    browser.shows("[data-article=coat] output", "0").await;
    browser.tab_to("[data-parallel]").await;
    browser.press(ENTER).await;
    browser.shows("[data-parallel-status]", "All 20 arrived").await;
    // What was pressed is another element by now, and has the focus all the same.
    let focus = "return document.activeElement.matches('[data-parallel]')";
    assert_eq!(browser.script(focus).await, true);

    browser.tab_to("nav a[href='/devices']").await;
    browser.press(ENTER).await;
    browser.shows("[data-devices]", "2").await;
    browser.tab_to("[data-device]:last-child button").await;
    browser.press(ENTER).await;
    browser.shows("[data-devices]", "1").await;
    assert_eq!(phone.get("/").await.owner(), None);

    browser.tab_to("nav a[href='/slow']").await;
    browser.press(ENTER).await;
    browser.tab_to("[data-slow]").await;
    browser.press(ENTER).await;
    browser.shows("[data-verdict]", "Refused.").await;
    browser.shows("[data-now]", "Nobody.").await;
    browser.tab_to(".again").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Keep the ticket.").await;
    browser.quit().await;
}

#[tokio::test]
async fn no_page_traps_the_focus_or_hides_it() {
    let demo = Demo::start("memory").await;
    let browser = Browser::start().await;
    Visitor::of(demo.port).sign_in("Ada").await;
    for path in ["/", "/slow", "/signed-out", "/nowhere"] {
        browser.open(&format!("{}{path}", demo.url())).await;
        browser.tab_through(path).await;
    }
    sign_in(&browser, &demo).await;
    for path in ["/", "/slow", "/devices"] {
        browser.open(&format!("{}{path}", demo.url())).await;
        browser.tab_through(path).await;
    }
    browser.quit().await;
}

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 \
                     (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1";
const DESK: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0";

/// Takes the picture of the documentation: `CLOAKROOM_TEST_SCREENSHOTS=docs/images cargo test -p
/// cloakroom-cli --test browser pictures`. Without the variable it only sees that it can be taken.
#[tokio::test]
async fn pictures_of_the_devices() {
    let demo = Demo::start("memory").await;
    let browser = Browser::start().await;
    for agent in [DESK, PHONE] {
        Visitor::of(demo.port).with(agent).sign_in("Ada").await;
    }
    browser.prefer("light").await;
    browser.wide(1100, 740).await;
    sign_in(&browser, &demo).await;
    browser.click("nav a[href='/devices']").await;
    browser.shows(".devices", "Firefox on Windows").await;
    browser.picture("demo-devices").await;
    browser.quit().await;
}
