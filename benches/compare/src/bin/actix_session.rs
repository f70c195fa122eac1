//! actix-session with its Redis store, set up as its documentation does.

use std::net::Ipv4Addr;

use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionGetError, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::error::{Error, ErrorUnauthorized};
use actix_web::web::{Query, get};
use actix_web::{App, HttpServer};
use cloakroom_compare::{
    Arguments, FIELDS, Failure, NONE, PLAIN, SetField, USER, key_names, text, workers,
};

#[actix_web::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let store = RedisSessionStore::new(arguments.redis_url).await.map_err(Failure::from)?;
    // A key of its own for each process would refuse the other node's cookies.
    let key = Key::from(&[7; 64]);
    let server = HttpServer::new(move || {
        let sessions = SessionMiddleware::builder(store.clone(), key.clone());
        App::new()
            .wrap(sessions.cookie_secure(false).build())
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

async fn login(session: Session) -> Result<&'static str, Error> {
    session.renew();
    session.insert("uid", USER)?;
    session.insert("count", 0)?;
    for field in FIELDS {
        session.insert(field, text())?;
    }
    Ok("signed in")
}

async fn read(session: Session) -> Result<String, Error> {
    let count: Option<u64> = session.get("count")?;
    count.map(|count| count.to_string()).ok_or_else(|| ErrorUnauthorized(NONE))
}

async fn write(session: Session) -> Result<String, Error> {
    let count: Option<u64> = session.get("count")?;
    let count = count.ok_or_else(|| ErrorUnauthorized(NONE))? + 1;
    session.insert("count", count)?;
    Ok(count.to_string())
}

async fn set(session: Session, query: Query<SetField>) -> Result<&'static str, Error> {
    let user: Option<u64> = session.get("uid")?;
    user.ok_or_else(|| ErrorUnauthorized(NONE))?;
    query.work().await;
    session.insert(&query.k, 1)?;
    Ok("set")
}

async fn keys(session: Session) -> String {
    let entries = session.entries();
    key_names().filter(|name| entries.contains_key(name)).count().to_string()
}

async fn logout(session: Session) -> &'static str {
    session.purge();
    "signed out"
}

async fn who(session: Session) -> Result<String, SessionGetError> {
    let user: Option<u64> = session.get("uid")?;
    Ok(user.map_or_else(|| NONE.to_owned(), |user| user.to_string()))
}
