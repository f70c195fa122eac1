//! The style sheet, the script and the icon. Their addresses hold a mark of their content, so
//! browsers may keep them for good and still see a new version at once.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

const STYLE: &str = include_str!("../../assets/style.css");
const SCRIPT: &str = include_str!("../../assets/demo.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// Where pages find the assets.
pub(super) struct Addresses {
    pub(super) style: String,
    pub(super) script: String,
    pub(super) icon: String,
}

/// Where pages find the assets; the same for the whole process.
pub(super) fn addresses() -> &'static Addresses {
    static ADDRESSES: OnceLock<Addresses> = OnceLock::new();
    ADDRESSES.get_or_init(|| Addresses {
        style: marked("style.css", STYLE),
        script: marked("demo.js", SCRIPT),
        icon: marked("icon.svg", ICON),
    })
}

/// Answers an asset. It may be kept under its own mark only: an address with another one is of another
/// release's page, which must not keep what this release has answered.
pub(super) async fn serve(Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let (kind, text) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "demo.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let asked = format!("/assets/{name}?{}", query.unwrap_or_default());
    let Addresses { style, script, icon } = addresses();
    let is_ours = [style, script, icon].contains(&&asked);
    let keep = if is_ours { "public, max-age=31536000, immutable" } else { "no-store" };
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, keep)], text).into_response()
}

fn marked(name: &str, text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("/assets/{name}?v={:016x}", hasher.finish())
}
