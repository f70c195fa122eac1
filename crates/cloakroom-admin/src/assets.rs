//! The style sheet, the script and the icon. Their addresses hold a mark of their content, so
//! browsers may keep them for good and still see a new version at once. They are the same for
//! everybody and hold nothing of the sessions, so they are not guarded.

use std::sync::OnceLock;

use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

const STYLE: &[u8] = include_bytes!("../assets/admin.css");
const SCRIPT: &[u8] = include_bytes!("../assets/admin.js");
const ICON: &[u8] = include_bytes!("../assets/icon.svg");

/// What is said of an answer that never changes.
pub(crate) const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// Where pages find the assets, below the page's own path.
#[derive(Debug)]
pub(crate) struct Addresses {
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) icon: String,
}

/// Where pages find the assets; the same for the whole process.
pub(crate) fn addresses() -> &'static Addresses {
    static ADDRESSES: OnceLock<Addresses> = OnceLock::new();
    ADDRESSES.get_or_init(|| Addresses {
        style: marked("admin.css", STYLE),
        script: marked("admin.js", SCRIPT),
        icon: marked("icon.svg", ICON),
    })
}

/// Answers an asset. It may be kept under its own mark only: an address with another one is of another
/// release's page, which must not keep what this release has answered.
pub(crate) async fn serve(Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let (kind, bytes) = match name.as_str() {
        "admin.css" => ("text/css; charset=utf-8", STYLE),
        "admin.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let asked = format!("/assets/{name}?{}", query.unwrap_or_default());
    let Addresses { style, script, icon } = addresses();
    let is_ours = [style, script, icon].contains(&&asked);
    let keep = if is_ours { FOR_GOOD } else { "no-store" };
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, keep)], bytes).into_response()
}

fn marked(name: &str, bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mark: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("/assets/{name}?v={mark}")
}
