//! Cloakroom on axum, set up as its README does for a page over plain HTTP.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use cloakroom::{Destroyed, Engine, Policy};
use cloakroom_axum::{Session, SessionHandle, SessionLayer, SessionRejection};
use cloakroom_compare::{
    Arguments, FIELDS, Failure, NONE, PLAIN, Reads, SetField, USER, key_names, listener,
    next_owner, run, text,
};
use cloakroom_redis::{NearCache, RedisSessionStorage};

/// A visitor without a session is answered with 401.
type Answer = Result<Result<String, StatusCode>, SessionRejection>;

const NOBODY: Result<String, StatusCode> = Err(StatusCode::UNAUTHORIZED);

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read_with_near_cache()?;
    run(async move {
        let near_cache = (arguments.reads == Reads::NearCache).then(NearCache::default);
        let storage = RedisSessionStorage::builder().url(&arguments.redis_url);
        let storage = storage.near_cache(near_cache).build().await?;
        let policy = Policy::for_local_development();
        let engine = Engine::builder(storage).policy(policy).build()?;
        let routes = Router::new()
            .route("/plain", get(async || PLAIN))
            .route("/login", get(login))
            .route("/read", get(read))
            .route("/write", get(write))
            .route("/set", get(set))
            .route("/keys", get(keys))
            .route("/logout", get(logout))
            .route("/who", get(who))
            .layer(SessionLayer::new(engine));
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        Ok(axum::serve(listener(arguments.port).await?, service).await?)
    })
}

async fn login(session: Session) -> Result<&'static str, SessionRejection> {
    session.set_owner(&next_owner())?;
    session.insert("uid", USER)?;
    session.insert("count", 0)?;
    for field in FIELDS {
        session.insert(field, text())?;
    }
    Ok("signed in")
}

async fn read(session: Option<Session>) -> Answer {
    let Some(session) = session else { return Ok(NOBODY) };
    let count: Option<u64> = session.get("count")?;
    Ok(count.map_or(NOBODY, |count| Ok(count.to_string())))
}

async fn write(session: Option<Session>) -> Answer {
    let Some(session) = session else { return Ok(NOBODY) };
    let count = session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1)?;
    Ok(Ok(count.to_string()))
}

async fn set(session: Option<Session>, Query(query): Query<SetField>) -> Answer {
    let Some(session) = session else { return Ok(NOBODY) };
    if session.get::<u64>("uid")?.is_none() {
        return Ok(NOBODY);
    }
    query.work().await;
    session.insert(query.k.as_str(), 1)?;
    Ok(Ok("set".to_owned()))
}

async fn keys(session: Option<Session>) -> String {
    let kept = session
        .map_or(0, |session| key_names().filter(|name| session.contains(name.as_str())).count());
    kept.to_string()
}

async fn logout(
    SessionHandle(handle): SessionHandle,
) -> Result<(StatusCode, &'static str), SessionRejection> {
    Ok(match handle.sign_out().await? {
        Destroyed::Pending => (StatusCode::ACCEPTED, "signed out here"),
        Destroyed::Removed(_) | Destroyed::Absent(_) => (StatusCode::OK, "signed out"),
    })
}

async fn who(session: Option<Session>) -> Result<String, SessionRejection> {
    let Some(session) = session else { return Ok(NONE.to_owned()) };
    let user: Option<u64> = session.get("uid")?;
    Ok(user.map_or_else(|| NONE.to_owned(), |user| user.to_string()))
}
