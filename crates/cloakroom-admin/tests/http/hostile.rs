//! Visitors whose names and browsers are made to break a page.

use crate::site::{PASSWORD, Site, visit_for_a_ticket};

pub const TEXTS: [&str; 9] = [
    "<script>window.broken = 1</script>",
    "\"><img src=x onerror=\"window.broken = 1\">",
    "' onmouseover='window.broken = 1",
    "</title></td></table><svg onload=alert(1)>",
    "{{ 7 * 7 }} ${7*7} %s",
    "admin\u{202e}nimda\u{2066}\u{200b}",
    "eve\nadmin",
    "eve\radmin",
    "eve\0admin",
];

#[tokio::test]
async fn what_visitors_send_is_text_on_every_page() {
    let site = Site::new();
    let mut ids = Vec::new();
    let long = "x".repeat(400);
    for text in TEXTS.into_iter().chain([long.as_str()]) {
        ids.push(site.visit(Some(text), text).await);
    }
    let mut ada = site.operator().await;
    let mut pages = vec!["/admin/sessions".to_owned()];
    for id in &ids {
        pages.extend(["", "/end", "/end-others"].map(|end| format!("/admin/sessions/{id}{end}")));
    }
    let list = ada.get("/admin/sessions").await.body;
    let links = list.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let links: Vec<_> = links.filter(|it| it.contains("owner=")).map(str::to_owned).collect();
    assert_eq!(links.len(), ids.len());
    pages.extend(links.iter().map(|it| it.replace("/sessions?owner=", "/owner/end?name=")));
    pages.extend(links);
    for path in pages {
        let got = ada.get(&path).await;
        assert_eq!(got.status, 200, "{path}");
        let body = got.body;
        for part in ["<script>", "<img", "<svg onload", "</td></table><", "onmouseover='"] {
            assert!(!body.contains(part), "{path} has {part}");
        }
        for letter in ['\u{202e}', '\u{2066}', '\u{200b}'] {
            let fields: String =
                body.split("value=\"").skip(1).map(|it| it.split('"').next().unwrap()).collect();
            let shown = body.matches(letter).count() - fields.matches(letter).count();
            assert_eq!(shown, 0, "{path} shows {letter:?}");
        }
    }
    let page = ada.get(&format!("/admin/sessions/{}", ids[5])).await.body;
    assert!(page.contains("admin\\u{202e}nimda"));
}

#[tokio::test]
async fn an_owner_with_a_hostile_name_can_be_found_and_ended() {
    let site = Site::new();
    for text in TEXTS {
        let id = site.visit(Some(text), "A").await;
        let mut ada = site.operator().await;
        let list = ada.get("/admin/sessions").await.body;
        let link = list.split("href=\"").find(|it| it.contains("/sessions?owner=")).unwrap();
        let query = link.split('"').next().unwrap().split_once("owner=").unwrap().1;
        let question = ada.get(&format!("/admin/owner/end?name={query}")).await;
        let form = question.text_after("confirm\" method=\"post\" action=\"");
        let got = ada.post(form.split('"').next().unwrap(), "").await;
        assert!(got.body.contains("Done: 1 session ended."), "{text}");
        assert!(!site.lives(id).await);
    }
}

#[tokio::test]
async fn no_page_and_no_json_holds_a_value_a_ticket_or_a_password() {
    let site = Site::new();
    let (id, ticket) = visit_for_a_ticket(&site.engine, Some("eve"), "A").await;
    assert!(ticket.len() > 32 && ticket.is_ascii());
    // Neither all of it nor a half: the one that finds the record, the one that proves the right.
    let halves = ticket.split_at(ticket.len() / 2);
    let mut ada = site.operator().await;
    let cookie = ada.cookie.clone().unwrap();
    for path in [
        "",
        "/sessions",
        "/sessions?owner=eve",
        &format!("/sessions/{id}"),
        &format!("/sessions/{id}/end"),
        &format!("/sessions/{id}/end-others"),
        "/owner/end?name=eve",
        "/audit",
        "/api/sessions",
        &format!("/api/sessions/{id}"),
        "/api/audit",
        "/api/overview",
    ] {
        let got = ada.get(&format!("/admin{path}")).await;
        assert_eq!(got.status, 200, "{path}");
        for secret in ["nobody may see", "secret", PASSWORD, &cookie, halves.0, halves.1] {
            assert!(!got.body.contains(secret), "{path} holds {secret}");
        }
    }
}

#[tokio::test]
async fn owners_that_look_alike_are_told_apart_on_every_page() {
    let site = Site::new();
    let mut ada = site.operator().await;
    let pile = "\u{301}".repeat(40);
    for hidden in ["\u{3164}", "\u{a0}", "\u{115f}", "\u{2800}", "\u{34f}", "\u{fe0f}", &pile] {
        let owner = format!("ann{hidden}");
        let id = site.visit(Some(&owner), "A").await;
        let query: String = owner.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for path in [
            "/sessions".to_owned(),
            format!("/sessions/{id}"),
            format!("/sessions/{id}/end-others"),
            format!("/owner/end?name={query}"),
        ] {
            let page = ada.get(&format!("/admin{path}")).await.body;
            let escape = hidden.chars().last().unwrap().escape_unicode().to_string();
            assert!(page.contains("ann") && page.contains(&escape), "{path}: {escape}");
        }
        ada.post(&format!("/admin/owner/end?name={query}"), "").await;
    }
    let trail = ada.get("/admin/audit").await.body;
    assert!(trail.contains(r"ann\u{3164}"), "{trail}");
}
