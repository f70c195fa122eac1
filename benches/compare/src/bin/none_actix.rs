//! actix-web without any session: what the framework alone can do. The answers are constants.

use std::net::Ipv4Addr;

use actix_web::web::get;
use actix_web::{App, HttpServer};
use cloakroom_compare::{Arguments, Failure, NONE, PLAIN, workers};

#[actix_web::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let server = HttpServer::new(|| {
        App::new()
            .route("/plain", get().to(async || PLAIN))
            .route("/login", get().to(async || "signed in"))
            .route("/read", get().to(async || "0"))
            .route("/write", get().to(async || "1"))
            .route("/set", get().to(async || "set"))
            .route("/keys", get().to(async || "0"))
            .route("/logout", get().to(async || "signed out"))
            .route("/who", get().to(async || NONE))
    });
    Ok(server.workers(workers()).bind((Ipv4Addr::LOCALHOST, arguments.port))?.run().await?)
}
