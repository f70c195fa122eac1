//! The spans around questions to the storage and exchanges with its server, as a subscriber sees
//! them.

#![cfg(feature = "tracing")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use cloakroom::{Answer, Engine};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{FakeRequest, RedisServer};
use tokio::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Subscriber, subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// A span as it was when it closed.
#[derive(Clone, Debug, Default)]
struct Seen {
    name: &'static str,
    within: Option<&'static str>,
    fields: BTreeMap<&'static str, String>,
}

/// Keeps every span that has closed.
#[derive(Clone, Default)]
struct Spans(Arc<StdMutex<Vec<Seen>>>);

impl Seen {
    fn is(&self, field: &str, value: &str) -> bool {
        self.fields.get(field).is_some_and(|found| found == value)
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let within = span.parent().map(|parent| parent.name());
        let mut seen = Seen { name: span.name(), within, ..Seen::default() };
        attributes.record(&mut seen);
        span.extensions_mut().insert(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Seen>().unwrap());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let seen = context.span(&id).unwrap().extensions_mut().remove::<Seen>();
        self.0.lock().unwrap().extend(seen);
    }
}

impl Spans {
    /// Listens to this thread until the guard is dropped.
    fn heard(level: LevelFilter) -> (Self, subscriber::DefaultGuard) {
        let spans = Self::default();
        let subscriber = tracing_subscriber::registry().with(spans.clone().with_filter(level));
        (spans, subscriber::set_default(subscriber))
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The only one of that name for that operation.
    fn one(spans: &[Seen], name: &str, operation: &str) -> Seen {
        let mut found = spans.iter().filter(|span| span.name == name);
        let span = found.find(|span| span.is("cloakroom.operation", operation)).cloned();
        span.unwrap_or_else(|| panic!("no {name} for {operation} in {spans:?}"))
    }
}

/// Held by each test: the level that anybody listens to is one number for the whole process, and it
/// changes with every subscriber that comes and goes.
static TURN: Mutex<()> = Mutex::const_new(());

/// A storage with a short limit, and an engine on it.
async fn engine(server: &RedisServer) -> Engine {
    let builder = RedisSessionStorage::builder().url(server.url()).pool_size(1);
    let storage = builder.command_timeout(Duration::from_millis(200)).build().await.unwrap();
    Engine::builder(storage).build().unwrap()
}

/// The visit of a browser that puts something in, and its second one that reads it.
async fn two_visits(engine: &Engine) -> FakeRequest {
    let first = engine.begin(&FakeRequest::new());
    first.handle().load().await.unwrap().insert("word", "swordfish").unwrap();
    let finished = first.finish(Answer::Ordinary).await.unwrap();
    let browser = FakeRequest::with(finished.cookie().unwrap());
    let second = engine.begin(&browser);
    second.handle().load().await.unwrap();
    let _ = second.finish(Answer::Ordinary).await.unwrap();
    browser
}

#[tokio::test]
async fn a_question_is_a_span_and_each_exchange_for_it_one_within() {
    let _turn = TURN.lock().await;
    let server = RedisServer::start().await.unwrap();
    let engine = engine(&server).await;
    let (spans, listening) = Spans::heard(LevelFilter::TRACE);
    let _ = two_visits(&engine).await;
    drop(listening);

    let spans = spans.take();
    for (operation, command) in [("commit", "EVALSHA"), ("load", "GET")] {
        let question = Spans::one(&spans, "session_storage", operation);
        assert!(question.is("cloakroom.storage", "redis"), "{question:?}");
        assert!(question.is("otel.name", &format!("session {operation}")), "{question:?}");

        let exchange = Spans::one(&spans, "redis_exchange", operation);
        assert_eq!(exchange.within, Some("session_storage"));
        for (field, value) in [
            ("otel.kind", "client"),
            ("otel.name", &format!("{command} 127.0.0.1:{}", server.port())),
            ("db.system.name", "redis"),
            ("db.namespace", "0"),
            ("db.operation.name", command),
            ("server.address", "127.0.0.1"),
            ("server.port", &server.port().to_string()),
        ] {
            assert!(exchange.is(field, value), "{field} of {exchange:?}");
        }
        for (span, field) in [
            (&question, "error.type"),
            (&question, "otel.status_code"),
            (&exchange, "error.type"),
            (&exchange, "otel.status_code"),
            (&exchange, "db.response.status_code"),
            (&exchange, "db.operation.batch.size"),
        ] {
            assert!(!span.fields.contains_key(field), "{field} of {span:?}");
        }
    }
    let shown = format!("{spans:?}");
    assert!(!shown.contains("swordfish") && !shown.contains("cloakroom:session"), "{shown}");
}

#[tokio::test]
async fn a_batch_of_several_commands_is_a_pipeline_and_tells_its_size() {
    let _turn = TURN.lock().await;
    let server = RedisServer::start().await.unwrap();
    let engine = engine(&server).await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        let scope = engine.begin(&FakeRequest::new());
        let session = scope.handle().load().await.unwrap();
        session.set_owner("ada").unwrap();
        let _ = scope.finish(Answer::Ordinary).await.unwrap();
        sessions.push(session.public_id().unwrap());
    }
    let (spans, listening) = Spans::heard(LevelFilter::TRACE);
    assert_eq!(engine.sessions_of("ada").await.unwrap().len(), sessions.len());
    drop(listening);

