//! [`Watch`]: the ears of the process, and [`Watched`], two nodes that they listen to.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use axum::routing::get;
use axum::{Extension, Router, middleware};
use cloakroom::{AnyStorage, Destroyed, Engine, EngineBuilder, TracingObserver};
use cloakroom_axum::{Session, SessionHandle, SessionLayer, SessionRejection};
use cloakroom_metrics::MetricsObserver;
use cloakroom_testkit::RedisServer;
use cloakroom_testkit::http::Site;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::task::AbortHandle;

use crate::answers::{self, Answers};
use crate::log::{Log, Text};
use crate::node::serve;
use crate::redis_side::{Monitor, dump};
use crate::routes;

/// The page for operators, which shows owners and no values.
pub(crate) const OPERATORS: &str = "the page for operators";

/// The places in which values and owners belong, or owners alone.
const WITH_VALUES: [&str; 4] = ["answers", "commands", "records", OPERATORS];

/// All that is listened to in this process.
pub(crate) struct Watch {
    log: Log,
    /// What visitors are answered.
    pub(crate) answers: Answers,
    /// What operators are answered.
    pub(crate) operators: Answers,
    pub(crate) observer: MetricsObserver,
    metrics: PrometheusHandle,
    commands: Text,
    key_names: Text,
    records: Text,
}

/// Everything that was heard until a moment.
pub(crate) struct Everything {
    contents: Vec<(&'static str, Vec<u8>)>,
}

/// The only one of the process, because there is only one log.
pub(crate) fn watch() -> &'static Watch {
    static WATCH: OnceLock<Watch> = OnceLock::new();
    WATCH.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = recorder.handle();
        Watch {
            log: Log::listen(),
            answers: Answers::default(),
            operators: Answers::default(),
            observer: MetricsObserver::with_recorder(recorder),
            metrics,
            commands: Text::default(),
            key_names: Text::default(),
            records: Text::default(),
        }
    })
}

impl Watch {
    pub(crate) fn everything(&self) -> Everything {
        Everything {
            contents: vec![
                ("log", self.log.lines.so_far()),
                ("panics", self.log.panics.so_far()),
                ("metrics", self.metrics.render().into_bytes()),
                ("answers", self.answers.all()),
                ("errors", self.answers.errors()),
                (OPERATORS, self.operators.all()),
                ("commands", self.commands.so_far()),
                ("names of keys", self.key_names.so_far()),
                ("records", self.records.so_far()),
            ],
        }
    }
}

impl Everything {
    /// All places with what they hold.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.contents.iter().map(|(place, bytes)| (*place, bytes.as_slice()))
    }

    /// Those in which no value of a session and no owner may be.
    pub(crate) fn without_values(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.all().filter(|(place, _)| !WITH_VALUES.contains(place))
    }

    /// What one place holds.
    pub(crate) fn of(&self, place: &str) -> &[u8] {
        self.all().find(|(found, _)| *found == place).unwrap().1
    }

    /// That there is something to search in: each place holds what it must hold after the scenarios.
    pub(crate) fn assert_heard(&self) {
        for (place, words) in [
            ("log", &["DEBUG", "redis_exchange", "session_storage", "event=Created"][..]),
            ("log", &["event=MovedIn", "session revoked", "revocation pending"]),
            (OPERATORS, &["<h1", "Overview", "Archaeopteryx", "\"outcome\":\"done\""]),
            ("panics", &["meant to panic"]),
            ("metrics", &["cloakroom_events_total{event=\"signed_in\"}", "cloakroom_connections"]),
            ("answers", &["content-type", "bye", "kept"]),
            ("errors", &["went wrong"]),
            ("commands", &["\"EVALSHA\"", "\"GET\" \"cloakroom:session:"]),
            ("names of keys", &["cloakroom:session:", "cloakroom:session:owner:"]),
            ("records", &["word", "Quetzalcoatlus", "\nzset "]),
        ] {
            let text = String::from_utf8_lossy(self.of(place));
            for word in words {
                assert!(text.contains(word), "{place} does not hold {word:?}");
            }
        }
    }
}

