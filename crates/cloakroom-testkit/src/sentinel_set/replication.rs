//! A primary that takes writes which no replica ever gets: how acknowledged writes are lost.

use std::io;
use std::time::Duration;

use super::SentinelSet;
use crate::patience::{not_yet, until};

const LIMIT: Duration = Duration::from_secs(5);

impl SentinelSet {
    /// Cuts the replicas off from the primary: it goes on serving, they stay as they are, and the
    /// Sentinels see all of them.
    ///
    /// If the primary is killed within 10 s, a replica is promoted that lacks whatever was written
    /// since. (A frozen replica would not do: once thawed it reads what had been sent to it.)
    ///
    /// # Errors
    /// Where a member that runs does not answer.
    pub async fn cut_replication(&self) -> io::Result<()> {
        // A wrong password keeps the replicas out, whatever the primary's own settings are.
        for replica in self.replicas().await? {
            if replica.is_running() {
                replica.order(["CONFIG", "SET", "masteruser", "nobody"]).await?;
                replica.order(["CONFIG", "SET", "masterauth", "wrong"]).await?;
            }
        }
        let primary = self.primary().await?;
        until(LIMIT, || async move {
            primary.order(["CLIENT", "KILL", "TYPE", "replica"]).await?;
            match primary.info("replication", "connected_slaves").await?.as_str() {
                "0" => Ok(()),
                left => Err(not_yet(format!("{left} replicas are still connected"))),
            }
        })
        .await
    }

    /// Lets the replicas follow again; they have caught up when the set is
    /// [`settled`](Self::settled).
    ///
    /// A server that was cut off and is down now has to be running, or it stays cut off.
    ///
    /// # Errors
    /// Where a member that runs does not answer.
    pub async fn heal_replication(&self) -> io::Result<()> {
        for server in self.data.iter().filter(|server| server.is_running()) {
            let password = server.password().unwrap_or_default();
            server.order(["CONFIG", "SET", "masteruser", ""]).await?;
            server.order(["CONFIG", "SET", "masterauth", password]).await?;
            // A failover in between has written the wrong password into the settings file.
            server.order(["CONFIG", "REWRITE"]).await?;
        }
        Ok(())
    }
}
