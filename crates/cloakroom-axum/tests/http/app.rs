//! The application under test: two nodes with the scenarios' routes, each with an engine of its own.

use std::net::SocketAddr;

use axum::Router;
use cloakroom::{Engine, EngineBuilder, SessionStorage};
use cloakroom_axum::SessionLayer;
use cloakroom_testkit::RedisServer;
use cloakroom_testkit::http::{SealedCookie, Site};
use tokio::task::AbortHandle;

use crate::node::serve;
use crate::routes;

/// Two nodes on one storage; they stop with the value.
pub(crate) struct TwoNodes {
    nodes: [SocketAddr; 2],
    servers: [AbortHandle; 2],
    _redis: Option<RedisServer>,
}

impl TwoNodes {
    pub(crate) async fn start(one: impl SessionStorage, other: impl SessionStorage) -> Self {
        Self::serving([application(one), application(other)]).await
    }

    /// The same nodes, whose visitors come from another library.
    pub(crate) async fn moving_in(one: impl SessionStorage, other: impl SessionStorage) -> Self {
        let engine = |builder: EngineBuilder| builder.old_cookie(SealedCookie).build().unwrap();
        let (one, other) = (engine(Engine::builder(one)), engine(Engine::builder(other)));
        Self::serving([application_on(one), application_on(other)]).await
    }

    async fn serving([one, other]: [Router; 2]) -> Self {
        let (one, first) = serve(one).await;
        let (other, second) = serve(other).await;
        Self { nodes: [one, other], servers: [first, second], _redis: None }
    }

    /// The same nodes, which end before the server that they need.
    pub(crate) fn keeping(mut self, redis: RedisServer) -> Self {
        self._redis = Some(redis);
        self
    }
}

impl Site for TwoNodes {
    fn nodes(&self) -> [SocketAddr; 2] {
        self.nodes
    }
}

impl Drop for TwoNodes {
    fn drop(&mut self) {
        self.servers.iter().for_each(AbortHandle::abort);
    }
}

pub(crate) fn application(storage: impl SessionStorage) -> Router {
    application_on(Engine::builder(storage).build().unwrap())
}

fn application_on(engine: Engine) -> Router {
    routes::router(&engine).layer(SessionLayer::new(engine))
}
