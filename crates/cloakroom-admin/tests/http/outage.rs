//! A Redis that is down: the page says so, and never calls done what is not.

use axum::http::StatusCode;
use cloakroom::Engine;
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;
use serde_json::json;

use crate::site::Site;

#[tokio::test]
async fn a_redis_that_is_gone_is_told_on_every_page_and_actions_are_pending_or_unknown() {
    let redis = RedisServer::start().await.unwrap();
    let storage = RedisSessionStorage::builder().url(redis.url()).build().await.unwrap();
    let site = Site::on(|observer| Engine::builder(storage).observer(observer).build().unwrap());
    let (one, other) = (site.visit(Some("eve"), "A").await, site.visit(Some("eve"), "A").await);
    let mut ada = site.operator().await;
    redis.freeze();

    let pages = [
        "/admin/sessions".to_owned(),
        "/admin/sessions?owner=eve".to_owned(),
        format!("/admin/sessions/{one}"),
        format!("/admin/sessions/{one}/end"),
        format!("/admin/sessions/{one}/end-others"),
        "/admin/owner/end?name=eve".to_owned(),
        "/admin/before".to_owned(),
        "/admin/before/end?moment=2026-01-01T00:00".to_owned(),
    ];
    for path in &pages {
        let got = ada.get(path).await;
        assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(got.body.contains("The storage cannot say at present"), "{path}");
        assert!(!got.body.contains("No such session"), "{path}");
    }
    for path in ["/admin", "/admin/audit"] {
        assert_eq!(ada.get(path).await.status, StatusCode::OK, "{path}");
    }
    let got = ada.get(&format!("/admin/api/sessions/{one}")).await;
    assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(got.json()["error"], "storage_could_not_say");

    let got = ada.post(&format!("/admin/sessions/{one}/end"), "").await;
    assert_eq!(got.status, StatusCode::ACCEPTED, "{got:?}");
    assert!(got.body.contains("Pending: 0 sessions ended, 1 still to go."), "{got:?}");
    let order = format!("/admin/api/sessions/{other}/revoke");
    let (status, body) = ada.order(&order, json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(body, json!({ "outcome": "pending", "ended": 0, "pending": 1 }));
    for (path, form) in [
        ("/admin/owner/end?name=eve", ""),
        ("/admin/before/end", "moment=2026-01-01T00:00&word=end+them"),
    ] {
        let got = ada.post(path, form).await;
        assert_eq!(got.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(got.body.contains("Could not be done"), "{path}");
        assert!(got.body.contains("Try again"), "{path}");
        assert!(!got.body.contains("Done:"), "{path}");
    }
    let trail = ada.get("/admin/api/audit").await.json();
    let outcomes: Vec<_> = trail.as_array().unwrap().iter().map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["unknown", "unknown", "pending", "pending", "done"]);
    let figures = ada.get("/admin/api/overview").await.json();
    assert_ne!(figures["health"]["status"], "healthy");
    assert_eq!(figures["health"]["pending_removals"], 2);

    redis.thaw();
    assert!(site.engine.drain(std::time::Duration::from_secs(10)).await);
    assert!(!site.lives(one).await && !site.lives(other).await);
    assert_eq!(ada.get("/admin/sessions").await.status, StatusCode::OK);
}

#[tokio::test]
async fn nothing_is_called_ended_on_a_server_that_has_become_a_replica() {
    let redis = RedisServer::start().await.unwrap();
    let beat = std::time::Duration::from_millis(20);
    let storage = RedisSessionStorage::builder().url(redis.url()).heartbeat_interval(beat);
    let storage = storage.build().await.unwrap();
    let site = Site::on(|observer| Engine::builder(storage).observer(observer).build().unwrap());
    let mut ada = site.operator().await;
    let id = "0".repeat(32);
    let orders = [
        (format!("/admin/api/sessions/{id}/revoke"), json!({})),
        ("/admin/api/revoke-owner".to_owned(), json!({ "owner": "ann" })),
        ("/admin/api/revoke-before".to_owned(), json!({ "moment": "2026-01-01T00:00:00Z" })),
    ];
    for (path, order) in &orders {
        let (_, body) = ada.order(path, order.clone()).await;
        assert_eq!(body, json!({ "outcome": "nothing" }), "{path}");
    }
    // Cut off from a primary that is gone.
    redis.ask(["REPLICAOF", "127.0.0.1", "1"]).await.unwrap();
    while site.engine.health().nodes[0].role.as_deref() != Some("replica") {
        tokio::time::sleep(beat).await;
    }
    for (path, order) in &orders {
        let (status, body) = ada.order(path, order.clone()).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(body["outcome"], "unknown", "{path}");
        assert!(body["reason"].as_str().unwrap().contains("is a replica"), "{path}: {body}");
    }
}
