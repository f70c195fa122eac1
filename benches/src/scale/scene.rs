//! [`Scene`]: application processes on full servers, ready to be told what to do.

use std::time::Duration;

use tempfile::NamedTempFile;

use super::Fleet;
use super::gauge::Gauge;
use super::round::Round;
use super::tally::Tally;
use super::tickets::Tickets;
use crate::Worker;

/// How many application processes there are.
pub const MOST_PROCESSES: usize = 4;
/// For connections, scripts and maps; not measured.
const WARM_UP: Duration = Duration::from_secs(1);

/// So many processes, each with so many requests in flight.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Processes at work.
    pub processes: usize,
    /// Requests in flight in each of them.
    pub callers: usize,
}

impl Crowd {
    /// All processes, and as many requests in flight as they ever have.
    pub const EVERYBODY: Self = Self::of(MOST_PROCESSES, 16);

    /// A crowd of so many.
    pub const fn of(processes: usize, callers: usize) -> Self {
        Self { processes, callers }
    }
}

/// Application processes; they end with the value.
pub struct Scene<'a> {
    /// The servers.
    pub fleet: &'a Fleet,
    /// The processes.
    pub workers: Vec<Worker>,
    // The processes have read it; it is removed with the value.
    _tickets: NamedTempFile,
}

impl<'a> Scene<'a> {
    /// Starts the processes and waits until they are connected.
    pub async fn open(fleet: &'a Fleet, tickets: &Tickets) -> Self {
        let file = NamedTempFile::new().expect("a temporary file");
        tickets.write(file.as_file()).expect("there is room for the tickets");
        let path = file.path().to_string_lossy().into_owned();
        let start = |number: usize| {
            Worker::start(&["application", &fleet.url(), &path, &number.to_string()])
        };
        let mut workers: Vec<_> = (0..MOST_PROCESSES).map(start).collect();
        workers.iter_mut().for_each(|worker| assert_eq!(worker.hear(), "ready"));
        let mut scene = Self { fleet, workers, _tickets: file };
        scene.round(Crowd::EVERYBODY, WARM_UP).await;
        scene
    }

    /// Has some of the processes work for a while.
    pub async fn round(&mut self, crowd: Crowd, length: Duration) -> Round {
        self.round_with(crowd, length, async {}).await
    }

    /// The same, with something that happens to the servers meanwhile.
    pub async fn round_with(
        &mut self,
        crowd: Crowd,
        length: Duration,
        meanwhile: impl Future<Output = ()>,
    ) -> Round {
        let before = Gauge::read(self.fleet).await;
        let order = format!("run {} {}", length.as_millis(), crowd.callers);
        let working = &mut self.workers[..crowd.processes];
        working.iter_mut().for_each(|worker| worker.tell(&order));
        meanwhile.await;
        let mut tally = Tally::default();
        working.iter_mut().for_each(|worker| tally.add(Tally::hear(worker)));
        let after = Gauge::read(self.fleet).await;
        Round { tally, length, before, after }
    }
}
