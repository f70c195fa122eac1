//! What a request asks of the storage: counted by an observer of the engine, and attributed to the
//! request by a task-local that the outermost layer sets.
//!
//! What runs in another task is nobody's: a touch after the answer, or a commit that carries the
//! changes of several requests together.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use cloakroom::{Event, Observer, Operation, PublicId};

use super::ledger::Ledger;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

tokio::task_local! {
    static METER: Arc<Meter>;
}

/// Counts for one request.
#[derive(Default)]
struct Meter {
    reading: Mutex<Reading>,
}

#[derive(Clone, Copy, Default)]
struct Reading {
    spent: Spent,
    session: Option<PublicId>,
}

/// How often the storage was asked for what. On Redis each is one command, a list one batch of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) loads: u32,
    pub(super) commits: u32,
    pub(super) removals: u32,
    /// Looks at the owner's index, and steps there.
    index: u32,
    /// Facts of many sessions at once.
    lists: u32,
    took: Duration,
}

/// Tells the present request's meter, and the ledger, what happens in the engine.
pub(super) struct Accountant {
    ledger: Arc<Ledger>,
}

impl Accountant {
    pub(super) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger }
    }
}

impl Observer for Accountant {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Committed { session, requests, .. } = event {
            self.ledger.committed(*session, *requests);
        }
        // Outside of a request there is no meter, and nothing to count.
        let _ = METER.try_with(|meter| meter.lock().note(event));
    }
}

/// What the present request has asked for so far.
pub(super) fn so_far() -> Spent {
    METER.try_with(|meter| meter.lock().spent).unwrap_or_default()
}

/// The outermost layer: measures a request, says so in `Server-Timing`, and notes down what a
/// request that writes has cost its session.
pub(super) async fn measure(
    State(ledger): State<Arc<Ledger>>,
    request: Request,
    next: Next,
) -> Response {
    let writes = (request.method() == Method::POST).then(|| request.uri().path().to_owned());
    let meter = Arc::new(Meter::default());
    let mut response = METER.scope(meter.clone(), next.run(request)).await;
    let reading = *meter.lock();
    if let (Some(path), Some(session)) = (writes, reading.session) {
        ledger.wrote(session, path, reading.spent);
    }
    let spent = reading.spent;
    let timing = format!("storage;desc=\"{spent}\";dur={:.3}", spent.took.as_secs_f64() * 1000.0);
    if let Ok(timing) = HeaderValue::try_from(timing) {
        response.headers_mut().insert(SERVER_TIMING, timing);
    }
    response
}

impl Meter {
    fn lock(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Asked { operation, took, .. } => {
                match operation {
                    Operation::Load => self.spent.loads += 1,
                    Operation::Commit => self.spent.commits += 1,
                    Operation::Destroy => self.spent.removals += 1,
                    Operation::Index => self.spent.index += 1,
                    Operation::Facts => self.spent.lists += 1,
                    _ => {}
                }
                self.spent.took += *took;
            }
            Event::Found { session } | Event::Created { session } => self.session = Some(*session),
            _ => {}
        }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.loads, "load"),
            (self.index, "index step"),
            (self.lists, "list"),
            (self.commits, "commit"),
            (self.removals, "removal"),
        ];
        let mut first = true;
        for (count, name) in counts.into_iter().filter(|(count, _)| *count > 0) {
            let (separator, plural) =
                (if first { "" } else { ", " }, if count == 1 { "" } else { "s" });
            write!(f, "{separator}{count} {name}{plural}")?;
            first = false;
        }
        if first { f.write_str("nothing") } else { Ok(()) }
    }
}
