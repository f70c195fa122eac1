//! `cloakroom admin` in a real browser: every button, by pointer and by keyboard, in an outage, under
//! hostile visitors, on a telephone, by day and by night.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod admin;
    pub mod webdriver;
}

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cloakroom::Engine;
use cloakroom_admin::{AdminObserver, AdminPage, Operators};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::fault_proxy::{Direction, Latency, Scope};
use cloakroom_testkit::{FaultProxy, ManualClock, RedisServer};
use serde_json::{Value, json};
use support::admin::{AGENTS, Admin, PASSWORD, command, place_in, serve, sign_in, visit};
use support::webdriver::Browser;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

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

/// Presses Tab until the focus is on an element.
async fn tab_to(browser: &Browser, selector: &str) {
    let is_there = format!("return document.activeElement.matches({selector:?})");
    for _ in 0..60 {
        if browser.script(&is_there).await == true {
            return;
        }
        browser.press(TAB).await;
    }
    panic!("no Tab leads to {selector}");
}

async fn quiet(browser: &Browser) {
    assert_eq!(browser.console().await, Vec::<String>::new());
}

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

    tab_to(&browser, "nav a[href='/sessions']").await;
    browser.press(ENTER).await;
    browser.shows("h1", "Sessions").await;
    tab_to(&browser, "#owner").await;
    browser.press(&format!("eve{ENTER}")).await;
    browser.shows("[data-looked-at]", "1 shown").await;
    tab_to(&browser, "[data-sessions] th a").await;
    browser.press(ENTER).await;
    browser.shows("h1", &id.to_string()[..8]).await;

    // Escape leaves the question and gives the focus back; Enter alone ends nothing.
    tab_to(&browser, ".actions a").await;
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
    tab_to(&browser, "dialog button").await;
    browser.press(ENTER).await;
    browser.shows("[data-outcome=good]", "Done: 1 session ended.").await;
    assert!(!admin.lives(id).await);

    tab_to(&browser, "nav a[href='/before']").await;
    browser.press(ENTER).await;
    tab_to(&browser, "main button").await;
    browser.press(ENTER).await;
    browser.shows("h1", "End everything from before this moment?").await;
    tab_to(&browser, "#word").await;
    browser.press(&format!("end them{ENTER}")).await;
    browser.shows("[data-outcome=good]", "There was nothing to end.").await;
    tab_to(&browser, ".who button").await;
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
        let wanted = "return [...document.querySelectorAll('a, button, input:not([type=hidden]), select')]\
                      .filter((it) => it.checkVisibility()).map((it, at) => (it.dataset.stop = at, at)).length";
        let wanted = browser.script(wanted).await.as_u64().unwrap();
        let mut reached = HashSet::new();
        for _ in 0..wanted * 2 + 12 {
            browser.press(TAB).await;
            let focus = "const it = document.activeElement; if (it === document.body) return null; \
                         return [it.dataset.stop ?? 'region', getComputedStyle(it).outlineStyle]";
            let focus = browser.script(focus).await;
            if focus.is_null() {
                continue;
            }
            assert_ne!(focus[1], "none", "{path}: {focus}");
            reached.insert(focus[0].to_string());
        }
        reached.remove("\"region\"");
        assert_eq!(reached.len() as u64, wanted, "{path}: {reached:?}");
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

/// A step of a revocation has its own deadline of a second, which several of them beside each other
/// would miss.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// A page over six thousand sessions, at the word that ends them, whose Redis answers slowly.
async fn before_a_long_revocation(browser: &Browser) -> (Admin, FaultProxy) {
    let redis = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&redis).await.unwrap();
    let admin = Admin::through(redis, &proxy.url()).await;
    admin.crowd(6000).await;
    admin.sign_in(browser).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    admin.open(browser, "/before").await;
    browser.click("main button").await;
    browser.write("#word", "end them").await;
    proxy.delay(Scope::All, Direction::Replies, Latency::of(Duration::from_millis(120)));
    (admin, proxy)
}

