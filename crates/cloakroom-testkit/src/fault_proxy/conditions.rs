//! The state of the wire: what a connection does to the bytes that pass, whatever they mean. The
//! proxy changes it at any moment; deliveries look at it before every write.

use std::time::Duration;

use super::scope::{Direction, End};

/// How much later than it came a piece is handed on; by default not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    pub(super) least: Duration,
    pub(super) jitter: Duration,
}

impl Latency {
    /// No latency, as in the beginning.
    pub const NONE: Self = Self { least: Duration::ZERO, jitter: Duration::ZERO };

    /// The same latency for everything.
    pub const fn of(least: Duration) -> Self {
        Self { least, jitter: Duration::ZERO }
    }

    /// A random time up to `most` on top of it. The order stays, and each run has the same times.
    pub const fn with_jitter(self, most: Duration) -> Self {
        Self { least: self.least, jitter: most }
    }
}

/// In which pieces and how fast bytes are handed on; by default as they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace(Steps);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Steps {
    #[default]
    Free,
    Slices {
        size: usize,
        pause: Duration,
    },
    Bandwidth(u64),
}

impl Pace {
    /// As fast as it comes, as in the beginning.
    pub const FREE: Self = Self(Steps::Free);

    /// One byte per write, with a pause after each.
    pub const fn byte_by_byte(pause: Duration) -> Self {
        Self::slices(1, pause)
    }

    /// At most `size` bytes per write (at least 1), with a pause after each.
    pub const fn slices(size: usize, pause: Duration) -> Self {
        Self(Steps::Slices { size: if size == 0 { 1 } else { size }, pause })
    }

    /// So many bytes per second on average (at least 1), in up to 50 writes per second.
    pub const fn bytes_per_second(rate: u64) -> Self {
        Self(Steps::Bandwidth(if rate == 0 { 1 } else { rate }))
    }

    /// How much of `waiting` bytes may be written at once.
    pub(super) fn piece(self, waiting: usize) -> usize {
        match self.0 {
            Steps::Free => waiting,
            Steps::Slices { size, .. } => waiting.min(size),
            Steps::Bandwidth(rate) => waiting.min((rate / 50).max(1) as usize),
        }
    }

    /// The pause after so many bytes were written.
    pub(super) fn pause(self, written: usize) -> Duration {
        match self.0 {
            Steps::Free => Duration::ZERO,
            Steps::Slices { pause, .. } => pause,
            Steps::Bandwidth(rate) => Duration::from_secs_f64(written as f64 / rate as f64),
        }
    }
}

/// The end of a connection after so many more bytes. The number tells one order from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) number: u64,
    pub(super) after: u64,
    pub(super) end: End,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flow {
    #[default]
    Open,
    /// Nothing passes; what comes is kept.
    BlackHole,
    /// The receiver has been told that nothing more comes.
    HalfClosed,
}

/// One way of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    pub(super) flow: Flow,
    pub(super) latency: Latency,
    pub(super) pace: Pace,
    pub(super) cut: Option<Cut>,
}

/// One connection, both ways.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Conditions {
    pub(super) requests: Way,
    pub(super) replies: Way,
    /// It is to end now.
    pub(super) end: Option<End>,
}

impl Conditions {
    pub(super) fn change(&mut self, direction: Direction, mut change: impl FnMut(&mut Way)) {
        if direction != Direction::Replies {
            change(&mut self.requests);
        }
        if direction != Direction::Requests {
            change(&mut self.replies);
        }
    }

    pub(super) fn silence(&mut self) {
        self.change(Direction::Both, |way| (way.flow, way.cut) = (Flow::BlackHole, None));
    }

    /// Ends everything but what cannot be undone on an open connection.
    pub(super) fn heal(&mut self) {
        self.change(Direction::Both, |way| {
            let flow = if way.flow == Flow::HalfClosed { Flow::HalfClosed } else { Flow::Open };
            *way = Way { flow, ..Way::default() };
        });
    }

    pub(super) fn swallows(&self) -> bool {
        [self.requests, self.replies].iter().any(|way| way.flow == Flow::BlackHole)
    }
}
