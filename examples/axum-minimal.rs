//! A page that counts its visits, with sessions in the memory of the process.
//! Run it with `cargo run -p cloakroom-examples --bin axum-minimal`.
use std::error::Error;
use std::net::SocketAddr;

use axum::{Router, routing::get};
use cloakroom::{Engine, MemorySessionStorage, Policy};
use cloakroom_axum::{Session, SessionLayer, SessionRejection};

async fn visits(session: Session) -> Result<String, SessionRejection> {
    // `update` counts exactly, also when two requests of one visitor arrive at once.
    let visits = session.update("visits", |visits: Option<u32>| visits.unwrap_or(0) + 1)?;
    Ok(format!("Visits: {visits}\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Remove the policy as soon as the page is served over HTTPS: then the cookie is `Secure`.
    let policy = Policy::for_local_development();
    let engine = Engine::builder(MemorySessionStorage::new()).policy(policy).build()?;
    let app = Router::new().route("/", get(visits)).layer(SessionLayer::new(engine));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    // Sessions are bound to their visitors' network; this tells the layer where a request is from.
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}
