//! The application under test: two nodes with the scenarios' routes, each with an engine of its own.

use std::net::SocketAddr;

use axum::Router;
use cloakroom::{Engine, SessionStorage};
use cloakroom_axum::SessionLayer;
use cloakroom_testkit::RedisServer;
use cloakroom_testkit::http::Site;
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
        let (one, first) = serve(application(one)).await;
        let (other, second) = serve(application(other)).await;
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
    let engine = Engine::builder(storage).build().unwrap();
    routes::router(&engine).layer(SessionLayer::new(engine))
}
