//! What a test does to the process of a [`RedisServer`]: freeze it, kill it, start it again with
//! its data, without, or with data of the day before.

use std::io;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::data::{self, Persistence, Snapshot};
use super::process::{Process, Signal};
use super::{RedisServer, Reply};

/// Longer than any server of a test takes to start, save or end.
const LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

impl RedisServer {
    /// Stops the server's process without ending it: it accepts connections and answers nothing.
    pub fn freeze(&self) {
        self.signal(Signal::Freeze);
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal(Signal::Thaw);
    }

    /// Ends the server at once and for good, as a power cut would.
    pub fn kill(self) {
        self.kill_now();
    }

    /// Ends the server at once (SIGKILL), frozen or not, and returns when its process is gone.
    ///
    /// Port and folder stay its own, for a [`restart`](Self::restart).
    pub fn kill_now(&self) {
        drop(self.process().take());
    }

    /// Asks the server to end (SIGTERM), and waits until it has.
    ///
    /// # Errors
    /// Where it is still there after 10 s, for example because it is frozen.
    pub async fn shut_down(&self) -> io::Result<()> {
        self.signal(Signal::Terminate);
        let start = Instant::now();
        while self.is_running() {
            if start.elapsed() > LIMIT {
                return Err(io::ErrorKind::TimedOut.into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.kill_now();
        Ok(())
    }

    /// Whether there is a process, be it frozen.
    pub fn is_running(&self) -> bool {
        self.process().as_mut().is_some_and(|process| !process.has_ended())
    }

    /// The server's process id; `None` while it is down.
    pub fn process_id(&self) -> Option<u32> {
        self.process().as_ref().map(Process::id)
    }

    /// Kills the server if it runs, and starts it on the same port with what lies on its disk: see
    /// [`Persistence`].
    ///
    /// # Errors
    /// Where it does not answer within 10 s.
    pub async fn restart(&self) -> io::Result<()> {
        self.run(&[]).await
    }

    /// Kills the server if it runs, and starts it on the same port without any data.
    ///
    /// # Errors
    /// Where it does not answer within 10 s.
    pub async fn restart_empty(&self) -> io::Result<()> {
        self.kill_now();
        data::remove(self.folder.path())?;
        self.run(&[]).await
    }

    /// Takes down all data as they are now, for [`restart_from`](Self::restart_from).
    ///
    /// # Errors
    /// Where the server is down, or cannot save within 10 s.
    pub async fn snapshot(&self) -> io::Result<Snapshot> {
        let start = Instant::now();
        loop {
            match self.ask(["SAVE"]).await? {
                Reply::Error(error) if start.elapsed() > LIMIT => {
                    return Err(io::Error::other(error));
                }
                // It is saving already, perhaps for a replica.
                Reply::Error(_) => tokio::time::sleep(PAUSE).await,
                _ => return Snapshot::of(self.folder.path()),
            }
        }
    }

    /// Kills the server if it runs, and starts it on the same port with the data of an earlier
    /// moment, as an operator who restores a backup.
    ///
    /// # Errors
    /// Where it does not answer within 10 s.
    pub async fn restart_from(&self, snapshot: &Snapshot) -> io::Result<()> {
        self.kill_now();
        data::remove(self.folder.path())?;
        snapshot.put_into(self.folder.path())?;
        if self.persistence == Persistence::Off {
            return self.run(&[]).await;
        }
        // A server that appends looks at nothing but its append-only file, of which there is none.
        self.run(&["--appendonly", "no"]).await?;
        self.ask(["CONFIG", "SET", "appendonly", "yes"]).await?;
        let start = Instant::now();
        loop {
            let state = self.ask(["INFO", "persistence"]).await?.text();
            let is = |line: &str| state.lines().any(|other| other == line);
            if is("aof_rewrite_in_progress:0") && is("aof_rewrite_scheduled:0") {
                return Ok(());
            }
            if start.elapsed() > LIMIT {
                return Err(io::ErrorKind::TimedOut.into());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Starts the process, after ending the one before, and waits until it answers.
    pub(super) async fn run(&self, arguments: &[&str]) -> io::Result<()> {
        {
            let mut process = self.process();
            drop(process.take());
            *process = Some(Process::start(self.role, self.folder.path(), arguments)?);
        }
        let start = Instant::now();
        loop {
            let answer = self.line.ask(&[b"PING"]).await;
            match answer {
                Ok(Reply::Error(error)) if error.starts_with("LOADING") => {}
                // Whatever it answers now, it answers.
                Ok(_) => break,
                Err(_) => {}
            }
            if start.elapsed() > LIMIT || !self.is_running() {
                self.kill_now();
                let log = self.folder.path().join(super::LOG);
                let log = std::fs::read_to_string(log).unwrap_or_default();
                let said = log.trim_end().lines().next_back().unwrap_or("nothing");
                return Err(io::Error::other(format!(
                    "the server does not start, it says: {said}"
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
        for words in &self.first_orders {
            self.ask(words).await?;
        }
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = self.process().as_mut() {
            process.signal(signal);
        }
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
