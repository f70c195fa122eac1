//! [`Proxy`]: stands between a storage and its server, and can let connections go silent: they stay
//! open and nothing gets through, as behind a firewall that has forgotten them. It can also delay
//! every answer, as a server far away does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
    task: AbortHandle,
}

#[derive(Default)]
struct State {
    accepted: AtomicUsize,
    /// The connection over which something came last.
    in_use: AtomicUsize,
    /// Connections up to this number get nothing through.
    all_silent: AtomicUsize,
    /// Nor does this one.
    silent: AtomicUsize,
    delay_millis: AtomicU64,
}

impl Proxy {
    pub(crate) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (port, state) = (listener.local_addr().unwrap().port(), Arc::<State>::default());
        let accepting = accept(listener, server, state.clone());
        Self { port, state, task: tokio::spawn(accepting).abort_handle() }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// How many connections have been opened so far.
    pub(crate) fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// Lets all connections that are open now go silent. New ones work.
    pub(crate) fn silence(&self) {
        self.state.all_silent.store(self.accepted(), Ordering::SeqCst);
    }

    /// Lets the connection that was used last go silent, and no other one.
    pub(crate) fn silence_the_one_in_use(&self) {
        let in_use = self.state.in_use.load(Ordering::SeqCst);
        self.state.silent.store(in_use, Ordering::SeqCst);
    }

    /// Lets every answer that comes from now on arrive so much later.
    pub(crate) fn delay_answers(&self, by: Duration) {
        self.state.delay_millis.store(by.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, server: u16, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        // From 1, so that at first none is silent.
        let number = state.accepted.fetch_add(1, Ordering::SeqCst) + 1;
        let state = state.clone();
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let delay = || Duration::from_millis(state.delay_millis.load(Ordering::SeqCst));
            tokio::select! {
                () = pass(from_client, to_server, number, &state, || Duration::ZERO) => {}
                () = pass(from_server, to_client, number, &state, delay) => {}
            }
        });
    }
}

/// Hands on what comes, each piece after the delay, until one side closes.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: usize,
    state: &State,
    delay: impl Fn() -> Duration,
) {
    let (sender, mut pieces) = mpsc::unbounded_channel();
    let reading = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            state.in_use.store(number, Ordering::SeqCst);
            let silent = number <= state.all_silent.load(Ordering::SeqCst)
                || number == state.silent.load(Ordering::SeqCst);
            let piece = (Instant::now() + delay(), buffer[..read].to_vec());
            if !silent && sender.send(piece).is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}
