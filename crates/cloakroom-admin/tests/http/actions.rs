//! What the actions do, and what they say.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use cloakroom::{Clock, Engine, Event, MemorySessionStorage, SystemClock};
use cloakroom_admin::AdminPage;
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::{ManualClock, RedisServer};
use serde_json::json;

use crate::site::{Site, operators};

#[tokio::test]
async fn one_session_is_ended_after_a_question() {
    let site = Site::new();
    let (id, other) = (site.visit(Some("eve"), "A").await, site.visit(Some("eve"), "B").await);
    let mut ada = site.operator().await;
    let page = ada.get(&format!("/admin/sessions/{id}")).await;
    assert!(page.body.contains(&id.to_string()) && page.body.contains("192.0.2.7"));
    let question = ada.get(&format!("/admin/sessions/{id}/end")).await;
    assert!(question.body.contains("End this session?"));
    assert!(site.lives(id).await);
    let got = ada.post(&format!("/admin/sessions/{id}/end"), "").await;
    assert_eq!(got.status, StatusCode::OK);
    assert!(got.body.contains("Done: 1 session ended."));
    assert!(!site.lives(id).await && site.lives(other).await);
    let got = ada.post(&format!("/admin/sessions/{id}/end"), "").await;
    assert!(got.body.contains("There was nothing to end."));
    let gone = ada.get(&format!("/admin/sessions/{id}")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.body.contains("No such session"));
}

#[tokio::test]
async fn every_page_and_question_names_the_installation_to_operators_alone() {
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    let page = AdminPage::for_operators(engine.clone(), operators()).installation("<staging>");
    let site = Site { engine, router: Router::new().nest("/admin", page.router().unwrap()) };
    let id = site.visit(Some("eve"), "A").await;
    let named = "&#60;staging&#62;";
    assert!(!site.browser().get("/admin/sign-in").await.body.contains(named));
    let mut ada = site.operator().await;
    for path in ["", "/sessions", &format!("/sessions/{id}"), "/before", "/audit"] {
        let body = ada.get(&format!("/admin{path}")).await.body;
        let title = body.split_once("</title>").unwrap().0;
        assert!(title.contains(named), "{path}");
        assert!(body.contains(&format!("data-installation>{named}<")), "{path}");
    }
    for path in [
        &format!("/sessions/{id}/end"),
        &format!("/sessions/{id}/end-others"),
        "/owner/end?name=eve",
        "/before/end?moment=2026-01-01T00:00",
    ] {
        let body = ada.get(&format!("/admin{path}")).await.body;
        let (_, form) = body.split_once("class=\"card confirm\"").unwrap();
        assert!(form.contains(named), "{path}");
    }
}

#[tokio::test]
async fn an_owners_others_and_then_all_are_ended() {
    let site = Site::new();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(site.visit(Some("eve & co"), "A").await);
    }
    let bystander = site.visit(Some("eve"), "A").await;
    let mut ada = site.operator().await;
    let got = ada.post(&format!("/admin/sessions/{}/end-others", ids[2]), "").await;
    assert!(got.body.contains("Done: 4 sessions ended."), "{got:?}");
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(site.lives(*id).await, at == 2);
    }
    let question = ada.get("/admin/owner/end?name=eve%20%26%20co").await;
    assert!(question.body.contains("has 1 session at present"), "{question:?}");
    assert!(question.body.contains("action=\"/admin/owner/end?name=eve%20%26%20co\""));
    let got = ada.post("/admin/owner/end?name=eve+%26+co", "").await;
    assert!(got.body.contains("Done: 1 session ended."));
    assert!(!site.lives(ids[2]).await && site.lives(bystander).await);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_never_called_nothing() {
    let redis = RedisServer::start().await.unwrap();
    let storage = RedisSessionStorage::builder().url(redis.url()).build().await.unwrap();
    let site = Site::on(|observer| Engine::builder(storage).observer(observer).build().unwrap());
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(site.visit(Some("eve"), "A").await);
    }
    // As a newer release writes them, while both run beside each other.
    for id in &ids[1..] {
        let key = [DEFAULT_PREFIX.as_bytes(), &id.key().to_hex()].concat();
        let mut record = redis.ask([b"GET".as_slice(), &key]).await.unwrap().bytes().unwrap();
        record[4] += 1;
        redis.ask([b"SET".as_slice(), &key, &record, b"KEEPTTL"]).await.unwrap();
    }
    let mut ada = site.operator().await;
    let list = ada.get("/admin/sessions?owner=eve").await;
    assert!(list.body.contains("1 shown") && list.body.contains("2 cannot be read"), "{list:?}");
    let question = ada.get("/admin/owner/end?name=eve").await;
    assert!(question.body.contains("in the place of 2 more cannot be read"), "{question:?}");
    let got = ada.post(&format!("/admin/sessions/{}/end-others", ids[0]), "").await;
    assert!(got.body.contains("0 sessions ended; what lies in the place of 2 more"), "{got:?}");
    for sessions in ["1 session", "0 sessions"] {
        let got = ada.post("/admin/owner/end?name=eve", "").await;
        assert_eq!(got.status, StatusCode::CONFLICT, "{sessions}");
        assert!(got.body.contains("data-outcome=\"bad\""), "{got:?}");
        let told = format!("Not all of them: {sessions} ended; what lies in the place of 2 more");
        assert!(got.body.contains(&told), "{got:?}");
    }
    let (status, body) = ada.order("/admin/api/revoke-owner", json!({ "owner": "eve" })).await;
    assert_eq!((status, &body["outcome"]), (StatusCode::CONFLICT, &json!("incomplete")));
    let list = ada.get("/admin/sessions?owner=eve").await;
    assert!(list.body.contains("There is none that can be read."), "{list:?}");
}

