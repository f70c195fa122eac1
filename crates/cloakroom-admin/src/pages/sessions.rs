//! The list of sessions, and the search.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::PublicId;

use crate::app::App;
use crate::door::Admitted;
use crate::listing::Listing;
use crate::mount::Mount;
use crate::pages::answer;
use crate::pages::frame::{Frame, Place};
use crate::pages::input::Input;
use crate::pages::row::{Row, in_query};
use crate::pages::search::Search;

/// The spans that the form offers.
const SPANS: [(&str, &str); 6] = [
    ("5m", "5 minutes"),
    ("1h", "1 hour"),
    ("12h", "12 hours"),
    ("1d", "1 day"),
    ("7d", "7 days"),
    ("30d", "30 days"),
];

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    frame: Frame,
    rows: Vec<Row>,
    search: Search,
    spans: [(&'static str, &'static str); 6],
    looked_at: usize,
    unreadable: usize,
    percent: Option<u8>,
    /// The query of the next page.
    next: Option<String>,
    /// The owner who was searched for, for a link.
    owner_query: Option<String>,
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(admitted): Extension<Admitted>,
    mount: Mount,
    Input(Query(mut search)): Input<Query<Search>>,
) -> Response {
    let frame = Frame::of(&app, &admitted, &mount, Place::Sessions);
    search.session = search.session.trim().to_owned();
    if !search.session.is_empty() {
        return match search.session.parse::<PublicId>() {
            Ok(id) => Redirect::to(&format!("{}/sessions/{id}", mount.as_str())).into_response(),
            Err(error) => answer::misunderstood(frame, &format!("{error}.")),
        };
    }
    let wanted = match search.read() {
        Ok(wanted) => wanted,
        Err(problem) => return answer::misunderstood(frame, &problem),
    };
    let found = Listing::find(&app.engine, &wanted.filter, wanted.place, wanted.rows).await;
    let listing = match found {
        Ok(listing) => listing,
        Err(error) => return answer::storage_is_silent(frame, &error),
    };
    let page = SessionsPage {
        frame,
        rows: listing.rows.iter().map(Row::of).collect(),
        spans: SPANS,
        looked_at: listing.looked_at,
        unreadable: listing.unreadable,
        percent: listing.done.filter(|_| listing.next.is_some()).map(percent),
        next: listing.next.map(|next| search.query_at(&next)),
        owner_query: wanted.filter.owner.as_deref().map(in_query),
        search,
    };
    answer::page(StatusCode::OK, &page)
}

/// A share in hundredths.
fn percent(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0) as u8
}
