//! The application under test: two nodes with the scenarios' routes, each with an engine of its own
//! and one worker.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};
use cloakroom::{Engine, EngineBuilder, SessionStorage};
use cloakroom_actix::SessionMiddleware;
use cloakroom_redis::{RedisSessionStorage, RedisSessionStorageBuilder};
use cloakroom_testkit::RedisServer;
use cloakroom_testkit::http::{OUTAGE_COMMAND_TIMEOUT, SealedCookie, Site};

use crate::routes;

/// Two nodes on one storage; they stop with the value.
pub(crate) struct TwoNodes {
    nodes: [Node; 2],
    _redis: Option<RedisServer>,
}

impl TwoNodes {
    pub(crate) async fn start(one: impl SessionStorage, other: impl SessionStorage) -> Self {
        Self { nodes: [application(one), application(other)], _redis: None }
    }

    /// The same nodes, whose visitors come from another library.
    pub(crate) async fn moving_in(one: impl SessionStorage, other: impl SessionStorage) -> Self {
        let node = |builder: EngineBuilder| {
            application_on(&builder.old_cookie(SealedCookie).build().unwrap())
        };
        let nodes = [node(Engine::builder(one)), node(Engine::builder(other))];
        Self { nodes, _redis: None }
    }

    /// The same nodes, which end before the server that they need.
    pub(crate) fn keeping(mut self, redis: RedisServer) -> Self {
        self._redis = Some(redis);
        self
    }
}

impl Site for TwoNodes {
    fn nodes(&self) -> [SocketAddr; 2] {
        self.nodes.each_ref().map(|node| node.address)
    }
}

/// A server in a thread of its own, as actix-web's runtime is. It stops with the value.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        // The wish to stop is on its way at once; what it answers is the wait for it.
        drop(self.server.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(crate) fn application(storage: impl SessionStorage) -> Node {
    application_on(&Engine::builder(storage).build().unwrap())
}

fn application_on(engine: &Engine) -> Node {
    serve(engine, routes::routes(engine), HalfClosed::Served)
}

/// What a server does with a client that has closed its side of the connection.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum HalfClosed {
    /// Its handler finishes and the answer is sent: what actix-web does by itself.
    Served,
    /// Its handler is dropped.
    Dropped,
}

/// Serves routes with sessions on a free port of this machine.
pub(crate) fn serve<F>(engine: &Engine, routes: F, half_closed: HalfClosed) -> Node
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let middleware = SessionMiddleware::new(engine);
    let (started, handle) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        System::new().block_on(async move {
            let app = move || App::new().configure(routes.clone()).wrap(middleware.clone());
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.h1_allow_half_closed(half_closed == HalfClosed::Served);
            let server = server.listen(listener).unwrap().run();
            started.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    Node { address, server: handle.recv().unwrap(), thread: Some(thread) }
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
