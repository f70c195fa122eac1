//! On a telephone, by day and by night, and for minutes on end.

use serde_json::json;

use super::{PAGES, quiet, until};
use crate::support::admin::Admin;
use crate::support::webdriver::Browser;

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