    let exchange = Spans::one(&spans.take(), "redis_exchange", "facts");
    assert!(exchange.is("db.operation.name", "PIPELINE"), "{exchange:?}");
    // The head of each record, and its length.
    assert!(exchange.is("db.operation.batch.size", "6"), "{exchange:?}");
}

#[tokio::test]
async fn a_server_that_refuses_is_a_failed_span_with_its_code() {
    let _turn = TURN.lock().await;
    let server = RedisServer::start().await.unwrap();
    let engine = engine(&server).await;
    let browser = two_visits(&engine).await;
    let (spans, listening) = Spans::heard(LevelFilter::TRACE);
    for name in server.ask(["KEYS", "*"]).await.unwrap().many() {
        let name = name.bytes().unwrap();
        server.ask([b"DEL".as_slice(), &name]).await.unwrap();
        server.ask([b"RPUSH".as_slice(), &name, b"no record"]).await.unwrap();
    }
    assert!(engine.begin(&browser).handle().load().await.is_err());
    drop(listening);

    let spans = spans.take();
    let exchange = Spans::one(&spans, "redis_exchange", "load");
    for field in ["db.response.status_code", "error.type"] {
        assert!(exchange.is(field, "WRONGTYPE"), "{field} of {exchange:?}");
    }
    assert!(exchange.is("otel.status_code", "ERROR"), "{exchange:?}");
    let question = Spans::one(&spans, "session_storage", "load");
    assert!(question.is("error.type", "corrupt"), "{question:?}");
    assert!(question.is("otel.status_code", "ERROR"), "{question:?}");
}

#[tokio::test]
async fn a_span_without_an_answer_tells_the_kind_of_the_error() {
    let _turn = TURN.lock().await;
    let server = RedisServer::start().await.unwrap();
    let engine = engine(&server).await;
    let browser = two_visits(&engine).await;
    let (spans, listening) = Spans::heard(LevelFilter::TRACE);
    server.freeze();
    assert!(engine.begin(&browser).handle().load().await.is_err());
    drop(listening);
    server.thaw();

    let spans = spans.take();
    for name in ["session_storage", "redis_exchange"] {
        let span = Spans::one(&spans, name, "load");
        assert!(span.is("error.type", "timeout"), "{span:?}");
        assert!(span.is("otel.status_code", "ERROR"), "{span:?}");
        assert!(!span.fields.contains_key("db.response.status_code"), "{span:?}");
    }
}

#[tokio::test]
async fn who_listens_to_less_than_debug_gets_no_span() {
    let _turn = TURN.lock().await;
    let server = RedisServer::start().await.unwrap();
    let engine = engine(&server).await;
    let (spans, listening) = Spans::heard(LevelFilter::INFO);
    let _ = two_visits(&engine).await;
    drop(listening);
    assert_eq!(spans.take().len(), 0);
}
