//! The routes by hand, on axum.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::get;

use super::{Refused, Store};
use crate::{PLAIN, SetField};

/// The routes of the comparison.
pub fn routes<S: Store>(store: S) -> Router {
    Router::new()
        .route("/plain", get(async || PLAIN))
        .route("/login", get(login::<S>))
        .route("/read", get(read::<S>))
        .route("/write", get(write::<S>))
        .route("/set", get(set::<S>))
        .route("/keys", get(keys::<S>))
        .route("/logout", get(logout::<S>))
        .route("/who", get(who::<S>))
        .with_state(Arc::new(store))
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
        .into_response()
    }
}

type Shared<S> = State<Arc<S>>;

async fn login<S: Store>(
    State(store): Shared<S>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refused> {
    let (cookie, answer) = super::login(&*store, key(&headers)).await?;
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), answer))
}

async fn read<S: Store>(State(store): Shared<S>, headers: HeaderMap) -> Result<String, Refused> {
    super::read(&*store, key(&headers)).await
}

async fn write<S: Store>(State(store): Shared<S>, headers: HeaderMap) -> Result<String, Refused> {
    super::write(&*store, key(&headers)).await
}

async fn set<S: Store>(
    State(store): Shared<S>,
    Query(query): Query<SetField>,
    headers: HeaderMap,
) -> Result<&'static str, Refused> {
    super::set(&*store, query, key(&headers)).await
}

async fn keys<S: Store>(State(store): Shared<S>, headers: HeaderMap) -> Result<String, Refused> {
    super::keys(&*store, key(&headers)).await
}

async fn logout<S: Store>(
    State(store): Shared<S>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refused> {
    let (cookie, answer) = super::logout(&*store, key(&headers)).await?;
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), answer))
}

async fn who<S: Store>(State(store): Shared<S>, headers: HeaderMap) -> Result<String, Refused> {
    super::who(&*store, key(&headers)).await
}

fn key(headers: &HeaderMap) -> Option<String> {
    super::key(headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok()))
}
