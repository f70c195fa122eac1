//! The demo's process: the port, the greeting, and an end in good order.

use std::future::IntoFuture;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::app::{self, App};
use crate::failure::Failure;
use crate::signals::Signals;

/// How long requests that are under way may take after the demo was asked to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the storage may take after that.
const DRAIN: Duration = Duration::from_secs(2);

/// Takes the port.
pub(super) async fn listen(address: IpAddr, port: u16) -> Result<TcpListener, Failure> {
    let place = SocketAddr::new(address, port);
    TcpListener::bind(place).await.map_err(|error| {
        Failure::new(match error.kind() {
            ErrorKind::AddrInUse => format!(
                "port {port} on {address} is taken by another program; end that one or choose a \
                 port with --port, 0 takes a free one"
            ),
            ErrorKind::PermissionDenied => format!(
                "this user may not listen on port {port}; choose one above 1023 with --port"
            ),
            ErrorKind::AddrNotAvailable => {
                format!("this machine has no address {address}; choose another one with --address")
            }
            _ => format!("cannot listen on {place}: {error}"),
        })
    })
}

/// Serves until Ctrl-C or SIGTERM. Requests that are under way are answered first; a second signal
/// ends the demo without waiting for them.
pub(super) async fn serve(listener: TcpListener, app: App) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("cannot serve: {error}"));
    let place = listener.local_addr().map_err(cannot)?;
    let mut signals = Signals::listen().map_err(cannot)?;
    say(&greeting(place, &app.storage));

    let engine = app.engine.clone();
    let service = app::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let ending = Arc::new(Notify::new());
    let told = ending.clone();
    let serving =
        axum::serve(listener, service).with_graceful_shutdown(async move { told.notified().await });
    let until_asked = async {
        signals.next().await;
        ending.notify_one();
        // Browsers keep connections open without sending anything on them.
        let _ = tokio::time::timeout(PATIENCE, signals.next()).await;
    };
    tokio::select! {
        served = serving.into_future() => served.map_err(cannot)?,
        () = until_asked => {}
    }
    engine.drain(DRAIN).await;
    say("\nThe demo has ended.\n");
    Ok(())
}

fn greeting(place: SocketAddr, storage: &str) -> String {
    let reach = if place.ip().is_loopback() {
        "for this machine only"
    } else {
        "but this address can be reached from others: do not use it for real sign-ins"
    };
    format!(
        "\n  Cloakroom demo   http://{place}/\n  Sessions in      {storage}\n  \
           Cookies          over plain HTTP, {reach}\n\n  Press Ctrl-C to end it.\n\n"
    )
}

/// Writes to the standard output, which may be closed.
fn say(text: &str) {
    let mut output = std::io::stdout();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}