/// How many sessions each step of a revocation has ended, by the trail.
async fn steps(admin: &Admin, browser: &Browser) -> Vec<u64> {
    admin.open(browser, "/audit").await;
    let ended = "return [...document.querySelectorAll('[data-audit] tbody tr')]\
                 .map((it) => it.innerText.match(/(\\d+) sessions ended/)).filter(Boolean)\
                 .map((it) => Number(it[1]))";
    let ended = browser.script(ended).await;
    ended.as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_long_revocation_goes_on_by_itself_and_tells_how_far_it_is() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let browser = Browser::start().await;
    let (admin, proxy) = before_a_long_revocation(&browser).await;
    browser.click(".confirm button").await;
    browser.shows("[data-outcome=busy]", "% looked through").await;
    browser.shows("[data-outcome=good]", "Done: 6000 sessions ended.").await;
    proxy.clear().unwrap();
    // However many steps it took, it is one line of the trail.
    assert_eq!(steps(&admin, &browser).await, [6000]);
    quiet(&browser).await;
    browser.quit().await;
}

#[tokio::test]
async fn a_long_revocation_stops_by_pointer_and_by_one_key() {
    let _alone = ONE_AT_A_TIME.lock().await;
    for by_key in [false, true] {
        let browser = Browser::start().await;
        let (admin, proxy) = before_a_long_revocation(&browser).await;
        browser.click(".confirm button").await;
        browser.shows("[data-outcome=busy]", "% looked through").await;
        if by_key {
            // Nothing but Enter: the focus is there.
            browser.press(ENTER).await;
        } else {
            browser.click("[data-stop]").await;
        }
        browser.shows("h1", "End by date").await;
        proxy.clear().unwrap();
        let steps = steps(&admin, &browser).await;
        assert!((1..6000).contains(&steps.iter().sum::<u64>()), "{steps:?}");
        quiet(&browser).await;
        browser.quit().await;
    }
}

#[tokio::test]
async fn a_long_revocation_that_fails_goes_on_where_it_was() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let browser = Browser::start().await;
    let (admin, proxy) = before_a_long_revocation(&browser).await;
    browser.click(".confirm button").await;
    browser.shows("[data-outcome=busy]", "% looked through").await;
    let position = "return document.querySelector('[name=position]').value";
    assert_ne!(browser.script(position).await, "");
    admin.redis.freeze();
    browser.shows("[data-outcome=bad]", "after at least").await;
    browser.shows("[data-outcome=bad]", "sessions ended").await;
    let kept = "return [...document.querySelectorAll('main input[type=hidden]')]\
                .filter((it) => it.value === '' || it.value === '0').length";
    assert_eq!(browser.script(kept).await, 0);
    admin.redis.thaw();
    proxy.clear().unwrap();
    let start = Instant::now();
    while browser.script("return document.querySelector('[data-outcome=good]')").await.is_null() {
        assert!(start.elapsed() < Duration::from_secs(30), "it never went on");
        if browser.script("return document.querySelector('[data-outcome=bad]')").await.is_null() {
            continue;
        }
        browser.click("main button").await;
    }
    browser.shows("[data-outcome=good]", "A step was repeated").await;
    admin.open(&browser, "/sessions").await;
    browser.shows("main", "There is none.").await;
    browser.quit().await;
}

#[tokio::test]
async fn a_long_revocation_goes_on_by_its_button_where_no_script_runs() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let browser = Browser::start().await;
    let (admin, proxy) = before_a_long_revocation(&browser).await;
    browser.without_scripts().await;
    let (mut pressed, start) = (0, Instant::now());
    browser.click(".confirm button").await;
    browser.shows("[data-outcome=busy]", "% looked through").await;
    while browser.script("return document.querySelector('[data-go-on]') !== null").await == true {
        assert!(start.elapsed() < Duration::from_secs(60), "{pressed}");
        // Where no script runs nothing in the page tells that it is left, but its successor is unmarked.
        browser.script("document.documentElement.dataset.isOld = 1").await;
        browser.click("[data-go-on] button").await;
        until(
            &browser,
            "return !document.documentElement.dataset.isOld && document.readyState === 'complete'",
        )
        .await;
        pressed += 1;
    }
    browser.shows("[data-outcome=good]", "Done: 6000 sessions ended.").await;
    assert!(pressed > 0);
    proxy.clear().unwrap();
    assert_eq!(steps(&admin, &browser).await.iter().sum::<u64>(), 6000);
    browser.quit().await;
}

