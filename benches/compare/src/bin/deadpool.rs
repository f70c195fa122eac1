//! What an application writes by hand without a session library: a cookie with a random id, a pool of
//! 16 connections, a JSON object under the id. `GET` and `TTL` when it is read, `EXPIRE` when less
//! than half of the time is left, `SETEX` when something was changed.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use cloakroom_compare::{
    Arguments, FIELDS, Failure, IDLE_TIMEOUT, NONE, PLAIN, SetField, USER, key_names, listener,
    run, text,
};
use deadpool_redis::redis::AsyncCommands;
use deadpool_redis::{Config, Pool, PoolConfig, Runtime};
use serde_json::{Map, Value};

type Answer = Result<String, StatusCode>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    run(async move {
        let mut config = Config::from_url(arguments.redis_url);
        config.pool = Some(PoolConfig::new(16));
        let sessions = Arc::new(Sessions { pool: config.create_pool(Some(Runtime::Tokio1))? });
        let routes = Router::new()
            .route("/plain", get(async || PLAIN))
            .route("/login", get(login))
            .route("/read", get(read))
            .route("/write", get(write))
            .route("/set", get(set))
            .route("/keys", get(keys))
            .route("/logout", get(logout))
            .route("/who", get(who))
            .with_state(sessions);
        Ok(axum::serve(listener(arguments.port).await?, routes).await?)
    })
}

/// The sessions in Redis.
struct Sessions {
    pool: Pool,
}

/// One visitor's session.
struct Loaded {
    key: String,
    data: Map<String, Value>,
}

impl Loaded {
    fn number(&self, field: &str) -> Option<u64> {
        self.data.get(field)?.as_u64()
    }
}

impl Sessions {
    async fn load(&self, headers: &HeaderMap) -> Result<Option<Loaded>, StatusCode> {
        let Some(key) = key(headers) else { return Ok(None) };
        let mut redis = self.pool.get().await.map_err(failed)?;
        let data: Option<String> = redis.get(&key).await.map_err(failed)?;
        let Some(data) = data else { return Ok(None) };
        let left: i64 = redis.ttl(&key).await.map_err(failed)?;
        if left < seconds() / 2 {
            let () = redis.expire(&key, seconds()).await.map_err(failed)?;
        }
        let data = serde_json::from_str(&data).map_err(failed)?;
        Ok(Some(Loaded { key, data }))
    }

    async fn save(&self, session: &Loaded) -> Result<(), StatusCode> {
        let data = serde_json::to_string(&session.data).map_err(failed)?;
        let mut redis = self.pool.get().await.map_err(failed)?;
        redis.set_ex(&session.key, data, IDLE_TIMEOUT.as_secs()).await.map_err(failed)
    }

    async fn remove(&self, key: &str) -> Result<(), StatusCode> {
        let mut redis = self.pool.get().await.map_err(failed)?;
        redis.del(key).await.map_err(failed)
    }
}

/// The key that the visitor's cookie names.
fn key(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    let mut cookies = cookies.flat_map(|header| header.split(';'));
    let id = cookies.find_map(|cookie| cookie.trim().strip_prefix("id="))?;
    Some(format!("session:{id}"))
}

async fn login(
    State(sessions): State<Arc<Sessions>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    if let Some(old) = key(&headers) {
        sessions.remove(&old).await?;
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(failed)?;
    let id = random.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut data = Map::new();
    data.insert("uid".to_owned(), USER.into());
    data.insert("count".to_owned(), 0.into());
    data.extend(FIELDS.map(|field| (field.to_owned(), text().into())));
    sessions.save(&Loaded { key: format!("session:{id}"), data }).await?;
    let cookie = format!("id={id}; HttpOnly; SameSite=Lax; Path=/");
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), "signed in"))
}

async fn read(State(sessions): State<Arc<Sessions>>, headers: HeaderMap) -> Answer {
    let count = sessions.load(&headers).await?.and_then(|session| session.number("count"));
    count.map(|count| count.to_string()).ok_or(StatusCode::UNAUTHORIZED)
}

async fn write(State(sessions): State<Arc<Sessions>>, headers: HeaderMap) -> Answer {
    let mut session = sessions.load(&headers).await?.ok_or(StatusCode::UNAUTHORIZED)?;
    let count = session.number("count").ok_or(StatusCode::UNAUTHORIZED)? + 1;
    session.data.insert("count".to_owned(), count.into());
    sessions.save(&session).await?;
    Ok(count.to_string())
}

async fn set(
    State(sessions): State<Arc<Sessions>>,
    Query(query): Query<SetField>,
    headers: HeaderMap,
) -> Answer {
    let mut session = sessions.load(&headers).await?.ok_or(StatusCode::UNAUTHORIZED)?;
    session.number("uid").ok_or(StatusCode::UNAUTHORIZED)?;
    query.work().await;
    session.data.insert(query.k, 1.into());
    sessions.save(&session).await?;
    Ok("set".to_owned())
}

async fn keys(State(sessions): State<Arc<Sessions>>, headers: HeaderMap) -> Answer {
    let session = sessions.load(&headers).await?;
    let kept = session
        .map_or(0, |session| key_names().filter(|name| session.data.contains_key(name)).count());
    Ok(kept.to_string())
}

async fn logout(
    State(sessions): State<Arc<Sessions>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    if let Some(key) = key(&headers) {
        sessions.remove(&key).await?;
    }
    let gone = "id=; Max-Age=0; HttpOnly; SameSite=Lax; Path=/";
    Ok((AppendHeaders([(SET_COOKIE, gone)]), "signed out"))
}

async fn who(State(sessions): State<Arc<Sessions>>, headers: HeaderMap) -> Answer {
    let user = sessions.load(&headers).await?.and_then(|session| session.number("uid"));
    Ok(user.map_or_else(|| NONE.to_owned(), |user| user.to_string()))
}

fn seconds() -> i64 {
    i64::try_from(IDLE_TIMEOUT.as_secs()).unwrap_or(i64::MAX)
}

fn failed<E>(_: E) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
