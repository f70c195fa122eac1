//! By hand on axum with the least that the Redis client can do: `GET` to read, `GET` and `SETEX` to write, all
//! over one multiplexed connection, without a limit. What a session library on this client can reach.

use cloakroom_compare::{Arguments, Failure, Store, by_hand, listener, run};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, Client, RedisError};

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    run(async move {
        let client = Client::open(arguments.redis_url)?;
        let unlimited = AsyncConnectionConfig::new().set_response_timeout(None);
        let connection = client.get_multiplexed_async_connection_with_config(&unlimited).await?;
        let routes = by_hand::axum::routes(Shared { connection });
        Ok(axum::serve(listener(arguments.port).await?, routes).await?)
    })
}

struct Shared {
    connection: MultiplexedConnection,
}

impl Store for Shared {
    type Error = RedisError;

    async fn get(&self, key: &str) -> Result<Option<String>, RedisError> {
        self.connection.clone().get(key).await
    }

    async fn set(&self, key: &str, data: String, seconds: u64) -> Result<(), RedisError> {
        self.connection.clone().set_ex(key, data, seconds).await
    }

    async fn remove(&self, key: &str) -> Result<(), RedisError> {
        self.connection.clone().del(key).await
    }
}
