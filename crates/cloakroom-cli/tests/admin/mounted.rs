//! The page in an application of its own, and the pictures of it in the documentation.

use std::collections::VecDeque;
use std::time::Duration;

use cloakroom::Engine;
use cloakroom_admin::{AdminObserver, AdminPage, Operators};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{ManualClock, RedisServer};
use serde_json::Value;
use tokio::net::TcpListener;

use super::quiet;
use crate::support::admin::{AGENTS, PASSWORD, sign_in, visit};
use crate::support::webdriver::Browser;

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

/// Takes the pictures of the documentation: `CLOAKROOM_TEST_SCREENSHOTS=docs/images cargo test -p
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
        browser.picture(name).await;
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
