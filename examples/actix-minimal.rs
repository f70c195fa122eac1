//! A page that counts its visits, with sessions in the memory of the process.
//! Run it with `cargo run -p cloakroom-examples --bin actix-minimal`.
use std::error::Error;

use actix_web::{App, HttpServer, web};
use cloakroom::{Engine, MemorySessionStorage, Policy};
use cloakroom_actix::{Session, SessionMiddleware, SessionRejection};

async fn visits(session: Session) -> Result<String, SessionRejection> {
    // `update` counts exactly, also when two requests of one visitor arrive at once.
    let visits = session.update("visits", |visits: Option<u32>| visits.unwrap_or(0) + 1)?;
    Ok(format!("Visits: {visits}\n"))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Remove the policy as soon as the page is served over HTTPS: then the cookie is `Secure`.
    let policy = Policy::for_local_development();
    // One engine for all workers, so it is built outside of the closure that each of them calls.
    let engine = Engine::builder(MemorySessionStorage::new()).policy(policy).build()?;
    let sessions = SessionMiddleware::new(&engine);
    let app = move || App::new().wrap(sessions.clone()).route("/", web::get().to(visits));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let server = HttpServer::new(app).bind(address)?;
    server.addrs().iter().for_each(|address| println!("http://{address}"));
    Ok(server.run().await?)
}
