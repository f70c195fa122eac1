//! What a node is made of: a port of its own, and connections of its own to Redis.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use cloakroom_redis::{RedisSessionStorage, RedisSessionStorageBuilder};
use cloakroom_testkit::RedisServer;
use cloakroom_testkit::http::OUTAGE_COMMAND_TIMEOUT;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// Serves a router on a free port of this machine.
pub(crate) async fn serve(router: Router) -> (SocketAddr, AbortHandle) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let node = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    (node, server.abort_handle())
}

/// A node's own connections to Redis.
pub(crate) async fn redis_storage(server: &RedisServer) -> RedisSessionStorage {
    storage_of(server).build().await.unwrap()
}

/// The same, not yet built.
pub(crate) fn storage_of(server: &RedisServer) -> RedisSessionStorageBuilder {
    let builder = RedisSessionStorage::builder().url(server.url()).pool_size(2);
    builder.command_timeout(OUTAGE_COMMAND_TIMEOUT).load_timeout(OUTAGE_COMMAND_TIMEOUT)
}
