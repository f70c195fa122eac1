//! [`Delivery`]: writes one direction of a connection under its conditions. Before every write it
//! looks at them, so what the test has ordered holds for everything sent after the order.

use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::WriteHalf;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::chance::Chance;
use super::conditions::{Conditions, Flow, Way};
use super::outbox::{Content, Parcels};
use super::scope::End;

/// Which way the delivery goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toward {
    Server,
    Client,
}

#[derive(Debug)]
pub(super) struct Delivery<'a> {
    toward: Toward,
    to: WriteHalf<'a>,
    conditions: &'a watch::Sender<Conditions>,
    seen: watch::Receiver<Conditions>,
    parcels: Parcels,
    jitter: Chance,
    /// The number of the cut in force, and what has passed since it was ordered.
    cut: (u64, u64),
    receiver: Receiver,
}

/// Whether the receiver can still be told anything.
#[derive(Debug, PartialEq, Eq)]
enum Receiver {
    Listens,
    Gone,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(
        toward: Toward,
        to: WriteHalf<'a>,
        conditions: &'a watch::Sender<Conditions>,
        parcels: Parcels,
    ) -> Self {
        let seen = conditions.subscribe();
        let (jitter, receiver) = (Chance::new(toward as u64), Receiver::Listens);
        Self { toward, to, conditions, seen, parcels, jitter, cut: (0, 0), receiver }
    }

    /// Delivers until the sender has no more, or the connection is to end at once.
    pub(super) async fn run(mut self) -> Result<(), End> {
        loop {
            let parcel = tokio::select! {
                biased;
                _ = self.seen.changed() => {
                    if self.way()?.flow == Flow::HalfClosed {
                        self.half_close().await;
                    }
                    continue;
                }
                parcel = self.parcels.next() => parcel,
            };
            let Some(parcel) = parcel else { return Ok(()) };
            self.until_due(parcel.arrived).await?;
            match parcel.content {
                Content::Bytes(bytes) => {
                    let size = bytes.len();
                    self.write(bytes).await?;
                    self.parcels.left(size);
                }
                Content::Hold(rule) => rule.until_cleared().await,
                Content::End(End::Silence) => self.conditions.send_modify(Conditions::silence),
                Content::End(end) => {
                    self.until_open().await?;
                    return Err(end);
                }
                Content::Fin => {
                    self.until_open().await?;
                    self.half_close().await;
                    // A Redis server that has closed its side does not listen either.
                    return if self.toward == Toward::Client { Err(End::Close) } else { Ok(()) };
                }
            }
        }
    }

    /// How the wire is now; an error where the connection is to end.
    fn way(&mut self) -> Result<Way, End> {
        let conditions = self.seen.borrow_and_update();
        match (conditions.end, self.toward) {
            (Some(end), _) => Err(end),
            (None, Toward::Server) => Ok(conditions.requests),
            (None, Toward::Client) => Ok(conditions.replies),
        }
    }

    async fn until_due(&mut self, arrived: Instant) -> Result<(), End> {
        let mut part = None;
        loop {
            let latency = self.way()?.latency;
            let mut wait = latency.least;
            if !latency.jitter.is_zero() {
                let part = part.get_or_insert_with(|| self.jitter.next());
                wait += latency.jitter.mul_f64(*part);
            }
            if wait.is_zero() || arrived + wait <= Instant::now() {
                return Ok(());
            }
            tokio::select! {
                () = sleep_until(arrived + wait) => {}
                _ = self.seen.changed() => {}
            }
        }
    }

    async fn until_open(&mut self) -> Result<(), End> {
        while self.way()?.flow == Flow::BlackHole {
            let _ = self.seen.changed().await;
        }
        Ok(())
    }

    async fn write(&mut self, mut bytes: Bytes) -> Result<(), End> {
        while !bytes.is_empty() && self.receiver == Receiver::Listens {
            self.until_open().await?;
            let way = self.way()?;
            if way.flow == Flow::HalfClosed {
                self.half_close().await;
                return Ok(());
            }
            let mut size = way.pace.piece(bytes.len());
            if let Some(cut) = way.cut {
                if self.cut.0 != cut.number {
                    self.cut = (cut.number, 0);
                }
                let allowed = cut.after.saturating_sub(self.cut.1);
                if allowed == 0 {
                    self.end(cut.end)?;
                    continue;
                }
                size = size.min(usize::try_from(allowed).unwrap_or(usize::MAX));
            }
            let written = tokio::select! {
                biased;
                _ = self.seen.changed() => continue,
                written = self.to.write(&bytes[..size]) => written,
            };
            let Ok(written @ 1..) = written else {
                // What the receiver's end means for the sender, its own pump finds out.
                self.receiver = Receiver::Gone;
                return Ok(());
            };
            bytes.advance(written);
            if let Some(cut) = way.cut {
                self.cut.1 += written as u64;
                if self.cut.1 >= cut.after {
                    self.end(cut.end)?;
                }
            }
            self.pause(way.pace.pause(written)).await;
        }
        Ok(())
    }

    fn end(&mut self, end: End) -> Result<(), End> {
        if end != End::Silence {
            return Err(end);
        }
        self.conditions.send_modify(Conditions::silence);
        Ok(())
    }

    async fn pause(&mut self, pause: Duration) {
        if !pause.is_zero() {
            tokio::select! {
                () = sleep(pause) => {}
                _ = self.seen.changed() => self.seen.mark_changed(),
            }
        }
    }

    async fn half_close(&mut self) {
        if self.receiver == Receiver::Listens {
            let _ = self.to.shutdown().await;
            self.receiver = Receiver::Gone;
        }
    }
}
