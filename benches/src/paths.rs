//! [`Paths`]: the ways through the library whose cost is watched, each one small piece of work that
//! can be repeated. `engine` measures their time, `budget` counts what they allocate and execute.
//!
//! The session is a realistic one: a number, a count and four texts of 200 bytes, about 1 KiB.

use std::hint::black_box;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::http::header::{COOKIE, USER_AGENT};
use axum::routing::get;
use cloakroom::{
    Absolute, Answer, Commit, CommitBuilder, Engine, Expect, MemorySessionStorage, Nonce, Record,
    Session, SessionData, SessionKey, SessionStorage, Stamp, Timestamp, Token,
};
use cloakroom_axum::SessionLayer;
use cloakroom_redis::NearCache;
use tower_service::Service;

use crate::browser::{AGENT, Browser, PEER};
use crate::wired::Wired;

/// One of the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// A request without a ticket whose handler ignores the session.
    IgnoredByStranger,
    /// A request with a ticket whose handler ignores the session.
    Ignored,
    /// A request that loads the session and reads one field.
    Read,
    /// A request that loads the session and updates one field.
    Write,
    /// A request that loads the session and signs in, which rotates the ticket.
    SignIn,
    /// Two requests: one makes a session with one field, the other one ends it.
    CreateAndEnd,
    /// A request that reads one field of a session that lies in Redis.
    ReadRedis,
    /// A request that updates one field of it.
    WriteRedis,
    /// A request that reads one field of a session that the near-cache has a copy of.
    ReadNearCache,
    /// A request that updates one field of it.
    WriteNearCache,
    /// A whole axum request without a session layer, from its head to its answer: what axum costs.
    AxumBare,
    /// The same with a session layer whose session nobody uses.
    AxumPlain,
    /// Reading a ticket from a cookie's value.
    TokenParse,
    /// Drawing a ticket.
    TokenGenerate,
    /// The two hashes of a ticket.
    TokenHash,
    /// The beginning of a request with our cookie behind 30 others.
    CookieAmongMany,
    /// Checking a record's bytes.
    RecordDecode,
    /// Writing a record's bytes for a key, with its stamp.
    RecordEncode,
    /// Reading a number from a field.
    FieldNumber,
    /// Reading a text of 200 bytes from the last field.
    FieldText,
}

impl Path {
    /// Whole requests on the memory storage.
    pub const REQUESTS: [Self; 8] = [
        Self::IgnoredByStranger,
        Self::Ignored,
        Self::Read,
        Self::Write,
        Self::SignIn,
        Self::CreateAndEnd,
        Self::AxumBare,
        Self::AxumPlain,
    ];

    /// Requests whose storage is a Redis server, which is started when one is asked for.
    pub const WIRED: [Self; 4] =
        [Self::ReadRedis, Self::WriteRedis, Self::ReadNearCache, Self::WriteNearCache];

    /// The parts that requests are made of.
    pub const PARTS: [Self; 8] = [
        Self::TokenParse,
        Self::TokenGenerate,
        Self::TokenHash,
        Self::CookieAmongMany,
        Self::RecordDecode,
        Self::RecordEncode,
        Self::FieldNumber,
        Self::FieldText,
    ];

    /// The name in tables and in the list of budgets.
    pub fn name(self) -> &'static str {
        match self {
            Self::IgnoredByStranger => "ignore, no ticket",
            Self::Ignored => "ignore",
            Self::Read => "read",
            Self::Write => "write",
            Self::SignIn => "sign in",
            Self::CreateAndEnd => "create, sign out",
            Self::ReadRedis => "read, Redis",
            Self::WriteRedis => "write, Redis",
            Self::ReadNearCache => "read, near-cache",
            Self::WriteNearCache => "write, near-cache",
            Self::AxumBare => "axum, no layer",
            Self::AxumPlain => "axum, ignore",
            Self::TokenParse => "token: parse",
            Self::TokenGenerate => "token: generate",
            Self::TokenHash => "token: hash",
            Self::CookieAmongMany => "cookie among 30",
            Self::RecordDecode => "record: decode",
            Self::RecordEncode => "record: encode",
            Self::FieldNumber => "field: number",
            Self::FieldText => "field: text",
        }
    }

    /// The way with this name.
    pub fn named(name: &str) -> Option<Self> {
        let requests = Self::REQUESTS.into_iter().chain(Self::WIRED);
        requests.chain(Self::PARTS).find(|path| path.name() == name)
    }
}

