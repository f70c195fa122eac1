//! [`Outbox`]: what waits to be delivered in one direction of a connection. Pumps fill it, a
//! [`Delivery`](super::delivery::Delivery) empties it; its order is the order on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::rules::Tally;
use super::scope::End;

/// So many waiting bytes stop the reading, as full buffers of a network do.
const FULL: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) arrived: Instant,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Bytes(Bytes),
    /// Everything behind waits until a rule ends.
    Hold(Arc<Tally>),
    /// The connection ends here.
    End(End),
    /// The sender sends nothing more.
    Fin,
}

#[derive(Debug)]
pub(super) struct Outbox {
    parcels: mpsc::UnboundedSender<Parcel>,
    load: Arc<Load>,
}

#[derive(Debug)]
pub(super) struct Parcels {
    parcels: mpsc::UnboundedReceiver<Parcel>,
    load: Arc<Load>,
}

#[derive(Debug, Default)]
struct Load {
    bytes: AtomicUsize,
    lighter: Notify,
}

impl Outbox {
    pub(super) fn new() -> (Self, Parcels) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let load = Arc::<Load>::default();
        (Self { parcels: sender, load: load.clone() }, Parcels { parcels: receiver, load })
    }

    pub(super) fn bytes(&self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.load.bytes.fetch_add(bytes.len(), Ordering::Relaxed);
            self.post(Content::Bytes(bytes));
        }
    }

    pub(super) fn hold(&self, until_cleared: Arc<Tally>) {
        self.post(Content::Hold(until_cleared));
    }

    pub(super) fn end(&self, end: End) {
        self.post(Content::End(end));
    }

    pub(super) fn fin(&self) {
        self.post(Content::Fin);
    }

    /// Waits while too much is under way.
    pub(super) async fn room(&self) {
        while self.load.bytes.load(Ordering::Relaxed) > FULL {
            self.load.lighter.notified().await;
        }
    }

    fn post(&self, content: Content) {
        // Nobody receives only when the connection is over.
        let _ = self.parcels.send(Parcel { arrived: Instant::now(), content });
    }
}

impl Parcels {
    pub(super) async fn next(&mut self) -> Option<Parcel> {
        self.parcels.recv().await
    }

    /// Says that so many bytes have left.
    pub(super) fn left(&self, bytes: usize) {
        self.load.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.load.lighter.notify_one();
    }
}
