//! [`Portions`]: lets the task that drives a connection pause behind a buffer that it has filled.
//!
//! A burst of answers fills several buffers with records. Were all of them read in one turn, whoever
//! waits for one would go on only when the last is read, and the server would have nothing to do until
//! all of them have put their next question. So the look for more behind a filled buffer finds nothing
//! once, and comes again after those who were waiting for what was in it. The client library looks once
//! for each command that it is about to send, so a turn with many commands still reads on.

use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) struct Portions<S> {
    socket: S,
    /// What was read in this turn has filled the buffer, so that there may be more.
    has_more: bool,
}

impl<S> Portions<S> {
    pub(crate) fn of(socket: S) -> Self {
        Self { socket, has_more: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Portions<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if mem::take(&mut self.has_more) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let read = Pin::new(&mut self.socket).poll_read(context, into);
        // What has left room was all there is: the next look finds nothing and costs no turn.
        self.has_more = read.is_ready() && into.remaining() == 0;
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Portions<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn others_have_their_turn_between_two_reads() {
        let (mut server, client) = duplex(64);
        server.write_all(b"answers").await.unwrap();
        let reader = tokio::spawn(async move {
            let mut portions = Portions::of(client);
            let (mut first, mut second) = ([0; 4], [0; 3]);
            let reads = async {
                portions.read_exact(&mut first).await.unwrap();
                portions.read_exact(&mut second).await.unwrap();
            };
            let mut reads = std::pin::pin!(reads);
            let mut turns = 0;
            std::future::poll_fn(|context| {
                turns += 1;
                reads.as_mut().poll(context)
            })
            .await;
            (turns, first, second)
        });
        // Whatever waits without having asked to be woken would wait for ever.
        let (turns, first, second) = reader.await.unwrap();
        assert_eq!((&first, &second, turns), (b"answ", b"ers", 2));
    }

    #[tokio::test]
    async fn what_leaves_room_costs_no_turn_and_neither_does_the_end() {
        let (mut server, client) = duplex(64);
        let mut portions = Portions::of(client);
        let look = async |portions: &mut Portions<_>| {
            let mut room = [0; 8];
            let mut read = std::pin::pin!(portions.read(&mut room));
            let ready = std::future::poll_fn(|context| Poll::Ready(read.as_mut().poll(context)));
            match ready.await {
                Poll::Ready(read) => Some(read.unwrap()),
                Poll::Pending => None,
            }
        };
        for _ in 0..2 {
            server.write_all(b"answer").await.unwrap();
            assert_eq!(look(&mut portions).await, Some(6));
        }
        drop(server);
        for _ in 0..2 {
            assert_eq!(look(&mut portions).await, Some(0));
        }
    }
}
