//! [`Gate`]: the proxy's port. While it refuses, nobody listens there, so a client gets the same
//! refusal as from a machine without a server; the port stays reserved for the proxy meanwhile.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Notify;

const BACKLOG: u32 = 1024;

#[derive(Debug)]
pub(super) struct Gate {
    address: SocketAddr,
    runtime: Handle,
    listener: Mutex<Option<TcpListener>>,
    opened: Notify,
    /// Bound and never listening: it keeps the port from being given to somebody else.
    _reserved: TcpSocket,
}

impl Gate {
    pub(super) fn open() -> io::Result<Self> {
        let reserved = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let gate = Self {
            address: reserved.local_addr()?,
            runtime: Handle::current(),
            listener: Mutex::new(None),
            opened: Notify::new(),
            _reserved: reserved,
        };
        gate.accept_connections()?;
        Ok(gate)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn accept_connections(&self) -> io::Result<()> {
        let _inside = self.runtime.enter();
        let mut listener = self.listener();
        if listener.is_none() {
            *listener = Some(bound(self.address)?.listen(BACKLOG)?);
            self.opened.notify_one();
        }
        Ok(())
    }

    pub(super) fn refuse_connections(&self) {
        *self.listener() = None;
    }

    /// The next client, however long the gate is closed before it comes.
    pub(super) async fn next(&self) -> TcpStream {
        loop {
            let accepted = poll_fn(|context| match &*self.listener() {
                Some(listener) => listener.poll_accept(context),
                None => Poll::Pending,
            });
            tokio::select! {
                () = self.opened.notified() => {}
                accepted = accepted => match accepted {
                    Ok((client, _)) => return client,
                    // A client that has gone already, or too many open files: try again.
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                },
            }
        }
    }

    fn listener(&self) -> MutexGuard<'_, Option<TcpListener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
