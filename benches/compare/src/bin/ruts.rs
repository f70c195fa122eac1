//! ruts with its Redis store, set up as its README does. It needs Redis 7.4 or later, for each field
//! expires by itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use cloakroom_compare::{
    Arguments, FIELDS, Failure, IDLE_TIMEOUT, NONE, PLAIN, SetField, USER, key_names, listener,
    run, text,
};
use fred::clients::Client;
use fred::interfaces::ClientLike;
use fred::types::config::Config;
use ruts::store::redis::RedisStore;
use ruts::store::{SessionMap, Ttl};
use ruts::{CookieOptions, Error, SessionLayer, cookie::SameSite};
use serde::Serialize;
use tower_cookies::CookieManagerLayer;

type Session = ruts::Session<RedisStore<Client>>;
type Answer = Result<String, StatusCode>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    run(async move {
        let client = Client::new(Config::from_url(&arguments.redis_url)?, None, None, None);
        client.init().await?;
        let store = RedisStore::new(Arc::new(client)).await?;
        let cookie = CookieOptions::build()
            .name("session")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(false)
            .max_age(IDLE_TIMEOUT.as_secs())
            .path("/");
        let routes = Router::new()
            .route("/plain", get(async || PLAIN))
            .route("/login", get(login))
            .route("/read", get(read))
            .route("/write", get(write))
            .route("/set", get(set))
            .route("/keys", get(keys))
            .route("/logout", get(logout))
            .route("/who", get(who))
            .layer(SessionLayer::new(Arc::new(store)).with_cookie_options(cookie))
            .layer(CookieManagerLayer::new());
        Ok(axum::serve(listener(arguments.port).await?, routes).await?)
    })
}

async fn login(session: Session) -> Answer {
    session.prepare_regenerate();
    put(&session, "uid", &USER).await?;
    put(&session, "count", &0_u64).await?;
    for field in FIELDS {
        put(&session, field, &text()).await?;
    }
    Ok("signed in".to_owned())
}

async fn read(session: Session) -> Answer {
    let count: Option<u64> = session.get("count").await.map_err(failed)?;
    count.map(|count| count.to_string()).ok_or(StatusCode::UNAUTHORIZED)
}

async fn write(session: Session) -> Answer {
    let count: Option<u64> = session.get("count").await.map_err(failed)?;
    let count = count.ok_or(StatusCode::UNAUTHORIZED)? + 1;
    put(&session, "count", &count).await?;
    Ok(count.to_string())
}

async fn set(session: Session, Query(query): Query<SetField>) -> Answer {
    let user: Option<u64> = session.get("uid").await.map_err(failed)?;
    user.ok_or(StatusCode::UNAUTHORIZED)?;
    query.work().await;
    put(&session, &query.k, &1_u64).await?;
    Ok("set".to_owned())
}

async fn keys(session: Session) -> Answer {
    let all: Option<SessionMap> = session.get_all().await.map_err(failed)?;
    let Some(all) = all else { return Ok("0".to_owned()) };
    let kept = key_names().filter(|name| matches!(all.get::<u64>(name), Ok(Some(_)))).count();
    Ok(kept.to_string())
}

async fn logout(session: Session) -> Answer {
    session.delete().await.map_err(failed)?;
    Ok("signed out".to_owned())
}

async fn who(session: Session) -> Answer {
    let user: Option<u64> = session.get("uid").await.map_err(failed)?;
    Ok(user.map_or_else(|| NONE.to_owned(), |user| user.to_string()))
}

async fn put<T: Serialize + Send + Sync>(
    session: &Session,
    field: &str,
    value: &T,
) -> Result<(), StatusCode> {
    let ttl = i64::try_from(IDLE_TIMEOUT.as_secs()).ok().and_then(|ttl| Ttl::new(ttl).ok());
    session.set(field, value, ttl.unwrap_or(Ttl::ZERO), None).await.map_err(failed)
}

fn failed(_: Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
