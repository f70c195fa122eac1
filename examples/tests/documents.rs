//! The Rust code of README and docs, so that the compiler reads it as well: a block of a page stands
//! here, or in an example, line for line.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, unused)]

use std::path::{Path, PathBuf};

/// The pages' code, in their order. What a page leaves out for its reader stands around it.
#[rustfmt::skip]
mod pages {
    use std::collections::HashMap;
    use std::error::Error;
    use std::ops::ControlFlow;

    use axum::Router;
    use axum::http::request::Parts;
    use cloakroom::{Engine, Field, MemorySessionStorage, Policy, SessionStorage};
    use cloakroom_admin::{AdminObserver, AdminPage, AuditEntry, Operator, Operators, Refusal};
    use cloakroom_axum::{Session, SessionRejection};
    use cloakroom_import::{LibraryCookie, Seal};
    use cloakroom_redis::{ForeignCursor, RedisConfig, RedisSessionStorage};

    type Outcome = Result<(), Box<dyn Error>>;

    async fn in_production(policy: Policy) -> Outcome {
        let storage = cloakroom_redis::RedisSessionStorage::builder().url("redis://localhost:6379").build().await?;
        let engine = Engine::builder(storage).policy(policy).build()?;
        Ok(())
    }

    async fn a_field(session: Session) -> Result<(), SessionRejection> {
        const CART: Field<Vec<String>> = Field::new("cart");

        let article = "umbrella".to_owned();
        session.update(CART, move |cart| {
            let mut cart = cart.unwrap_or_default();
            cart.push(article.clone());
            cart
        })?;
        Ok(())
    }

    mod with_actix {
        async fn visits(session: Session) -> Result<String, SessionRejection> {
            Ok(String::new())
        }

        use std::error::Error;

        use actix_web::{App, HttpServer, web};
        use cloakroom::{Engine, MemorySessionStorage, Policy};
        use cloakroom_actix::{Session, SessionMiddleware, SessionRejection};

        #[actix_web::main]
        async fn main() -> Result<(), Box<dyn Error>> {
            // Remove the policy as soon as the page is served over HTTPS: then the cookie is `Secure`.
            let policy = Policy::for_local_development();
            // One engine for all workers, so it is built outside of the closure that each of them calls.
            let engine = Engine::builder(MemorySessionStorage::new()).policy(policy).build()?;
            let sessions = SessionMiddleware::new(&engine);
            let app = move || App::new().wrap(sessions.clone()).route("/", web::get().to(visits));

            let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
            let server = HttpServer::new(app).bind(address)?;
            server.addrs().iter().for_each(|address| println!("http://{address}"));
            Ok(server.run().await?)
        }
    }

    mod devices {
        use std::time::Duration;

        use cloakroom::{PublicId, Revoked, SessionError};
        use cloakroom_axum::Session;

        async fn devices(session: &Session) -> Result<String, SessionError> {
            let mut page = String::new();
            for device in session.devices().await? {
                let here = if device.is_current() { "this one" } else { "" };
                // Address and user agent come from the visitor: escape them in HTML.
                let (agent, seen) = (device.user_agent().unwrap_or("unknown"), device.last_seen());
                page += &format!("{} {agent}, last seen {seen} {here}\n", device.id());
            }
            Ok(page)
        }

        async fn end_device(session: &Session, id: PublicId) -> Result<(), SessionError> {
            // Only a sign-in of the last five minutes may do this; otherwise 403.
            session.require_fresh_auth(Duration::from_secs(5 * 60)).await?;
            let _ = session.end_device(id).await?; // nobody else's session, whatever the id
            Ok(())
        }

        async fn sign_out_everywhere_else(session: &Session) -> Result<Revoked, SessionError> {
            session.require_fresh_auth(Duration::from_secs(5 * 60)).await?;
            // `ended` are gone; `pending` are refused here, and gone when the storage's server answers.
            // `unreadable`, which another release has written, may live on.
            session.end_other_devices().await
        }
    }

    mod outages {
        use cloakroom::Destroyed;
        use cloakroom_axum::{PublicSession, SessionHandle, SessionRejection, SessionState};

        async fn front_page(PublicSession(state): PublicSession) -> &'static str {
            match state {
                SessionState::Found(session) if session.owner().is_some() => "Welcome back.",
                SessionState::Unavailable(_) => "Welcome. Accounts are not available just now.",
                _ => "Welcome.",
            }
        }

