//! For the people who run it: the admin page mounted below `/admin` of an application, metrics for
//! Prometheus and the storage's health on an address that only operators reach.
//!
//! ```text
//! ADMIN_PASSWORD=correct-horse-battery cargo run -p cloakroom-examples --bin axum-operators
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cloakroom::{Engine, MemorySessionStorage, Policy};
use cloakroom_admin::{AdminObserver, AdminPage, Operators};
use cloakroom_axum::{
    HealthDetail, Session, SessionLayer, SessionRejection, health_routes, readiness,
};
use cloakroom_metrics::{Kind, METRICS, MetricsObserver};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let inside = std::env::args().nth(2).unwrap_or_else(|| "127.0.0.1:9464".to_owned());

    // First the recorder: the observer speaks to the one that is there when it is made.
    let page = recorder()?;
    let metrics = MetricsObserver::new();
    let admin = AdminObserver::new();
    let observers = (admin.clone(), metrics.clone());

    let policy = Policy::for_local_development();
    let storage = MemorySessionStorage::new();
    let engine = Engine::builder(storage).policy(policy).observer(observers).build()?;

    let password = std::env::var("ADMIN_PASSWORD").map_err(|_| "ADMIN_PASSWORD is not set")?;
    let operators = Operators::new("ada", &password)?;
    let admin = AdminPage::for_operators(engine.clone(), operators).observer(admin);
    // Without this line the page wants HTTPS.
    let admin = admin.plain_http_on_loopback().router()?;

    let app = Router::new()
        .route("/", get(visits))
        .layer(SessionLayer::new(&engine))
        .merge(health_routes(&engine))
        .nest("/admin", admin);
    let operators_only = Router::new()
        .route("/metrics", get(|State(page): State<PrometheusHandle>| async move { page.render() }))
        .route("/health", readiness(&engine, HealthDetail::Everything))
        .with_state(page);

    let listener = TcpListener::bind(address).await?;
    let inside = TcpListener::bind(inside).await?;
    println!("http://{}", listener.local_addr()?);
    println!("http://{}", inside.local_addr()?);
    // Gauges are refreshed for as long as this value lives; events count by themselves.
    let _refreshed = metrics.publish_every(&engine, Duration::from_secs(5));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::try_join!(axum::serve(listener, app), axum::serve(inside, operators_only))?;
    Ok(())
}

/// Keeps the metrics, with the buckets that they ask for, and sums them up now and then.
fn recorder() -> Result<PrometheusHandle, Box<dyn Error>> {
    let mut exporter = PrometheusBuilder::new();
    for metric in METRICS.iter().filter(|metric| metric.kind == Kind::Histogram) {
        let name = Matcher::Full(metric.name.to_owned());
        exporter = exporter.set_buckets_for_metric(name, metric.buckets)?;
    }
    let page = exporter.install_recorder()?;
    let kept = page.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            kept.run_upkeep();
        }
    });
    Ok(page)
}

async fn visits(session: Session) -> Result<String, SessionRejection> {
    let visits = session.update("visits", |visits: Option<u32>| visits.unwrap_or(0) + 1)?;
    Ok(format!("Visits: {visits}\n"))
}
