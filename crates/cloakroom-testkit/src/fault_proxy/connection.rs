//! One connection from its acceptance to its end: two pumps that read, two deliveries that write.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;

use super::conditions::Flow;
use super::delivery::{Delivery, Toward};
use super::inside::Inside;
use super::link::Link;
use super::outbox::{Outbox, Parcels};
use super::reply_pump::ReplyPump;
use super::request_pump::RequestPump;
use super::scope::End;

/// As much as is read at once.
const CHUNK: usize = 64 * 1024;

/// Serves a client until its connection is over. Faults can reach it before it is polled.
pub(super) fn serve(client: TcpStream, inside: Arc<Inside>) -> impl Future<Output = ()> {
    let (link, to_client) = inside.links.open();
    inside.counters.count_connection();
    serve_open(client, Open { link, inside }, to_client)
}

async fn serve_open(mut client: TcpStream, open: Open, to_client: Parcels) {
    let _ = client.set_nodelay(true);
    let end = match open.reach_the_server(&mut client).await {
        Ok((mut server, first)) => {
            let end = open.relay(&mut client, &mut server, to_client, first).await;
            if end == End::Reset {
                let _ = server.set_zero_linger();
            }
            end
        }
        Err(end) => end,
    };
    if end == End::Reset {
        let _ = client.set_zero_linger();
    }
}

/// An open connection; the proxy forgets it when it ends, also when its task is aborted.
#[derive(Debug)]
struct Open {
    link: Arc<Link>,
    inside: Arc<Inside>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.inside.links.close(self.link.number);
    }
}

impl Open {
    /// A connection to the server, and what the client has sent before there was one. In a black
    /// hole it is not even attempted.
    async fn reach_the_server(&self, client: &mut TcpStream) -> Result<(TcpStream, BytesMut), End> {
        let mut seen = self.link.conditions.subscribe();
        let mut first = BytesMut::new();
        loop {
            let conditions = *seen.borrow_and_update();
            if let Some(end) = conditions.end {
                return Err(end);
            }
            if conditions.requests.flow != Flow::BlackHole {
                break;
            }
            tokio::select! {
                _ = seen.changed() => {}
                read = read(client, &mut first), if first.len() < CHUNK => match read {
                    Ok(1..) => {}
                    _ => return Err(End::Close),
                },
            }
        }
        let server = TcpStream::connect(self.inside.server()).await.map_err(|_| End::Reset)?;
        let _ = server.set_nodelay(true);
        Ok((server, first))
    }

    async fn relay(
        &self,
        client: &mut TcpStream,
        server: &mut TcpStream,
        to_client: Parcels,
        first: BytesMut,
    ) -> End {
        let (server_outbox, to_server) = Outbox::new();
        let (from_client, client) = client.split();
        let (from_server, server) = server.split();
        let conditions = &self.link.conditions;
        let requests = Delivery::new(Toward::Server, server, conditions, to_server);
        let replies = Delivery::new(Toward::Client, client, conditions, to_client);
        let mut seen = conditions.subscribe();
        tokio::select! {
            biased;
            ordered = seen.wait_for(|conditions| conditions.end.is_some()) => {
                ordered.ok().and_then(|conditions| conditions.end).unwrap_or(End::Close)
            }
            over = async {
                tokio::try_join!(
                    self.pump_requests(from_client, first, server_outbox),
                    self.pump_replies(from_server),
                    requests.run(),
                    replies.run(),
                )
            } => over.err().unwrap_or(End::Close),
        }
    }

    async fn pump_requests(
        &self,
        mut from: ReadHalf<'_>,
        first: BytesMut,
        server: Outbox,
    ) -> Result<(), End> {
        let mut pump = RequestPump::new(&self.link, &self.inside, &server, first);
        loop {
            pump.take();
            server.room().await;
            let read = read(&mut from, pump.buffer()).await;
            if !matches!(read, Ok(1..)) {
                // Nobody is left who could see that the black hole lets an end through, and the
                // server should not keep connections of clients that have gone.
                if self.link.conditions.borrow().swallows() {
                    return Err(End::Close);
                }
                pump.finish();
                finish(&server, read);
                return Ok(());
            }
            self.inside.links.used(self.link.number);
        }
    }

    async fn pump_replies(&self, mut from: ReadHalf<'_>) -> Result<(), End> {
        let mut pump = ReplyPump::new(&self.link, &self.inside.counters);
        loop {
            self.link.client.room().await;
            let read = read(&mut from, pump.buffer()).await;
            if !matches!(read, Ok(1..)) {
                pump.finish();
                finish(&self.link.client, read);
                return Ok(());
            }
            self.inside.links.used(self.link.number);
            pump.take();
        }
    }
}

async fn read(from: &mut (impl AsyncReadExt + Unpin), buffer: &mut BytesMut) -> io::Result<usize> {
    buffer.reserve(CHUNK);
    from.read_buf(buffer).await
}

/// Passes on how a side has ended, behind everything it has said.
fn finish(to: &Outbox, read: io::Result<usize>) {
    match read {
        Ok(_) => to.fin(),
        Err(_) => to.end(End::Reset),
    }
}