/// Everything that the ways need, made before anything is measured.
pub struct Paths {
    engine: Engine,
    visitor: Browser,
    stranger: Browser,
    collector: Browser,
    bare: Router,
    layered: Router,
    data: SessionData,
    cookie_value: Vec<u8>,
    key: SessionKey,
    record: Record,
    builder: CommitBuilder,
    stamp: Stamp,
    redis: Option<Wired>,
    near_cache: Option<Wired>,
}

impl Paths {
    /// Fills a memory storage with one session.
    pub async fn new() -> Self {
        let storage = MemorySessionStorage::new();
        let engine = Engine::builder(storage.clone()).build().expect("sound");
        let mut visitor = Browser::default();
        let scope = engine.begin(&visitor);
        fill(&scope.handle().load().await.expect("a new session"));
        let finished = scope.finish(Answer::Ordinary).await.expect("it is stored");
        visitor.keep(finished.cookie().expect("a new session has a ticket"));
        let ticket = visitor.ticket().to_owned();

        let mut data = SessionData::new();
        fields(|name, json| data.insert(name, json).expect("it is JSON"));
        storage.set("paths", &data, Duration::from_secs(1800)).await.expect("there is room");
        let data = storage.get("paths", None).await.expect("an answer").expect("just stored");

        let key = Token::parse(ticket.as_bytes()).expect("our ticket").key();
        let record = storage.load(&key).await.expect("an answer").expect("just stored");
        let mut builder = CommitBuilder::new(Expect::Absent)
            .absolute(Absolute::Start(Duration::from_secs(3600)))
            .nonce(Nonce::from_bytes([7; 16]));
        for name in record.field_names() {
            builder = builder.field(name, record.field(name).unwrap_or_default());
        }
        let hour = Duration::from_secs(3600);
        let bare = Router::new().route("/plain", get(async || "hello"));
        Self {
            layered: bare.clone().layer(SessionLayer::new(&engine)),
            bare,
            engine,
            collector: Browser::with_many_cookies(&ticket),
            visitor,
            stranger: Browser::default(),
            data,
            cookie_value: ticket.into_bytes(),
            key,
            record,
            builder,
            stamp: Stamp::first(Timestamp::from_millis(1), hour, hour),
            redis: None,
            near_cache: None,
        }
    }

    /// Goes one of the ways that many times.
    pub async fn go(&mut self, path: Path, times: u64) {
        match path {
            Path::IgnoredByStranger => repeat(times, || drop(self.engine.begin(&self.stranger))),
            Path::Ignored => repeat(times, || drop(self.engine.begin(&self.visitor))),
            Path::CookieAmongMany => repeat(times, || drop(self.engine.begin(&self.collector))),
            Path::Read => read(&self.engine, &self.visitor, times).await,
            Path::Write => write(&self.engine, &self.visitor, times).await,
            Path::CreateAndEnd => self.create_and_end(times).await,
            Path::ReadRedis => {
                let Wired { engine, visitor, .. } = wired(&mut self.redis, None).await;
                read(engine, visitor, times).await;
            }
            Path::WriteRedis => {
                let Wired { engine, visitor, .. } = wired(&mut self.redis, None).await;
                write(engine, visitor, times).await;
            }
            Path::ReadNearCache => {
                let lasting = Some(Wired::lasting());
                let Wired { engine, visitor, .. } = wired(&mut self.near_cache, lasting).await;
                read(engine, visitor, times).await;
            }
            Path::WriteNearCache => {
                let lasting = Some(Wired::lasting());
                let Wired { engine, visitor, .. } = wired(&mut self.near_cache, lasting).await;
                write(engine, visitor, times).await;
            }
            Path::SignIn => self.sign_in(times).await,
            Path::AxumBare => self.axum(&self.bare, times).await,
            Path::AxumPlain => self.axum(&self.layered, times).await,
            Path::TokenParse => repeat(times, || Token::parse(black_box(&self.cookie_value))),
            Path::TokenGenerate => repeat(times, || Token::generate().expect("random bytes")),
            Path::TokenHash => {
                let token = Token::parse(&self.cookie_value).expect("our ticket");
                repeat(times, || (black_box(&token).key(), black_box(&token).verifier_hash()));
            }
            Path::RecordDecode => repeat(times, || {
                let bytes = self.record.as_bytes().clone();
                Record::decode(black_box(&self.key), bytes, self.record.as_of()).expect("sound")
            }),
            Path::RecordEncode => repeat(times, || {
                let commit: Commit = self.builder.build().expect("sound");
                commit.stamped(black_box(&self.key), &self.stamp)
            }),
            Path::FieldNumber => repeat(times, || self.data.get::<u64>("count").expect("a number")),
            Path::FieldText => repeat(times, || self.data.get::<String>("text_3").expect("a text")),
        }
    }