#[tokio::test]
async fn the_overview_can_be_looked_at_without_growing() {
    let admin = Admin::start().await;
    let browser = Browser::start().await;
    admin.visit(Some("eve"), "A").await;
    admin.sign_in(&browser).await;
    browser.shows("[data-figure=sessions]", "1").await;
    // The page asks every three seconds: time is the point here. A mutation that changes nothing that
    // is seen would be a flicker.
    browser.script("window.polls = performance.getEntriesByType('resource').length").await;
    let size = "return document.querySelectorAll('*').length";
    let height = "return document.documentElement.scrollHeight";
    let (nodes, high) = (browser.script(size).await, browser.script(height).await);
    browser
        .script(
            "window.replaced = 0; new MutationObserver((all) => { for (const one of all) \
             window.replaced += [...one.addedNodes].filter((it) => it.nodeType === 1).length; })\
             .observe(document.querySelector('main'), { childList: true, subtree: true })",
        )
        .await;
    until(&browser, "return performance.getEntriesByType('resource').length >= window.polls + 4")
        .await;
    assert_eq!(browser.script(size).await, nodes);
    assert_eq!(browser.script(height).await, high);
    assert_eq!(browser.script("return window.replaced").await, 0);
    // Screen readers are told of the storage's state, and of no figure.
    let told = "return [...document.querySelectorAll('[aria-live], output, [role=status], [role=alert], \
                [role=log], [role=timer]')].map((it) => it.className)";
    assert_eq!(browser.script(told).await, json!(["state"]));
    quiet(&browser).await;
    browser.quit().await;
}

