//! The demo as a visitor meets it, by the real binary, on the embedded storage and on Redis.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod http;
    pub mod process;
}

use cloakroom_testkit::RedisServer;
use support::http::{Answer, Visitor};
use support::process::{Demo, Stage};

/// Starts a slow request, and comes back as soon as the demo says that it is under way.
async fn start_slow(visitor: &Visitor) -> tokio::task::JoinHandle<Answer> {
    let mut slow = visitor.clone();
    let answer = tokio::spawn(async move { slow.post("/slow", "seconds=2").await });
    let mut watching = visitor.clone();
    while watching.get("/slow").await.attribute("data-under-way") != Some("1") {
        assert!(!answer.is_finished(), "the slow request was not slow");
        tokio::task::yield_now().await;
    }
    answer
}

#[tokio::test]
async fn looking_around_asks_nothing_and_leaves_nothing() {
    for stage in Stage::each().await {
        let mut visitor = Visitor::of(stage.demo.port);
        for path in ["/", "/slow", "/signed-out"] {
            let page = visitor.get(path).await;
            assert_eq!((page.status, page.cost(), page.owner()), (200, "nothing", None));
            assert_eq!(page.header("set-cookie"), None);
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'self';"));
        }
    }
}

#[tokio::test]
async fn anybody_can_sign_in_and_see_the_sessions_facts() {
    for stage in Stage::each().await {
        let mut visitor = Visitor::of(stage.demo.port);
        let signed_in = visitor.post("/sign-in", "name=Ada+%3CL%3E").await;
        let cookie = signed_in.header("set-cookie").unwrap();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
        assert_eq!(signed_in.cost(), "2 index steps, 1 commit");

        let greeting = visitor.get("/").await;
        assert_eq!(greeting.owner(), Some("Ada &#60;L&#62;"));
        assert_eq!(greeting.cost(), "1 load, 1 commit", "it has shown a message");
        let page = visitor.get("/").await;
        assert_eq!(page.cost(), "1 load");
        assert!(page.body.contains("<dd data-page-cost>1 load</dd>"));
        assert!(page.body.contains("<dd data-write-cost>2 index steps, 1 commit<"));
        assert_eq!(page.attribute("data-session").map(str::len), Some(32));
        assert_eq!(page.attribute("data-generation"), Some("2"));
        for fact in ["Idle deadline", "in 30 min", "Absolute deadline", "Kept in"] {
            assert!(page.body.contains(fact), "{fact} is missing");
        }
    }
}

#[tokio::test]
async fn a_remembered_visitor_keeps_the_cookie_for_a_week() {
    for stage in Stage::each().await {
        let mut visitor = Visitor::of(stage.demo.port);
        let signed_in = visitor.post("/sign-in", "name=Ada&remember=yes").await;
        assert!(signed_in.header("set-cookie").unwrap().ends_with("; Max-Age=604800"));
    }
}

#[tokio::test]
async fn signing_in_keeps_the_cart_and_replaces_the_ticket() {
    for stage in Stage::each().await {
        let mut visitor = Visitor::of(stage.demo.port);
        let added = visitor.post("/cart/add", "article=coat").await;
        assert_eq!((added.status, added.header("location")), (303, Some("/#cart")));
        let mut planted = visitor.clone();
        let page = visitor.sign_in("Ada").await;
        assert_eq!((page.owner(), page.count("coat")), (Some("Ada"), 1));
        assert_ne!(visitor.ticket(), planted.ticket());
        assert_eq!(planted.get("/").await.count("coat"), 0);
    }
}

#[tokio::test]
async fn things_are_added_taken_out_and_emptied_without_a_script() {
    for stage in Stage::each().await {
        let mut visitor = Visitor::of(stage.demo.port);
        for article in ["coat", "scarf", "scarf"] {
            visitor.post("/cart/add", &format!("article={article}")).await;
        }
        visitor.post("/cart/remove", "article=coat").await;
        let page = visitor.get("/").await;
        assert_eq!((page.count("coat"), page.count("scarf")), (0, 2));
        visitor.post("/cart/empty", "").await;
        assert_eq!(visitor.get("/").await.count("scarf"), 0);
        assert_eq!(visitor.post("/cart/add", "article=elephant").await.status, 422);
    }
}

#[tokio::test]
async fn twenty_parallel_adds_all_arrive() {
    for stage in Stage::each().await {
        let mut visitor = Visitor::of(stage.demo.port);
        visitor.sign_in("Ada").await;
        let adds: Vec<_> = (1..=20)
            .map(|number| {
                let mut visitor = visitor.clone();
                let form = format!("run=first&number={number}");
                tokio::spawn(async move { visitor.post("/cart/parallel", &form).await })
            })
            .collect();
        for add in adds {
            assert_eq!(add.await.unwrap().status, 204);
        }
        let page = visitor.get("/").await;
        assert_eq!((page.count("tag"), page.attribute("data-arrived")), (20, Some("20")));
        assert!(page.body.contains("All 20 arrived, in "));
    }
}

