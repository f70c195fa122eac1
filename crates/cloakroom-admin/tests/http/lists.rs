//! The list of sessions and the figures.

use std::collections::HashSet;
use std::time::Duration;

use axum::http::StatusCode;
use cloakroom::Engine;
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

use crate::site::{Browser, Site, visit};

async fn all(browser: &mut Browser, query: &str) -> Vec<String> {
    let (mut ids, mut at) = (Vec::new(), String::new());
    loop {
        let at_query: String = at.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/admin/api/sessions?{query}&at={at_query}");
        let page = browser.get(&path).await.json();
        let rows = page["sessions"].as_array().unwrap_or_else(|| panic!("{page}"));
        ids.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => at = next.to_owned(),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn ten_thousand_sessions_are_listed_once_each_in_bounded_pages() {
    let redis = RedisServer::start().await.unwrap();
    let storage = RedisSessionStorage::builder().url(redis.url()).build().await.unwrap();
    let site = Site::on(|observer| Engine::builder(storage).observer(observer).build().unwrap());
    for owner in 0..100 {
        let owner = format!("owner {owner}");
        let mut visits = tokio::task::JoinSet::new();
        for at in 0..100 {
            let (engine, owner) = (site.engine.clone(), (at < 50).then(|| owner.clone()));
            visits.spawn(async move { visit(&engine, owner.as_deref(), "A").await });
        }
        visits.join_all().await;
    }
    let mut ada = site.operator().await;
    let ids = all(&mut ada, "limit=500").await;
    assert_eq!(ids.len(), 10_000);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 10_000);
    assert_eq!(all(&mut ada, "signed_in=yes&limit=100").await.len(), 5000);
    assert_eq!(all(&mut ada, "owner=owner+7").await.len(), 50);
    assert_eq!(all(&mut ada, "owner=owner+7&signed_in=no").await.len(), 0);
    assert_eq!(all(&mut ada, "age=1h").await.len(), 0);

    // By the page's own links.
    let (mut path, mut pages, mut rows) = ("/admin/sessions?signed_in=no".to_owned(), 0, 0);
    loop {
        let page = ada.get(&path).await;
        assert!(page.body.len() < 90_000, "{}", page.body.len());
        pages += 1;
        rows += page.body.matches("scope=\"row\"").count();
        let Some((_, rest)) = page.body.split_once("data-next href=\"") else { break };
        path = rest.split('"').next().unwrap().replace("&#38;", "&");
    }
    assert_eq!(rows, 5000);
    assert!((100..=200).contains(&pages), "{pages}");

    let figures = counted(&mut ada, 10_000).await;
    assert_eq!(figures["count"]["is_exact"], false);
    let signed_in = figures["count"]["signed_in"].as_u64().unwrap();
    assert!((4000..=6000).contains(&signed_in), "{signed_in}");
    assert!(figures["count"]["memory"].as_u64().unwrap() > 1_000_000);
}

async fn counted(browser: &mut Browser, sessions: u64) -> serde_json::Value {
    for _ in 0..400 {
        let figures = browser.get("/admin/api/overview").await.json();
        if figures["count"]["sessions"] == sessions {
            return figures;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the sessions were never counted");
}

#[tokio::test]
async fn looking_at_the_overview_does_not_walk_over_everything_each_time() {
    let redis = RedisServer::start().await.unwrap();
    let storage = RedisSessionStorage::builder().url(redis.url()).build().await.unwrap();
    let site = Site::on(|observer| Engine::builder(storage).observer(observer).build().unwrap());
    site.visit(Some("eve"), "A").await;
    let mut ada = site.operator().await;
    counted(&mut ada, 1).await;
    let before = redis.calls("scan").await.unwrap();
    for _ in 0..100 {
        ada.get("/admin/api/overview").await;
    }
    assert_eq!(redis.calls("scan").await.unwrap(), before);
}

#[tokio::test]
async fn the_figures_are_those_of_the_application() {
    let site = Site::new();
    for _ in 0..3 {
        site.visit(Some("eve"), "A").await;
    }
    let id = site.visit(None, "A").await;
    let mut ada = site.operator().await;
    ada.post(&format!("/admin/sessions/{id}/end"), "").await;
    let figures = counted(&mut ada, 3).await;
    let total = |name: &str| -> u64 {
        figures["minutes"][name].as_array().unwrap().iter().filter_map(|it| it.as_u64()).sum()
    };
    assert_eq!((total("created"), total("signed_in"), total("ended")), (4, 3, 1));
    assert!(total("answers") > 0);
    assert_eq!(total("errors"), 0);
    assert_eq!(figures["seen"], "application");
    assert_eq!(figures["count"]["signed_in"], 3);
    assert_eq!(figures["count"]["is_exact"], true);
    assert_eq!(figures["health"]["status"], "healthy");
}

#[tokio::test]
async fn an_owners_sessions_are_paged_once_each_the_newest_first() {
    let site = Site::new();
    let mut ids = Vec::new();
    for _ in 0..90 {
        ids.push(site.visit(Some("eve & co"), "A").await);
    }
    let mut ada = site.operator().await;
    let (mut path, mut pages) =
        ("/admin/sessions?owner=eve+%26+co&limit=40".to_owned(), Vec::new());
    loop {
        let page = ada.get(&path).await.body;
        let rows = page.split("scope=\"row\"").skip(1);
        let row = |row: &str| row.split("/sessions/").nth(1).unwrap()[..32].to_owned();
        pages.push(rows.map(row).collect::<Vec<_>>());
        // What ends between two pages makes no other session fall out of the list.
        let _ = site.engine.revoke(pages.last().unwrap().last().unwrap().parse().unwrap()).await;
        let Some((_, rest)) = page.split_once("data-next href=\"") else { break };
        path = rest.split('"').next().unwrap().replace("&#38;", "&");
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [40, 40, 10]);
    let shown: HashSet<_> = pages.concat().into_iter().collect();
    assert_eq!(shown, ids.iter().map(ToString::to_string).collect());
    let by_program = all(&mut ada, "owner=eve+%26+co&limit=7").await;
    assert_eq!(by_program.len(), 87);
    assert_eq!(by_program.iter().collect::<HashSet<_>>().len(), 87);
}

#[tokio::test]
async fn the_trail_is_paged() {
    let site = Site::new();
    let mut ada = site.operator().await;
    for at in 0..150 {
        ada.post(&format!("/admin/owner/end?name=owner+{at}+"), "").await;
    }
    let newest = ada.get("/admin/audit").await.body;
    assert!(newest.contains(">owner 149 <") && newest.contains(">owner 50 <"));
    assert!(!newest.contains(">owner 49 <") && !newest.contains("To the newest"));
    let (_, link) = newest.split_once("data-next href=\"").unwrap();
    let older = ada.get(link.split('"').next().unwrap()).await.body;
    assert!(older.contains(">owner 49 <") && older.contains(">owner 0 <"));
    assert!(older.contains("To the newest") && !older.contains("data-next"));
}

#[tokio::test]
async fn a_search_leads_to_a_session_or_says_what_is_wrong() {
    let site = Site::new();
    let id = site.visit(Some("eve"), "A").await;
    let mut ada = site.operator().await;
    let got = ada.get(&format!("/admin/sessions?session=+{id}+&owner=")).await;
    assert_eq!(got.header("location"), format!("/admin/sessions/{id}"));
    let got = ada.get("/admin/sessions?session=nonsense").await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    assert!(got.body.contains("32 hexadecimal digits"));
    for query in ["age=old", "idle=-1", "limit=0", "at=nowhere", "signed_in=maybe"] {
        let page = ada.get(&format!("/admin/sessions?{query}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
        let json = ada.get(&format!("/admin/api/sessions?{query}")).await;
        assert_eq!(json.json()["error"], "bad_request", "{query}");
    }
    let got = ada.get("/admin/sessions?owner=nobody").await;
    assert!(got.body.contains("There is none."));
}