#[tokio::test]
async fn an_owners_others_are_not_called_ended_where_the_session_that_stays_is_over() {
    let site = Site::new();
    let (kept, other) = (site.visit(Some("eve"), "A").await, site.visit(Some("eve"), "B").await);
    let nobodys = site.visit(None, "C").await;
    let mut ada = site.operator().await;
    ada.post(&format!("/admin/sessions/{kept}/end"), "").await;
    for id in [kept, nobodys] {
        let got = ada.post(&format!("/admin/sessions/{id}/end-others"), "").await;
        assert_eq!(got.status, StatusCode::CONFLICT);
        assert!(got.body.contains("Not all were ended"), "{got:?}");
        assert!(got.body.contains("the session that was to stay is over"), "{got:?}");
    }
    assert!(site.lives(other).await);
    let got = ada.post(&format!("/admin/sessions/{other}/end-others"), "").await;
    assert!(got.body.contains("There was nothing to end."), "{got:?}");
}

#[tokio::test]
async fn everything_before_a_moment_ends_after_a_word_was_typed() {
    let site = Site::new();
    let old = site.visit(Some("eve"), "A").await;
    let also = site.visit(None, "A").await;
    let mut ada = site.operator().await;
    let later = SystemClock.now() + Duration::from_secs(3600);
    let got = ada.get(&format!("/admin/before/end?moment={later}")).await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let now = SystemClock.now().to_string();
    let form = format!("moment={now}");
    let question = ada.get(&format!("/admin/before/end?{form}")).await;
    assert!(question.body.contains("Type “end them”"));
    let got = ada.post("/admin/before/end", &format!("{form}&word=yes")).await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    assert!(site.lives(old).await);
    let got = ada.post("/admin/before/end", &format!("{form}&word=end+them")).await;
    assert!(got.body.contains("Done: 2 sessions ended."), "{got:?}");
    assert!(!site.lives(old).await && !site.lives(also).await);
    // The operator is no visitor: the page's own sign-in goes on.
    assert_eq!(ada.get("/admin").await.status, StatusCode::OK);
}

#[tokio::test]
async fn before_now_means_the_storages_clock() {
    let clock = ManualClock::new();
    clock.advance(clock.now().until(SystemClock.now()) + Duration::from_secs(300));
    let storage = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let site = Site::on(|observer| Engine::builder(storage).observer(observer).build().unwrap());
    let id = site.visit(Some("eve"), "A").await;
    clock.advance(Duration::from_secs(2));
    let mut ada = site.operator().await;
    let form = ada.get("/admin/before").await;
    let now = form.text_after("type=\"datetime-local\" step=\"1\" value=\"");
    let now = now.split('"').next().unwrap().to_owned();
    assert_eq!(format!("{now}Z"), clock.now().to_string());
    let question = ada.get(&format!("/admin/before/end?moment={now}")).await;
    assert_eq!(question.status, StatusCode::OK, "{question:?}");

    // What is still to come by that clock is refused however it is asked for, and audited.
    let later = (clock.now() + Duration::from_secs(60)).to_string();
    let got = ada.get(&format!("/admin/before/end?moment={later}")).await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    let got = ada.post("/admin/before/end", &format!("moment={later}&word=end+them")).await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    assert!(got.body.contains("Refused: that moment is still to come."), "{got:?}");
    // Nor does it help to say that it has begun.
    for position in ["", "0@127.0.0.1:6379#5d41402a", "1", "nonsense"] {
        let order = json!({ "moment": later.as_str(), "position": position });
        let (status, body) = ada.order("/admin/api/revoke-before", order).await;
        let refused = (StatusCode::BAD_REQUEST, &json!("refused"));
        assert_eq!((status, &body["outcome"]), refused, "{position}");
    }
    let trail = ada.get("/admin/audit").await;
    assert_eq!(trail.body.matches("End all sessions from before a moment").count(), 5);
    assert!(site.lives(id).await);

    let got = ada.post("/admin/before/end", &format!("moment={now}&word=end+them")).await;
    assert!(got.body.contains("Done: 1 session ended."), "{got:?}");
    assert!(!site.lives(id).await);
}