/// Two nodes of the scenarios' application; they stop with the value.
pub(crate) struct Watched {
    nodes: [SocketAddr; 2],
    servers: [AbortHandle; 2],
    engines: [Engine; 2],
    redis: Option<RedisServer>,
    monitor: Option<Monitor>,
}

impl Watched {
    pub(crate) async fn start(storages: [AnyStorage; 2]) -> Self {
        Self::built(storages, |builder| builder).await
    }

    /// The same with more choices.
    pub(crate) async fn built(
        storages: [AnyStorage; 2],
        choose: impl Fn(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        let engines = storages.map(|storage| {
            let observer = (TracingObserver, watch().observer.clone());
            choose(Engine::builder(storage).observer(observer)).build().unwrap()
        });
        let (one, first) = serve(application(&engines[0])).await;
        let (other, second) = serve(application(&engines[1])).await;
        Self { nodes: [one, other], servers: [first, second], engines, redis: None, monitor: None }
    }

    /// The same nodes, with all that their server is told.
    pub(crate) async fn listening_to(mut self, redis: &RedisServer) -> Self {
        self.monitor = Some(Monitor::start(redis.socket(), &watch().commands).await);
        self
    }

    /// The same, and at the end all that the server holds.
    pub(crate) async fn keeping(self, redis: RedisServer) -> Self {
        let mut watched = self.listening_to(&redis).await;
        watched.redis = Some(redis);
        watched
    }

    /// One node's engine.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engines[0]
    }

    /// The server that the nodes keep.
    pub(crate) fn redis(&self) -> &RedisServer {
        self.redis.as_ref().unwrap()
    }

    /// Takes down what is to be seen at the end.
    pub(crate) async fn finish(self) {
        for engine in &self.engines {
            watch().observer.publish(engine);
            tracing::debug!(?engine, health = ?engine.health(), "the end");
        }
        if let (Some(redis), Some(monitor)) = (&self.redis, &self.monitor) {
            dump(redis, &watch().key_names, &watch().records).await;
            monitor.has_heard_all(redis).await;
        }
    }
}

impl Site for Watched {
    fn nodes(&self) -> [SocketAddr; 2] {
        self.nodes
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.servers.iter().for_each(AbortHandle::abort);
    }
}

fn application(engine: &Engine) -> Router {
    routes::router(engine)
        .merge(Router::new().route("/debug", get(debug)).layer(Extension(engine.clone())))
        .route("/devices", get(devices))
        .route("/end-a-device", get(end_a_device))
        .route("/end-other-devices", get(end_other_devices))
        .layer(SessionLayer::new(engine))
        .layer(middleware::from_fn_with_state(watch().answers.clone(), answers::note))
}

/// Logs everything that a handler could, in its debug form.
async fn debug(
    session: Session,
    SessionHandle(handle): SessionHandle,
    engine: Extension<Engine>,
) -> &'static str {
    tracing::debug!(?session, ?handle, ?engine, owner_is_known = session.owner().is_some());
    "logged"
}

async fn devices(session: Session) -> Result<String, SessionRejection> {
    let devices = session.devices().await?;
    let fresh = session.require_fresh_auth(Duration::ZERO).await;
    tracing::debug!(?devices, ?fresh);
    Ok(devices.len().to_string())
}

async fn end_a_device(session: Session) -> Result<&'static str, SessionRejection> {
    let devices = session.devices().await?;
    let another = devices.iter().find(|device| !device.is_current()).unwrap();
    let ended = session.end_device(another.facts().id()).await?;
    Ok(if matches!(ended, Destroyed::Removed(_)) { "ended" } else { "not ended" })
}

async fn end_other_devices(session: Session) -> Result<String, SessionRejection> {
    Ok(session.end_other_devices().await?.ended.to_string())
}
