//! [`Shop`]: an axum application over HTTP that counts in the visitor's session.

use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Router, serve};
use cloakroom::{Destroyed, Engine, SessionStorage};
use cloakroom_axum::{Session, SessionHandle, SessionLayer, SessionRejection};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::EventLog;

/// One node of the application; it stops with the value.
///
/// `/login?as=NAME` signs in, `/read` answers `NAME COUNT` or `nobody`, `/write` counts up and
/// answers the same, `/logout` signs out: 200, or 202 where
/// that is pending.
pub struct Shop {
    address: SocketAddr,
    engine: Engine,
    server: AbortHandle,
}

impl Shop {
    /// Opens on a free port of this machine.
    pub async fn open(storage: impl SessionStorage, events: &EventLog) -> Self {
        let engine = Engine::builder(storage).observer(events.observer()).build();
        let engine = engine.expect("the default policy is sound");
        let routes = Router::new()
            .route("/login", get(login))
            .route("/read", get(read))
            .route("/write", get(write))
            .route("/logout", get(logout))
            .layer(SessionLayer::new(&engine));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { serve(listener, service).await });
        Self { address, engine, server: server.abort_handle() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn login(
    session: Session,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<String, SessionRejection> {
    let name = query.first().map_or("nobody", |(_, name)| name);
    session.set_owner(name)?;
    session.insert("count", 0)?;
    Ok(name.to_owned())
}

async fn read(session: Session) -> Result<String, SessionRejection> {
    let Some(owner) = session.owner() else { return Ok("nobody".to_owned()) };
    let count: Option<u32> = session.get("count")?;
    Ok(format!("{owner} {}", count.unwrap_or_default()))
}

async fn write(session: Session) -> Result<String, SessionRejection> {
    let Some(owner) = session.owner() else { return Ok("nobody".to_owned()) };
    let count = session.update("count", |count: Option<u32>| count.unwrap_or_default() + 1)?;
    Ok(format!("{owner} {count}"))
}

async fn logout(
    SessionHandle(handle): SessionHandle,
) -> Result<(StatusCode, &'static str), SessionRejection> {
    Ok(match handle.sign_out().await? {
        Destroyed::Pending => (StatusCode::ACCEPTED, "pending"),
        Destroyed::Removed(_) | Destroyed::Absent(_) => (StatusCode::OK, "bye"),
    })
}
