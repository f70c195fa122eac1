//! tower-sessions with its Redis store, set up as the store's README does: a pool of 6 connections,
//! sessions that live as long as they are written to.

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use cloakroom_compare::{
    Arguments, FIELDS, Failure, IDLE_TIMEOUT, NONE, PLAIN, SetField, USER, key_names, listener,
    run, text,
};
use tower_sessions::cookie::time::Duration;
use tower_sessions::session::Error;
use tower_sessions::{Expiry, Session, SessionManagerLayer};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

type Answer = Result<String, StatusCode>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    run(async move {
        let pool = Pool::new(Config::from_url(&arguments.redis_url)?, None, None, None, 6)?;
        pool.connect();
        pool.wait_for_connect().await?;
        let idle_timeout = Duration::try_from(IDLE_TIMEOUT)?;
        let layer = SessionManagerLayer::new(RedisStore::new(pool))
            .with_secure(false)
            .with_expiry(Expiry::OnInactivity(idle_timeout));
        let routes = Router::new()
            .route("/plain", get(async || PLAIN))
            .route("/login", get(login))
            .route("/read", get(read))
            .route("/write", get(write))
            .route("/set", get(set))
            .route("/keys", get(keys))
            .route("/logout", get(logout))
            .route("/who", get(who))
            .layer(layer);
        Ok(axum::serve(listener(arguments.port).await?, routes).await?)
    })
}

async fn login(session: Session) -> Answer {
    session.cycle_id().await.map_err(failed)?;
    session.insert("uid", USER).await.map_err(failed)?;
    session.insert("count", 0).await.map_err(failed)?;
    for field in FIELDS {
        session.insert(field, text()).await.map_err(failed)?;
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
    session.insert("count", count).await.map_err(failed)?;
    Ok(count.to_string())
}

async fn set(session: Session, Query(query): Query<SetField>) -> Answer {
    let user: Option<u64> = session.get("uid").await.map_err(failed)?;
    user.ok_or(StatusCode::UNAUTHORIZED)?;
    query.work().await;
    session.insert(&query.k, 1).await.map_err(failed)?;
    Ok("set".to_owned())
}

async fn keys(session: Session) -> Answer {
    let mut kept = 0;
    for name in key_names() {
        kept += usize::from(session.get_value(&name).await.map_err(failed)?.is_some());
    }
    Ok(kept.to_string())
}

async fn logout(session: Session) -> Answer {
    session.flush().await.map_err(failed)?;
    Ok("signed out".to_owned())
}

async fn who(session: Session) -> Answer {
    let user: Option<u64> = session.get("uid").await.map_err(failed)?;
    Ok(user.map_or_else(|| NONE.to_owned(), |user| user.to_string()))
}

fn failed(_: Error) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