        // `SessionHandle` instead of `Session`: this also works while the session cannot be loaded.
        async fn sign_out(SessionHandle(handle): SessionHandle) -> Result<&'static str, SessionRejection> {
            Ok(match handle.sign_out().await? {
                Destroyed::Removed(_) | Destroyed::Absent(_) => "You are signed out.",
                Destroyed::Pending => "You are signed out here, and everywhere as soon as our storage is back.",
            })
        }
    }

    async fn health(app: Router, engine: Engine) -> Outcome {
        use cloakroom_axum::{HealthDetail, health_routes, readiness};

        // `/livez`, and `/readyz` with {"status":"healthy"}, "degraded" or "unavailable":
        let app = app.merge(health_routes(&engine));
        // Names servers and their last errors, so only on a listener that nobody but operators reaches:
        let inside: Router = Router::new().route("/health", readiness(&engine, HealthDetail::Everything));
        Ok(())
    }

    async fn mounted(app: Router, storage: MemorySessionStorage) -> Outcome {
        let observer = AdminObserver::new();
        let engine = Engine::builder(storage).observer(observer.clone()).build()?;

        let operators = Operators::new("ada", &std::env::var("ADMIN_PASSWORD")?)?;
        let page = AdminPage::for_operators(engine.clone(), operators).observer(observer).router()?;
        let app = app.nest("/admin", page);
        Ok(())
    }

    #[derive(Clone)]
    struct User {
        name: String,
        is_operator: bool,
    }

    async fn guarded(engine: Engine) -> Outcome {
        let guard = |request: &Parts| match request.extensions.get::<User>() {
            Some(user) if user.is_operator => Ok(Operator::named(user.name.clone())),
            Some(_) => Err(Refusal::Forbidden),
            None => Err(Refusal::SignIn { at: "/sign-in".to_owned() }),
        };
        let page = AdminPage::behind(engine, guard).router()?;
        Ok(())
    }

    async fn configured(text: String) -> Outcome {
        let config: RedisConfig = toml::from_str(&text)?;
        let storage = RedisSessionStorage::builder().server(config).build().await?;
        Ok(())
    }

    async fn near_cache() -> Outcome {
        use cloakroom_redis::{NearCache, RedisSessionStorage};

        let storage = RedisSessionStorage::builder().near_cache(NearCache::default()).build().await?;
        Ok(())
    }

    async fn measured(storage: MemorySessionStorage) -> Outcome {
        use std::time::Duration;

        use cloakroom::Engine;
        use cloakroom_metrics::{Kind, METRICS, MetricsObserver};
        use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

        // First the recorder: an observer speaks to the one that is there when it is made.
        let mut exporter = PrometheusBuilder::new().with_http_listener(([127, 0, 0, 1], 9464));
        for metric in METRICS.iter().filter(|metric| metric.kind == Kind::Histogram) {
            exporter = exporter.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), metric.buckets)?;
        }
        exporter.install()?;

        let observer = MetricsObserver::new();
        let engine = Engine::builder(storage).observer(observer.clone()).build()?;
        // Events count by themselves. Gauges are refreshed for as long as this value lives:
        let _refreshed = observer.publish_every(&engine, Duration::from_secs(10));
        Ok(())
    }

    async fn moving(storage: MemorySessionStorage, key: [u8; 64]) -> Outcome {
        use cloakroom_import::{LibraryCookie, Seal};

        let cookie = LibraryCookie::tower_sessions(Seal::signed(&key)?).named("sid");
        let engine = Engine::builder(storage).old_cookie(cookie).build()?;
        Ok(())
    }

    async fn from_tower_sessions(storage: MemorySessionStorage, key: [u8; 64]) -> Outcome {
        let cookie = LibraryCookie::tower_sessions(None);                   // unless told otherwise
        let cookie = LibraryCookie::tower_sessions(Seal::signed(&key)?);    // .with_signed(key)
        let cookie = LibraryCookie::tower_sessions(Seal::private(&key)?);   // .with_private(key)
        let engine = Engine::builder(storage).old_cookie(cookie).build()?;
        Ok(())
    }

    async fn whom_axum_login_would_refuse(storage: MemorySessionStorage, hashes: HashMap<i64, Vec<u8>>) -> Outcome {
        use cloakroom_import::{Import, Library};

        let source = RedisConfig::from_url("redis://localhost:6379");
        // `hashes`: what `session_auth_hash` answers of each user now, read from the database before.
        let import = Import::connect(Library::TowerSessions, source, None, storage).await?.owner(move |session| {
            let login = session.fields.get("axum-login.data")?;
            let user = login.get("user_id")?.as_i64()?;
            let stored = login.get("auth_hash")?.as_array()?.iter().map(|byte| byte.as_u64());
            let present = hashes.get(&user)?.iter().map(|byte| Some(u64::from(*byte)));
            stored.eq(present).then(|| user.to_string())
        });
        let report = import.run(ForeignCursor::start(), |_| ControlFlow::Continue(())).await?;
        Ok(())
    }

    async fn from_actix_session(storage: MemorySessionStorage, key: &[u8; 64]) -> Outcome {
        let cookie = LibraryCookie::actix_session(Seal::private(key)?);     // unless told otherwise
        let cookie = LibraryCookie::actix_session(Seal::signed(key)?);      // CookieContentSecurity::Signed
        let engine = Engine::builder(storage).old_cookie(cookie).build()?;
        Ok(())
    }

    async fn from_connect_redis(storage: MemorySessionStorage) -> Outcome {
        let cookie = LibraryCookie::express_session(["the new secret", "an older one"])?;
        let engine = Engine::builder(storage).old_cookie(cookie).build()?;
        Ok(())
    }

    async fn from_spring_session(storage: MemorySessionStorage) -> Outcome {
        let cookie = LibraryCookie::spring_session();
        let engine = Engine::builder(storage).old_cookie(cookie).build()?;
        Ok(())
    }
}

#[test]
fn every_piece_of_rust_in_the_documents_is_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = vec![lines(include_str!("documents.rs"))];
    for file in files(&root.join("examples"), "rs") {
        sources.push(lines(&std::fs::read_to_string(file).unwrap()));
    }
    let mut pages = vec![root.join("README.md")];
    pages.extend(files(&root.join("docs"), "md"));
    pages.extend(files(&root.join("docs/moving"), "md"));
    let mut pieces = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for piece in text.split("```rust\n").skip(1) {
            let piece = lines(piece.split("```").next().unwrap());
            let is_there = sources
                .iter()
                .any(|source| source.windows(piece.len()).any(|part| part == piece.as_slice()));
            assert!(is_there, "{}: not compiled anywhere:\n{}", page.display(), piece.join("\n"));
            pieces += 1;
        }
    }
    assert!(pieces >= 17, "{pieces}");
}

/// What is written in the lines, wherever they begin.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|it| it == extension)).collect()
}
