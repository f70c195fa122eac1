//! By hand on actix-web with the least that the Redis client can do: `GET` to read, `GET` and `SETEX` to
//! write, over one multiplexed connection for each worker, on the worker's own runtime, without a
//! limit. What a session library on this client can reach.

use std::net::Ipv4Addr;

use actix_web::web::Data;
use actix_web::{App, HttpServer};
use cloakroom_compare::{Arguments, Failure, Store, by_hand, workers};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, Client, RedisError};
use tokio::sync::OnceCell;

#[actix_web::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let client = Client::open(arguments.redis_url)?;
    let server = HttpServer::new(move || {
        let store = OfWorker { client: client.clone(), connection: OnceCell::new() };
        App::new().app_data(Data::new(store)).configure(by_hand::actix::routes::<OfWorker>)
    });
    Ok(server.workers(workers()).bind((Ipv4Addr::LOCALHOST, arguments.port))?.run().await?)
}

/// Connects with the worker's first request, when its runtime is there.
struct OfWorker {
    client: Client,
    connection: OnceCell<MultiplexedConnection>,
}

impl OfWorker {
    async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        let connect = async || {
            let unlimited = AsyncConnectionConfig::new().set_response_timeout(None);
            self.client.get_multiplexed_async_connection_with_config(&unlimited).await
        };
        self.connection.get_or_try_init(connect).await.cloned()
    }
}

impl Store for OfWorker {
    type Error = RedisError;

    async fn get(&self, key: &str) -> Result<Option<String>, RedisError> {
        self.connection().await?.get(key).await
    }

    async fn set(&self, key: &str, data: String, seconds: u64) -> Result<(), RedisError> {
        self.connection().await?.set_ex(key, data, seconds).await
    }

    async fn remove(&self, key: &str) -> Result<(), RedisError> {
        self.connection().await?.del(key).await
    }
}