    async fn axum(&self, app: &Router, times: u64) {
        for _ in 0..times {
            let request = Request::get("/plain")
                .header(COOKIE, self.visitor.cookies())
                .header(USER_AGENT, AGENT)
                .extension(ConnectInfo(PEER))
                .body(Body::empty())
                .expect("a sound request");
            // A server clones the application for each request, too.
            black_box(app.clone().call(request).await.expect("an answer"));
        }
    }

    async fn create_and_end(&self, times: u64) {
        let mut visitor = Browser::default();
        for _ in 0..times {
            let scope = self.engine.begin(&self.stranger);
            let session = scope.handle().load().await.expect("a new session");
            session.insert("count", 1).expect("a number");
            let finished = scope.finish(Answer::Ordinary).await.expect("it is stored");
            visitor.keep(finished.cookie().expect("a new session has a ticket"));
            let scope = self.engine.begin(&visitor);
            let session = scope.handle().load().await.expect("the session is there");
            session.destroy().expect("nothing hinders it");
            let _ = scope.finish(Answer::Ordinary).await.expect("nothing fails");
        }
    }

    async fn sign_in(&mut self, times: u64) {
        for _ in 0..times {
            let scope = self.engine.begin(&self.visitor);
            let session = scope.handle().load().await.expect("the session is there");
            session.set_owner("ada").expect("a sound name");
            let finished = scope.finish(Answer::Ordinary).await.expect("nothing fails");
            self.visitor.keep(finished.cookie().expect("signing in rotates"));
        }
    }
}

/// Starts the server where this is the first time.
async fn wired(wired: &mut Option<Wired>, near_cache: Option<NearCache>) -> &Wired {
    let started = match wired.take() {
        Some(started) => started,
        None => Wired::start(near_cache, fill).await,
    };
    wired.insert(started)
}

async fn read(engine: &Engine, visitor: &Browser, times: u64) {
    for _ in 0..times {
        let scope = engine.begin(visitor);
        let session = scope.handle().load().await.expect("the session is there");
        black_box(session.get::<u64>("count").expect("a number"));
        let _ = scope.finish(Answer::Ordinary).await.expect("nothing fails");
    }
}

async fn write(engine: &Engine, visitor: &Browser, times: u64) {
    for _ in 0..times {
        let scope = engine.begin(visitor);
        let session = scope.handle().load().await.expect("the session is there");
        let more = |count: Option<u64>| count.unwrap_or_default() + 1;
        black_box(session.update("count", more).expect("a number"));
        let _ = scope.finish(Answer::Ordinary).await.expect("nothing fails");
    }
}

fn repeat<T>(times: u64, mut work: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(work());
    }
}

fn fill(session: &Session) {
    session.set_owner("ada").expect("a sound name");
    fields(|name, json| session.insert(name, json).expect("it is JSON"));
}

fn fields(mut insert: impl FnMut(&str, serde_json::Value)) {
    insert("uid", 4711.into());
    insert("count", 1000.into());
    for number in 0..4 {
        insert(&format!("text_{number}"), "0123456789".repeat(20).into());
    }
}
