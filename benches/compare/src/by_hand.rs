//! What an application writes by hand without a session library: a cookie with a random id, a JSON
//! object under the id. How it gets to Redis and back is up to a [`Store`].

use std::fmt::Display;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use serde_json::{Map, Value};

use crate::{FIELDS, IDLE_TIMEOUT, NONE, PLAIN, SetField, USER, key_names, text};

type Answer = Result<String, StatusCode>;

/// Where the objects lie.
pub trait Store: Send + Sync + 'static {
    /// What went wrong in Redis.
    type Error: Display;

    /// The text under a key.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;

    /// Keeps a text under a key for so many seconds.
    fn set(
        &self,
        key: &str,
        data: String,
        seconds: u64,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Removes a key.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// One visitor's session.
struct Loaded {
    key: String,
    data: Map<String, Value>,
}

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

/// How long a session lives, in seconds.
pub fn lifetime() -> u64 {
    IDLE_TIMEOUT.as_secs()
}

impl Loaded {
    fn number(&self, field: &str) -> Option<u64> {
        self.data.get(field)?.as_u64()
    }
}

async fn load<S: Store>(store: &S, headers: &HeaderMap) -> Result<Option<Loaded>, StatusCode> {
    let Some(key) = key(headers) else { return Ok(None) };
    let Some(data) = store.get(&key).await.map_err(failed)? else { return Ok(None) };
    let data = serde_json::from_str(&data).map_err(failed)?;
    Ok(Some(Loaded { key, data }))
}

async fn save<S: Store>(store: &S, session: &Loaded) -> Result<(), StatusCode> {
    let data = serde_json::to_string(&session.data).map_err(failed)?;
    store.set(&session.key, data, lifetime()).await.map_err(failed)
}

/// The key that the visitor's cookie names.
fn key(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    let mut cookies = cookies.flat_map(|header| header.split(';'));
    let id = cookies.find_map(|cookie| cookie.trim().strip_prefix("id="))?;
    Some(format!("session:{id}"))
}

async fn login<S: Store>(
    State(store): State<Arc<S>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    if let Some(old) = key(&headers) {
        store.remove(&old).await.map_err(failed)?;
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(failed)?;
    let id = random.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut data = Map::new();
    data.insert("uid".to_owned(), USER.into());
    data.insert("count".to_owned(), 0.into());
    data.extend(FIELDS.map(|field| (field.to_owned(), text().into())));
    save(&*store, &Loaded { key: format!("session:{id}"), data }).await?;
    let cookie = format!("id={id}; HttpOnly; SameSite=Lax; Path=/");
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), "signed in"))
}

async fn read<S: Store>(State(store): State<Arc<S>>, headers: HeaderMap) -> Answer {
    let count = load(&*store, &headers).await?.and_then(|session| session.number("count"));
    count.map(|count| count.to_string()).ok_or(StatusCode::UNAUTHORIZED)
}

async fn write<S: Store>(State(store): State<Arc<S>>, headers: HeaderMap) -> Answer {
    let mut session = load(&*store, &headers).await?.ok_or(StatusCode::UNAUTHORIZED)?;
    let count = session.number("count").ok_or(StatusCode::UNAUTHORIZED)? + 1;
    session.data.insert("count".to_owned(), count.into());
    save(&*store, &session).await?;
    Ok(count.to_string())
}

async fn set<S: Store>(
    State(store): State<Arc<S>>,
    Query(query): Query<SetField>,
    headers: HeaderMap,
) -> Answer {
    let mut session = load(&*store, &headers).await?.ok_or(StatusCode::UNAUTHORIZED)?;
    session.number("uid").ok_or(StatusCode::UNAUTHORIZED)?;
    query.work().await;
    session.data.insert(query.k, 1.into());
    save(&*store, &session).await?;
    Ok("set".to_owned())
}

async fn keys<S: Store>(State(store): State<Arc<S>>, headers: HeaderMap) -> Answer {
    let session = load(&*store, &headers).await?;
    let kept = session
        .map_or(0, |session| key_names().filter(|name| session.data.contains_key(name)).count());
    Ok(kept.to_string())
}

async fn logout<S: Store>(
    State(store): State<Arc<S>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    if let Some(key) = key(&headers) {
        store.remove(&key).await.map_err(failed)?;
    }
    let gone = "id=; Max-Age=0; HttpOnly; SameSite=Lax; Path=/";
    Ok((AppendHeaders([(SET_COOKIE, gone)]), "signed out"))
}

async fn who<S: Store>(State(store): State<Arc<S>>, headers: HeaderMap) -> Answer {
    let user = load(&*store, &headers).await?.and_then(|session| session.number("uid"));
    Ok(user.map_or_else(|| NONE.to_owned(), |user| user.to_string()))
}

fn failed(_: impl Display) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
