//! The runtime that all applications get: the same number of worker threads for each framework.

#[cfg(feature = "axum")]
use std::{future::Future, net::Ipv4Addr};

#[cfg(feature = "axum")]
use tokio::net::TcpListener;

#[cfg(feature = "axum")]
use crate::Failure;

/// How many worker threads an application has: `COMPARE_WORKERS`, otherwise one.
pub fn workers() -> usize {
    let number = std::env::var("COMPARE_WORKERS").ok().and_then(|number| number.parse().ok());
    number.filter(|&number| number > 0).unwrap_or(1)
}

/// What `#[tokio::main]` does, with the agreed number of workers.
///
/// # Errors
/// Those of the application.
#[cfg(feature = "axum")]
pub fn run(application: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers())
        .enable_all()
        .build()?
        .block_on(application)
}

/// Listens on a port of this machine.
///
/// # Errors
/// Where the port is taken.
#[cfg(feature = "axum")]
pub async fn listener(port: u16) -> Result<TcpListener, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?)
}
