//! A revocation of many steps: it shows how far it is, goes on, stops and fails in sight.

use std::time::{Duration, Instant};

use cloakroom_testkit::fault_proxy::{Direction, Latency, Scope};
use cloakroom_testkit::{FaultProxy, RedisServer};
use tokio::sync::Mutex;

use super::{ENTER, quiet, until};
use crate::support::admin::Admin;
use crate::support::webdriver::Browser;

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
