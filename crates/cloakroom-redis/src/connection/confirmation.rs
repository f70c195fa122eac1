//! [`Confirmations`]: how many replicas have what was written on a connection.
//!
//! The server answers nothing else on a connection that waits for replicas, and it confirms all that
//! was written there before. So those who wait on one connection share a `WAIT`: however many they
//! are, each waits for the one under way and for the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::Value;

use crate::address::Link;

/// The number of replicas, once it is known. Whoever needs it drives it.
type Confirmation = Shared<BoxFuture<'static, i64>>;

/// Those of one connection.
#[derive(Default)]
pub(super) struct Confirmations {
    /// The one that has not been asked for yet, so that it will hold for what is written now.
    next: Mutex<Option<Confirmation>>,
    turn: tokio::sync::Mutex<()>,
}

impl Confirmations {
    /// How many replicas have all that was written on the connection up to now, waiting for as many
    /// as are wanted until the limit. None where the server does not say.
    pub(super) async fn of(
        self: &Arc<Self>,
        connection: &Link,
        replicas: u32,
        limit: Duration,
    ) -> i64 {
        let next = || self.ask(connection.clone(), replicas, limit).boxed().shared();
        let confirmation = self.next().get_or_insert_with(next).clone();
        confirmation.await
    }

    /// It is kept in what it refers to, and so refers to it weakly.
    fn ask(
        self: &Arc<Self>,
        mut connection: Link,
        replicas: u32,
        limit: Duration,
    ) -> impl Future<Output = i64> + Send + use<> {
        let own = Arc::downgrade(self);
        async move {
            let Some(own) = own.upgrade() else { return 0 };
            let _turn = own.turn.lock().await;
            // The answers to other writes may have come with the one to this.
            tokio::task::yield_now().await;
            drop(own.next().take());
            let mut wait = redis::cmd("WAIT");
            wait.arg(replicas).arg(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1));
            match wait.query_async(&mut *connection).await {
                Ok(Value::Int(confirmed)) => confirmed,
                _ => 0,
            }
        }
    }

    fn next(&self) -> MutexGuard<'_, Option<Confirmation>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