/// Every text has the contrast that WCAG 2.2 asks for at level AA.
const CONTRAST: &str = r"
    const parse = (text) => text.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = colour.slice(0, 3).map((it) => it / 255).map((it) =>
            it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
        for (let it = node; it; it = it.parentElement) {
            const colour = parse(getComputedStyle(it).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const weak = [];
    for (const node of document.querySelectorAll('body *')) {
        const own = [...node.childNodes].some((it) => it.nodeType === 3 && it.data.trim());
        if (!own || !node.checkVisibility()) continue;
        const style = getComputedStyle(node);
        const [one, other] = [light(parse(style.color)), light(behind(node))].sort((a, b) => b - a);
        const size = parseFloat(style.fontSize);
        const wanted = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
        const ratio = (one + 0.05) / (other + 0.05);
        if (ratio < wanted) weak.push(`${node.tagName}.${node.className} ${ratio.toFixed(2)}: ${node.textContent.slice(0, 30)}`);
    }
    return weak;
";

#[tokio::test]
async fn pages_fit_a_telephone_and_can_be_read_by_day_and_by_night() {
    let admin = Admin::start().await;
    let browser = Browser::start().await;
    admin.crowd(60).await;
    let id = admin.visit(Some("eve"), "A").await;
    let more =
        [format!("/sessions/{id}"), format!("/sessions/{id}/end"), "/sessions/nonsense".into()];
    browser.narrow().await;
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        admin.open(&browser, "/sign-in").await;
        assert_eq!(browser.script(CONTRAST).await, json!([]), "{scheme}, sign-in");
        admin.sign_in(&browser).await;
        browser.shows("[data-figure=sessions]", "61").await;
        for path in PAGES.into_iter().chain(more.iter().map(String::as_str)) {
            admin.open(&browser, path).await;
            let widths = "return [innerWidth, document.documentElement.scrollWidth]";
            assert_eq!(browser.script(widths).await, json!([390, 390]), "{scheme}, {path}");
            assert_eq!(browser.script(CONTRAST).await, json!([]), "{scheme}, {path}");
            let dark =
                browser.script("return matchMedia('(prefers-color-scheme: dark)').matches").await;
            assert_eq!(dark, scheme == "dark");
        }
    }
    browser.quit().await;
}

/// Takes the pictures of the documentation: `CLOAKROOM_SCREENSHOTS=docs/images cargo test -p
/// cloakroom-cli --test admin pictures`. Without the variable it only sees that they can be taken.
#[tokio::test]
async fn pictures_of_the_pages() {
    let redis = RedisServer::start().await.unwrap();
    let mounted = Mounted::start(&redis).await;
    let browser = Browser::start().await;
    let id = visit(&mounted.engine, Some("ada"), AGENTS[0]).await;
    mounted.an_hour().await;
    sign_in(&browser, &mounted.url).await;
    let session = format!("/sessions/{id}");
    for (name, path, scheme, width) in [
        ("admin-overview", "/", "light", 1100),
        ("admin-sessions", "/sessions", "light", 1100),
        ("admin-question", session.as_str(), "dark", 1100),
        ("admin-phone", "/", "dark", 390),
    ] {
        browser.prefer(scheme).await;
        if width == 390 {
            browser.narrow().await;
        } else {
            browser.wide(width, 900).await;
        }
        browser.open(&format!("{}{path}", mounted.url)).await;
        if path == "/" {
            browser.shows("[data-figure=counted]", "counted").await;
        }
        if path == session {
            browser.click(".actions a:nth-of-type(1)").await;
            browser.shows("dialog h1", "End this session?").await;
        }
        let picture = decode(&browser.screenshot().await);
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 5000, "{name}");
        if let Some(folder) = std::env::var_os("CLOAKROOM_SCREENSHOTS") {
            // Tests run in their crate's folder, people type in the repository's.
            let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
            std::fs::write(root.join(folder).join(format!("{name}.png")), picture).unwrap();
        }
    }
    quiet(&browser).await;
    browser.quit().await;
}

/// An application with the page in it, whose minutes pass as fast as it works.
struct Mounted {
    engine: Engine,
    clock: ManualClock,
    url: String,
    serving: tokio::task::JoinHandle<()>,
}

impl Mounted {
    async fn start(redis: &RedisServer) -> Self {
        let storage = RedisSessionStorage::builder().url(redis.url()).build().await.unwrap();
        let clock = ManualClock::new();
        let observer = AdminObserver::with_clock(clock.clone());
        let engine = Engine::builder(storage).observer(observer.clone()).build().unwrap();
        let operators = Operators::new("admin", PASSWORD).unwrap();
        let page = AdminPage::for_operators(engine.clone(), operators)
            .observer(observer)
            .installation("production");
        let router = page.plain_http_on_loopback().router().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { engine, clock, url, serving }
    }

    /// Sign-ins and sign-outs of an hour, more of them in its middle.
    async fn an_hour(&self) {
        let (mut here, mut dice) = (VecDeque::new(), 1_u32);
        for second in 0..3600_u32 {
            // The same hour each time.
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let rush = 60 - second.abs_diff(2100) / 60;
            if dice >> 24 < rush * 2 {
                let owner = format!("visitor-{:03}", (dice >> 8) % 200);
                let agent = AGENTS[(dice >> 12) as usize % AGENTS.len()];
                here.push_back(visit(&self.engine, Some(&owner), agent).await);
            }
            if here.len() > 60 && (dice >> 16) % 5 == 0 {
                let _ = self.engine.revoke(here.pop_front().unwrap()).await.unwrap();
            }
            self.clock.advance(Duration::from_secs(1));
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn an_applications_own_sign_ins_are_counted_as_they_come() {
    let redis = RedisServer::start().await.unwrap();
    let mounted = Mounted::start(&redis).await;
    let browser = Browser::start().await;
    sign_in(&browser, &mounted.url).await;
    browser.shows("[data-figure=sign_ins]", "0").await;
    for _ in 0..3 {
        visit(&mounted.engine, Some("eve"), "A").await;
    }
    let _ = mounted.engine.revoke_owner("eve").await.unwrap();
    browser.shows("[data-figure=sign_ins]", "3").await;
    browser.shows("[data-figure=ends]", "3").await;
    browser.shows("[data-figure=errors]", "0").await;
    assert_eq!(browser.script("return document.querySelector('[data-scope]')").await, Value::Null);
    let drawn = "return document.querySelector('[data-chart=traffic] .line').getAttribute('d').length > 100";
    assert_eq!(browser.script(drawn).await, true);
    quiet(&browser).await;
    browser.quit().await;
}

/// Base64, as WebDriver sends pictures.
fn decode(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|it| *it != b'=') {
        let value = alphabet.iter().position(|it| *it == letter).unwrap() as u32;
        bits = (bits << 6) | value;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 255) as u8);
        }
    }
    bytes
}