/// The same person in another browser.
async fn elsewhere(stage: &Stage, name: &str) -> Visitor {
    let mut visitor = Visitor::of(stage.demo.port);
    visitor.sign_in(name).await;
    visitor
}

#[tokio::test]
async fn an_owner_sees_all_devices_and_ends_them_but_nobody_elses() {
    for stage in Stage::each().await {
        let mut here = elsewhere(&stage, "Ada").await;
        let (mut there, mut away) =
            (elsewhere(&stage, "Ada").await, elsewhere(&stage, "Ada").await);
        let mut other = elsewhere(&stage, "Bob").await;
        let page = here.get("/devices").await;
        assert_eq!(page.cost(), "2 loads, 1 index step, 1 list");
        assert!(page.body.contains("<strong data-devices>3</strong>"), "{}", page.body);
        assert_eq!(page.body.matches("data-current").count(), 1);
        let bobs = other.get("/").await.attribute("data-session").unwrap().to_owned();
        assert!(!page.body.contains(&bobs));
        here.post("/devices/end", &format!("id={bobs}")).await;
        assert_eq!(other.get("/").await.owner(), Some("Bob"));
        let theirs = there.get("/").await.attribute("data-session").unwrap().to_owned();
        let ended = here.post("/devices/end", &format!("id={theirs}")).await;
        assert_eq!((ended.status, ended.header("location")), (303, Some("/devices")));
        assert!(here.get("/devices").await.body.contains("Its ticket is void."));
        assert_eq!(there.get("/").await.owner(), None);
        here.post("/devices/end-others", "").await;
        assert!(here.get("/devices").await.body.contains("Signed out in one other place."));
        assert_eq!((away.get("/").await.owner(), here.get("/").await.owner()), (None, Some("Ada")));
        for nonsense in ["", "id=", "id=0", &format!("id={theirs}0")] {
            assert!(here.post("/devices/end", nonsense).await.status < 500);
        }
        let nobody = Visitor::of(stage.demo.port).get("/devices").await;
        assert_eq!((nobody.status, nobody.header("location")), (303, Some("/")));
        assert_eq!(Visitor::of(stage.demo.port).post("/devices/end-others", "").await.status, 303);
    }
}

#[tokio::test]
async fn nobody_is_told_that_all_others_have_ended_where_one_could_not_be_read() {
    let [_, stage] = Stage::each().await;
    let mut here = elsewhere(&stage, "Ada").await;
    let mut there = elsewhere(&stage, "Ada").await;
    let id = there.get("/").await.attribute("data-session").unwrap().to_owned();
    // As a newer release writes it: its format has another version.
    let asked = ["SETRANGE", &format!("cloakroom:session:{id}"), "4", "\u{2}"];
    stage.redis.as_ref().unwrap().ask(asked).await.unwrap();
    here.post("/devices/end-others", "").await;
    let page = here.get("/devices").await;
    assert!(page.body.contains("You may still be signed in there."), "{}", page.body);
}

#[tokio::test]
async fn an_old_sign_in_ends_nothing_before_it_is_confirmed() {
    let demo = Demo::start_with("memory", &["--fresh-for", "0s"]).await;
    let (mut here, mut there) = (Visitor::of(demo.port), Visitor::of(demo.port));
    here.sign_in("Ada").await;
    there.sign_in("Ada").await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert!(here.get("/devices").await.body.contains("data-confirm"));
    here.post("/devices/end-others", "").await;
    assert!(here.get("/devices").await.body.contains("Please confirm first"));
    assert_eq!(there.get("/").await.owner(), Some("Ada"));
    let before = here.ticket().unwrap().to_owned();
    here.post("/devices/confirm", "name=Bob").await;
    assert!(here.get("/devices").await.body.contains("another name than yours"));
    here.post("/devices/confirm", "name=Ada").await;
    assert_ne!(here.ticket(), Some(before.as_str()));
    assert!(here.get("/devices").await.body.contains("It is you."));
}

#[tokio::test]
async fn a_message_is_shown_once() {
    for stage in Stage::each().await {
        let mut visitor = Visitor::of(stage.demo.port);
        assert!(visitor.sign_in("Ada").await.body.contains("Welcome, Ada."));
        assert!(!visitor.get("/").await.body.contains("Welcome, Ada."));
    }
}

#[tokio::test]
async fn two_processes_on_one_redis_share_a_session() {
    let redis = RedisServer::start().await.unwrap();
    let (one, two) = (Demo::start(&redis.url()).await, Demo::start(&redis.url()).await);
    let mut here = Visitor::of(one.port);
    here.sign_in("Ada").await;
    let mut there = here.at(two.port);
    there.post("/cart/add", "article=umbrella").await;
    let page = here.get("/").await;
    assert_eq!((page.owner(), page.count("umbrella")), (Some("Ada"), 1));
    here.post("/sign-out", "").await;
    assert_eq!(there.get("/").await.owner(), None);
}

