//! The page's process: the port, the greeting, and an end in good order.

use std::future::IntoFuture;
use std::io::Write;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cloakroom::Engine;
use cloakroom_admin::UnderWay;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::exporter::Exporter;
use super::place::Place;
use crate::failure::Failure;
use crate::signals::Signals;

/// How long browsers may take to get their answers after the page was asked to end. They also keep
/// connections open without sending anything on them.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long pending ends of sessions may take after the page was asked to end.
const DRAIN: Duration = Duration::from_secs(5);

/// What is told at the start.
pub(super) struct Greeting<'a> {
    pub(super) names: String,
    pub(super) passwords: String,
    /// Without credentials.
    pub(super) storage: &'a str,
    pub(super) trail: String,
    pub(super) place: Place,
}

/// Takes the port that an option names.
pub(super) async fn listen(place: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(place).await.map_err(|error| {
        Failure::new(format!(
            "cannot listen on {place}: {error}; choose another place with {option}"
        ))
    })
}

/// What is served.
pub(super) struct Served {
    pub(super) page: Router,
    /// What operators have begun on it.
    pub(super) under_way: UnderWay,
    pub(super) engine: Engine,
    /// Where it was asked for.
    pub(super) exporter: Option<Exporter>,
}

/// Serves until Ctrl-C or SIGTERM. What operators have begun is done and in the audit trail before the
/// process ends; a second signal ends it without waiting, and leaves in the trail that it broke off.
pub(super) async fn serve(
    listener: TcpListener,
    served: Served,
    greeting: &Greeting<'_>,
) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("cannot serve: {error}"));
    let Served { page, under_way, engine, exporter } = served;
    let place = listener.local_addr().map_err(cannot)?;
    let mut signals = Signals::listen().map_err(cannot)?;
    let metrics = exporter.as_ref().map(Exporter::place).transpose().map_err(cannot)?;
    say(&greeting.text(place, metrics));
    let service = page.into_make_service_with_connect_info::<SocketAddr>();
    let showing_metrics = async {
        match exporter {
            Some(exporter) => exporter.serve(engine.clone()).await,
            None => std::future::pending().await,
        }
    };
    let ending = Arc::new(Notify::new());
    let told = ending.clone();
    let serving =
        axum::serve(listener, service).with_graceful_shutdown(async move { told.notified().await });
    let mut serving = pin!(serving.into_future());
    tokio::select! {
        served = &mut serving => return served.map_err(cannot),
        served = showing_metrics => return served.map_err(cannot),
        () = signals.next() => ending.notify_one(),
    }
    let in_good_order = async {
        let (_, ()) = tokio::join!(timeout(PATIENCE, serving), under_way.finish());
        // A session whose end is pending is refused by this process alone: give the others their turn.
        engine.drain(DRAIN).await
    };
    let is_done = tokio::select! {
        is_done = in_good_order => is_done,
        () = signals.next() => {
            let text = "ended before all was done that operators had begun";
            return Err(Failure::interrupted(text));
        }
    };
    if is_done {
        say("\nThe page has ended.\n");
        return Ok(());
    }
    let pending = engine.health().pending_removals;
    Err(Failure::new(format!("{pending} sessions that were to end are still in the storage")))
}

impl Greeting<'_> {
    fn text(&self, place: SocketAddr, metrics: Option<SocketAddr>) -> String {
        let page = match self.place {
            Place::Here => format!("http://{place}/   for this machine only"),
            Place::BehindTls => format!("{place}   for your proxy; others come to it over HTTPS"),
        };
        let metrics = match metrics {
            Some(place) => {
                format!("  Metrics          http://{place}/metrics   for this machine only\n")
            }
            None => String::new(),
        };
        format!(
            "\n  Cloakroom admin  {page}\n  Sessions in      {}\n  \
               Name             {}\n  Password         {}\n  Audit trail      {}\n{metrics}\n  \
             Press Ctrl-C to end it.\n\n",
            self.storage, self.names, self.passwords, self.trail
        )
    }
}

/// Writes to the standard output, which may be closed.
fn say(text: &str) {
    let mut output = std::io::stdout();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}