#[tokio::test]
async fn a_password_that_was_drawn_opens_the_page_until_the_command_is_asked_to_end() {
    let redis = RedisServer::start().await.unwrap();
    let mut drawing = command(&["--listen", "127.0.0.1:0", "--operator", "grace"]);
    let (child, greeting) = serve(drawing.env("CLOAKROOM_REDIS_URL", redis.url())).await;
    let (_, rest) = greeting.split_once("Password         ").unwrap();
    let password = rest.split_whitespace().next().unwrap();
    assert_eq!(password.len(), 24, "{greeting}");
    let browser = Browser::start().await;
    browser.open(&place_in(&greeting)).await;
    browser.write("#name", "grace").await;
    browser.write("#password", password).await;
    browser.click("form button").await;
    browser.shows("[data-operator]", "grace").await;
    browser.quit().await;
    let process = child.id().unwrap().to_string();
    let told = tokio::process::Command::new("kill").args(["-TERM", &process]).status().await;
    assert!(told.unwrap().success());
    let left = child.wait_with_output().await.unwrap();
    let (output, errors) = (String::from_utf8(left.stdout), String::from_utf8(left.stderr));
    assert!(left.status.success() && output.unwrap().contains("has ended"));
    let errors = errors.unwrap();
    assert!(errors.lines().all(|entry| entry.contains("\"action\":\"sign_in\"")), "{errors}");
}

#[tokio::test]
async fn the_page_names_the_server_the_database_and_the_prefix() {
    let redis = RedisServer::start().await.unwrap();
    let url = format!("{}/3", redis.url());
    let mut other = command(&["--url", &url, "--prefix", "shop:", "--listen", "127.0.0.1:0"]);
    let (_child, greeting) = serve(other.env("CLOAKROOM_ADMIN_PASSWORD", PASSWORD)).await;
    let browser = Browser::start().await;
    sign_in(&browser, &place_in(&greeting)).await;
    let name = format!("Redis at 127.0.0.1:{}, database 3, prefix shop:", redis.port());
    browser.shows("[data-installation]", &name).await;
    browser.narrow().await;
    let widths = "return [innerWidth, document.documentElement.scrollWidth]";
    assert_eq!(browser.script(widths).await, json!([390, 390]));
    browser.quit().await;
}

#[tokio::test]
async fn the_command_refuses_what_is_not_safe() {
    for (arguments, line) in [
        (vec!["--listen", "0.0.0.0:0"], "--behind-tls"),
        (vec!["--password-file", "/no/such/file"], "/no/such/file"),
        (vec!["--url", "redis://192.0.2.1", "--listen", "127.0.0.1:0"], "plaintext"),
    ] {
        let left = command(&arguments).output().await.unwrap();
        let errors = String::from_utf8(left.stderr).unwrap();
        assert!(!left.status.success() && errors.contains(line), "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    let mut short = command(&[]);
    let left = short.env("CLOAKROOM_ADMIN_PASSWORD", "too short").output().await.unwrap();
    let errors = String::from_utf8(left.stderr).unwrap();
    assert!(errors.contains("16 characters") && !errors.contains("too short"), "{errors}");

    let admin = Admin::start().await;
    assert!(!admin.greeting.contains(PASSWORD), "{}", admin.greeting);
    assert!(admin.greeting.contains("the one that you have given"), "{}", admin.greeting);
}