#[tokio::test]
async fn a_sign_out_is_final_under_a_slow_request() {
    for stage in Stage::each().await {
        refuse_the_slow_write(stage.demo.port, stage.demo.port).await;
    }
}

#[tokio::test]
async fn a_sign_out_in_one_process_is_final_under_a_slow_request_in_another() {
    let redis = RedisServer::start().await.unwrap();
    let (one, two) = (Demo::start(&redis.url()).await, Demo::start(&redis.url()).await);
    refuse_the_slow_write(one.port, two.port).await;
}

async fn refuse_the_slow_write(slow_port: u16, other_port: u16) {
    let mut visitor = Visitor::of(slow_port);
    visitor.sign_in("Ada").await;
    let mut thief = visitor.clone();
    let slow = start_slow(&visitor).await;

    let mut leaving = visitor.at(other_port);
    let signed_out = leaving.post("/sign-out", "").await;
    assert_eq!(signed_out.header("location"), Some("/signed-out"));
    assert!(!slow.is_finished(), "the sign-out came too late to prove anything");
    assert_eq!(leaving.ticket(), None);

    let refused = slow.await.unwrap();
    assert_eq!((refused.status, refused.header("set-cookie")), (409, None));
    assert!(refused.body.contains("The write was refused"));
    for port in [slow_port, other_port] {
        assert_eq!(leaving.at(port).get("/slow").await.owner(), None);
        assert_eq!(thief.at(port).get("/").await.owner(), None, "the old ticket opens nothing");
    }
    assert!(thief.get("/").await.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_slow_request_writes_where_nobody_signs_out() {
    for stage in Stage::each().await {
        let mut visitor = Visitor::of(stage.demo.port);
        visitor.sign_in("Ada").await;
        let slow = start_slow(&visitor).await;
        assert_eq!(slow.await.unwrap().status, 303);
        let page = visitor.get("/slow").await;
        assert!(page.body.contains("The slow request has written"));
        assert_eq!(page.attribute("data-under-way"), Some("0"));
    }
}

#[tokio::test]
async fn a_lost_redis_is_a_page_that_leaves_the_ticket_alone() {
    let redis = RedisServer::start().await.unwrap();
    let demo = Demo::start(&redis.url()).await;
    let mut visitor = Visitor::of(demo.port);
    visitor.sign_in("Ada").await;
    redis.kill();
    let page = visitor.get("/").await;
    assert_eq!((page.status, page.header("set-cookie")), (503, None));
    assert_eq!(page.header("retry-after"), Some("1"));
    assert!(page.body.contains("The storage does not answer"));
    assert_eq!(visitor.get("/nowhere").await.status, 404, "other pages do not need the storage");
}

#[tokio::test]
async fn assets_are_kept_by_browsers_and_pages_are_not() {
    let demo = Demo::start("memory").await;
    let mut visitor = Visitor::of(demo.port);
    let page = visitor.get("/").await;
    assert_eq!(page.header("cache-control"), Some("no-store"));
    for attribute in ["href=\"/assets/style", "src=\"/assets/demo"] {
        let (name, start) = attribute.split_once("=\"").unwrap();
        let (_, rest) = page.body.split_once(&format!("{name}=\"{start}")).unwrap();
        let path = format!("{start}{}", rest.split('"').next().unwrap());
        let asset = visitor.get(&path).await;
        assert_eq!((asset.status, asset.cost()), (200, "nothing"));
        assert!(asset.header("cache-control").unwrap().ends_with("immutable"));
        // Another mark is another release's, which must not get this one for good.
        let (bare, _) = path.split_once('?').unwrap();
        for other in [bare.to_owned(), format!("{bare}?v=other"), format!("{path}&more")] {
            let asset = visitor.get(&other).await;
            assert_eq!((asset.status, asset.header("cache-control")), (200, Some("no-store")));
        }
    }
}

#[tokio::test]
async fn the_metrics_tell_what_happened_and_not_to_whom() {
    for stage in Stage::each().await {
        let mut visitor = Visitor::of(stage.demo.port);
        visitor.sign_in("Lovelace").await;
        let page = visitor.get("/").await;
        let session = page.attribute("data-session").unwrap().to_owned();
        let metrics = visitor.get("/metrics").await;
        assert_eq!((metrics.status, metrics.cost()), (200, "nothing"));
        assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
        for line in [
            "cloakroom_events_total{event=\"signed_in\"} 1\n",
            "cloakroom_storage_status{status=\"healthy\"} 1\n",
            "cloakroom_storage_duration_seconds_bucket{operation=\"load\",le=\"+Inf\"} ",
        ] {
            assert!(metrics.body.contains(line), "no {line} in\n{}", metrics.body);
        }
        for secret in ["Lovelace", &session, visitor.ticket().unwrap()] {
            assert!(!metrics.body.contains(secret), "{secret} in\n{}", metrics.body);
        }
    }
}