#[tokio::test]
async fn the_json_interface_does_the_same() {
    let site = Site::new();
    let (one, kept) = (site.visit(Some("eve"), "A").await, site.visit(Some("eve"), "A").await);
    let last = site.visit(Some("eve"), "A").await;
    let mut ada = site.operator().await;
    let facts = ada.get(&format!("/admin/api/sessions/{one}")).await.json();
    assert_eq!(facts["id"], one.to_string());
    assert_eq!((&facts["owner"], &facts["address"]), (&json!("eve"), &json!("192.0.2.7")));
    let (status, body) = ada.order(&format!("/admin/api/sessions/{one}/revoke"), json!({})).await;
    assert_eq!((status, body), (StatusCode::OK, json!({ "outcome": "done", "ended": 1 })));
    let others = format!("/admin/api/sessions/{kept}/revoke-others");
    let (_, body) = ada.order(&others, json!({})).await;
    assert_eq!(body, json!({ "outcome": "done", "ended": 1 }));
    assert!(!site.lives(last).await && site.lives(kept).await);
    let (_, body) = ada.order("/admin/api/revoke-owner", json!({ "owner": "nobody" })).await;
    assert_eq!(body, json!({ "outcome": "nothing" }));
    let order = json!({ "moment": "2020-01-01T00:00:00Z" });
    let (_, body) = ada.order("/admin/api/revoke-before", order).await;
    assert_eq!(body, json!({ "outcome": "nothing" }));
    let order = json!({ "moment": "soon" });
    let (status, body) = ada.order("/admin/api/revoke-before", order).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("bad_request")));
    let (status, _) = ada.order("/admin/api/sessions/nonsense/revoke", json!({})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_audit_trail_says_who_did_what_and_what_became_of_it() {
    let site = Site::new();
    let id = site.visit(Some("eve"), "A").await;
    let mut ada = site.operator().await;
    ada.post(&format!("/admin/sessions/{id}/end"), "").await;
    ada.post("/admin/owner/end?name=eve", "").await;
    let trail = ada.get("/admin/api/audit").await.json();
    let words: Vec<_> = trail.as_array().unwrap().iter().map(|it| &it["action"]).collect();
    assert_eq!(words, ["end_owner", "end_session", "sign_in"]);
    assert_eq!(trail[0]["outcome"], "nothing");
    assert_eq!(trail[1]["operator"], "ada");
    assert_eq!(trail[1]["session"], id.to_string());
    assert_eq!(trail[1]["ended"], 1);
    let page = ada.get("/admin/audit").await.body;
    assert!(page.contains("End a session") && page.contains(&id.to_string()));
}

#[tokio::test]
async fn what_meets_a_panic_is_in_the_audit_trail() {
    let breaks = |event: &Event<'_>| {
        assert!(!matches!(event, Event::Revoked { .. }), "the application's observer is broken");
    };
    let memory = MemorySessionStorage::new();
    let site = Site::on(|_| Engine::builder(memory).observer(breaks).build().unwrap());
    let id = site.visit(Some("eve"), "A").await;
    let mut ada = site.operator().await;
    let got = ada.post(&format!("/admin/sessions/{id}/end"), "").await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE, "{got:?}");
    let trail = ada.get("/admin/api/audit").await.json();
    assert_eq!(
        (&trail[0]["action"], &trail[0]["session"]),
        (&json!("end_session"), &json!(id.to_string()))
    );
    assert_eq!(
        (&trail[0]["outcome"], &trail[0]["reason"]),
        (&json!("unknown"), &json!("it broke off"))
    );
}
