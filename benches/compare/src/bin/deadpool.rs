//! By hand with a pool of 16 connections: `GET` and `TTL` when a session is read, `EXPIRE` when less
//! than half of the time is left, `SETEX` when something was changed.

use cloakroom_compare::{Arguments, Failure, Store, by_hand, lifetime, listener, run};
use deadpool_redis::redis::AsyncCommands;
use deadpool_redis::{Config, Pool, PoolConfig, Runtime};

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    run(async move {
        let mut config = Config::from_url(arguments.redis_url);
        config.pool = Some(PoolConfig::new(16));
        let store = Pooled { pool: config.create_pool(Some(Runtime::Tokio1))? };
        Ok(axum::serve(listener(arguments.port).await?, by_hand::axum::routes(store)).await?)
    })
}

struct Pooled {
    pool: Pool,
}

impl Store for Pooled {
    type Error = Failure;

    async fn get(&self, key: &str) -> Result<Option<String>, Failure> {
        let mut redis = self.pool.get().await?;
        let data: Option<String> = redis.get(key).await?;
        if data.is_some() {
            let left: i64 = redis.ttl(key).await?;
            let lifetime = lifetime().cast_signed();
            if left < lifetime / 2 {
                let () = redis.expire(key, lifetime).await?;
            }
        }
        Ok(data)
    }

    async fn set(&self, key: &str, data: String, seconds: u64) -> Result<(), Failure> {
        Ok(self.pool.get().await?.set_ex(key, data, seconds).await?)
    }

    async fn remove(&self, key: &str) -> Result<(), Failure> {
        Ok(self.pool.get().await?.del(key).await?)
    }
}
