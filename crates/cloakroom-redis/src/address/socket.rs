//! Opens the socket to a server, and [`Link`]: the connection on it together with the task that
//! drives it.

use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select_ok;
use redis::aio::{AsyncStream, MultiplexedConnection};
use redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::after_others::AfterOthers;
use super::host::HostPort;
use super::portions::Portions;
use super::sketch::Target;
use crate::tls::Wire;

/// After so much silence the operating system asks whether the other side is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TRIES: u32 = 3;

/// For how long what was sent may stay without the other side's receipt.
#[cfg(any(target_os = "linux", target_os = "android"))]
const RECEIPT_LIMIT: Duration = Duration::from_secs(5);

/// A connection. Clones share it; with the last one it ends at once, whatever is under way on it.
#[derive(Clone)]
pub(crate) struct Link {
    connection: MultiplexedConnection,
    driver: Arc<Driver>,
}

/// Ends the task that reads and writes. Left to itself the task would wait for answers that a
/// vanished server still owes.
struct Driver {
    task: AbortHandle,
    address: Box<str>,
}

/// Bytes to and from a server.
pub(crate) type Stream = Pin<Box<dyn AsyncStream + Send + Sync>>;

impl Link {
    pub(super) fn new(
        connection: MultiplexedConnection,
        driver: impl Future<Output = ()> + Send + 'static,
        address: &str,
    ) -> Self {
        let task = tokio::spawn(AfterOthers::new(driver)).abort_handle();
        Self { connection, driver: Arc::new(Driver { task, address: address.into() }) }
    }

    /// The server that it leads to.
    pub(crate) fn address(&self) -> &str {
        &self.driver.address
    }

    /// Whether it has ended: by itself, or together with the runtime that its task ran on.
    pub(crate) fn is_over(&self) -> bool {
        self.driver.task.is_finished()
    }

    /// Ends the connection for all who share it. Whoever waits for an answer is told that it broke.
    pub(crate) fn end(&self) {
        self.driver.task.abort();
    }
}

impl Deref for Link {
    type Target = MultiplexedConnection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl DerefMut for Link {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens the socket and, where asked for, the encryption on it.
pub(super) async fn open(target: &Target, wire: &Wire) -> io::Result<Stream> {
    match target {
        Target::Tcp(address) => wire.dress(tcp(address).await?, address.host()).await,
        #[cfg(unix)]
        Target::Socket(path) => {
            let socket = tokio::net::UnixStream::connect(path).await?;
            Ok(Box::pin(Portions::of(socket)))
        }
        #[cfg(not(unix))]
        Target::Socket(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// The first of the host's addresses that answers, so that a dead one costs nothing.
async fn tcp(address: &HostPort) -> io::Result<TcpStream> {
    let found = tokio::net::lookup_host((address.host(), address.port())).await?;
    let attempts: Vec<_> = found.map(|at| Box::pin(TcpStream::connect(at))).collect();
    if attempts.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
    }
    let (stream, _) = select_ok(attempts).await?;
    set_up(&stream)?;
    Ok(stream)
}

/// A connection whose other side has vanished without a word ends in seconds, not in the quarter of
/// an hour that operating systems take by default.
fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_TRIES);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(RECEIPT_LIMIT))?;
    Ok(())
}
