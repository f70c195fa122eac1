//! axum_session with its Redis pool, set up as its README does; the defaults are its own.

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use axum_session::{SessionConfig, SessionLayer, SessionStore};
use axum_session_redispool::{SessionRedisPool, SessionRedisSession as Session};
use cloakroom_compare::{
    Arguments, FIELDS, Failure, NONE, PLAIN, SetField, USER, key_names, listener, run, text,
};
use redis_pool::RedisPool;

type Answer = Result<String, StatusCode>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    run(async move {
        let pool = RedisPool::from(redis::Client::open(arguments.redis_url)?);
        let config = SessionConfig::default().with_table_name("sessions_table");
        let store = SessionStore::<SessionRedisPool>::new(Some(pool.into()), config).await?;
        let routes = Router::new()
            .route("/plain", get(async || PLAIN))
            .route("/login", get(login))
            .route("/read", get(read))
            .route("/write", get(write))
            .route("/set", get(set))
            .route("/keys", get(keys))
            .route("/logout", get(logout))
            .route("/who", get(who))
            .layer(SessionLayer::new(store));
        Ok(axum::serve(listener(arguments.port).await?, routes).await?)
    })
}

async fn login(session: Session) -> &'static str {
    session.renew();
    session.set("uid", USER);
    session.set("count", 0);
    for field in FIELDS {
        session.set(field, text());
    }
    "signed in"
}

async fn read(session: Session) -> Answer {
    let count: Option<u64> = session.get("count");
    count.map(|count| count.to_string()).ok_or(StatusCode::UNAUTHORIZED)
}

async fn write(session: Session) -> Answer {
    let count: Option<u64> = session.get("count");
    let count = count.ok_or(StatusCode::UNAUTHORIZED)? + 1;
    session.set("count", count);
    Ok(count.to_string())
}

async fn set(session: Session, Query(query): Query<SetField>) -> Answer {
    let user: Option<u64> = session.get("uid");
    user.ok_or(StatusCode::UNAUTHORIZED)?;
    query.work().await;
    session.set(&query.k, 1);
    Ok("set".to_owned())
}

async fn keys(session: Session) -> String {
    key_names().filter(|name| session.get::<u64>(name).is_some()).count().to_string()
}

async fn logout(session: Session) -> &'static str {
    session.destroy();
    "signed out"
}

async fn who(session: Session) -> String {
    let user: Option<u64> = session.get("uid");
    user.map_or_else(|| NONE.to_owned(), |user| user.to_string())
}
