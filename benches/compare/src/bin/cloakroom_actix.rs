//! Cloakroom on actix-web, set up as its documentation does for a page over plain HTTP.

use std::net::Ipv4Addr;

use actix_web::http::StatusCode;
use actix_web::web::{Query, get};
use actix_web::{App, Either, HttpResponse, HttpServer};
use cloakroom::{Destroyed, Engine, Policy};
use cloakroom_actix::{
    ExistingSession, Session, SessionHandle, SessionMiddleware, SessionRejection,
};
use cloakroom_compare::{
    Arguments, FIELDS, Failure, NONE, PLAIN, Reads, SetField, USER, key_names, next_owner, text,
    workers,
};
use cloakroom_redis::{NearCache, RedisSessionStorage};

type Answer = Result<Either<String, HttpResponse>, SessionRejection>;

#[actix_web::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read_with_near_cache()?;
    let near_cache = (arguments.reads == Reads::NearCache).then(NearCache::default);
    let storage = RedisSessionStorage::builder().url(&arguments.redis_url);
    let storage = storage.near_cache(near_cache).build().await?;
    let engine = Engine::builder(storage).policy(Policy::for_local_development()).build()?;
    let server = HttpServer::new(move || {
        App::new()
            .wrap(SessionMiddleware::new(&engine))
            .route("/plain", get().to(async || PLAIN))
            .route("/login", get().to(login))
            .route("/read", get().to(read))
            .route("/write", get().to(write))
            .route("/set", get().to(set))
            .route("/keys", get().to(keys))
            .route("/logout", get().to(logout))
            .route("/who", get().to(who))
    });
    Ok(server.workers(workers()).bind((Ipv4Addr::LOCALHOST, arguments.port))?.run().await?)
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

async fn read(ExistingSession(session): ExistingSession) -> Answer {
    let Some(session) = session else { return Ok(nobody()) };
    let count: Option<u64> = session.get("count")?;
    Ok(count.map_or_else(nobody, |count| Either::Left(count.to_string())))
}

async fn write(ExistingSession(session): ExistingSession) -> Answer {
    let Some(session) = session else { return Ok(nobody()) };
    let count = session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1)?;
    Ok(Either::Left(count.to_string()))
}

async fn set(ExistingSession(session): ExistingSession, query: Query<SetField>) -> Answer {
    let Some(session) = session else { return Ok(nobody()) };
    if session.get::<u64>("uid")?.is_none() {
        return Ok(nobody());
    }
    query.work().await;
    session.insert(query.k.as_str(), 1)?;
    Ok(Either::Left("set".to_owned()))
}

async fn keys(ExistingSession(session): ExistingSession) -> String {
    let kept = session
        .map_or(0, |session| key_names().filter(|name| session.contains(name.as_str())).count());
    kept.to_string()
}

async fn logout(
    SessionHandle(handle): SessionHandle,
) -> Result<(&'static str, StatusCode), SessionRejection> {
    Ok(match handle.sign_out().await? {
        Destroyed::Pending => ("signed out here", StatusCode::ACCEPTED),
        Destroyed::Removed(_) | Destroyed::Absent(_) => ("signed out", StatusCode::OK),
    })
}

async fn who(ExistingSession(session): ExistingSession) -> Result<String, SessionRejection> {
    let Some(session) = session else { return Ok(NONE.to_owned()) };
    let user: Option<u64> = session.get("uid")?;
    Ok(user.map_or_else(|| NONE.to_owned(), |user| user.to_string()))
}

fn nobody() -> Either<String, HttpResponse> {
    Either::Right(HttpResponse::Unauthorized().body(NONE))
}
