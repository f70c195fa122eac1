//! [`pages`]: what the routes of the application under test do with a session, as far as no web
//! framework is needed for it. An adapter's test serves each page through the adapter's extractor.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cloakroom::{Destroyed, FlashLevel, Session, SessionError};

use super::{Ask, Gates, REMEMBERED_FOR};

/// What a page answers: a status and a text, or an error that the adapter answers as it does by
/// itself.
pub type Answered = Result<(u16, String), SessionError>;

/// What a route does with the visitor's session.
pub type Page = Arc<
    dyn Fn(Session, Ask, Gates) -> Pin<Box<dyn Future<Output = Answered> + Send>> + Send + Sync,
>;

/// What `/stream` does before it answers.
///
/// # Errors
/// As [`Session::insert`].
pub fn before_the_body(session: &Session, ask: &Ask) -> Result<(), SessionError> {
    if ask.v.is_empty() { Ok(()) } else { session.insert(&ask.k, &ask.v) }
}

/// The body of `/stream`, made while it is streamed.
pub async fn streamed(session: Session, ask: Ask, gates: Gates) -> String {
    ask.pass(&gates).await;
    let write = match session.insert("late", true) {
        Ok(()) => "taken".to_owned(),
        Err(error) => error.to_string(),
    };
    let read = session.get::<String>(&ask.k).ok().flatten().unwrap_or_default();
    format!("write: {write}; read: {read}")
}

/// The paths of all pages that ask for the session, with what they do.
pub fn pages() -> Vec<(&'static str, Page)> {
    vec![
        ("/visit", page(visit)),
        ("/count", page(count)),
        ("/count-if-possible", page(count_if_possible)),
        ("/empty-handed", page(empty_handed)),
        ("/set", page(set)),
        ("/pair", page(pair)),
        ("/get", page(get)),
        ("/names", page(names)),
        ("/generation", page(generation)),
        ("/login", page(login)),
        ("/remember", page(remember)),
        ("/whoami", page(whoami)),
        ("/rotate", page(rotate)),
        ("/logout", page(logout)),
        ("/logout-now", page(logout_now)),
        ("/logout-slow", page(logout_slow)),
        ("/logout-fail", page(logout_fail)),
        ("/logout-panic", page(logout_panic)),
        ("/login-fail", page(login_fail)),
        ("/fail", page(fail)),
        ("/panic", page(panics)),
        ("/flash", page(flash)),
        ("/flashes", page(flashes)),
        ("/big", page(big)),
    ]
}

/// What the pages that wait for their sign-out answer.
pub fn done_or_pending(outcome: Destroyed) -> &'static str {
    match outcome {
        Destroyed::Pending => "pending",
        Destroyed::Removed(_) | Destroyed::Absent(_) => "done",
    }
}

fn page<F, Fut>(handler: F) -> Page
where
    F: Fn(Session, Ask, Gates) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answered> + Send + 'static,
{
    Arc::new(move |session, ask, gates| Box::pin(handler(session, ask, gates)))
}

fn ok(text: impl Into<String>) -> Answered {
    Ok((200, text.into()))
}

async fn visit(session: Session, _: Ask, _: Gates) -> Answered {
    ok(session.get::<u32>("count")?.unwrap_or(0).to_string())
}

async fn count(session: Session, _: Ask, _: Gates) -> Answered {
    ok(session.update("count", |count: Option<u32>| count.unwrap_or(0) + 1)?.to_string())
}

async fn count_if_possible(session: Session, ask: Ask, gates: Gates) -> Answered {
    session.best_effort();
    count(session, ask, gates).await
}

async fn empty_handed(session: Session, _: Ask, _: Gates) -> Answered {
    session.insert("k", 1)?;
    session.remove("k")?;
    session.set_idle_timeout(Duration::from_secs(60))?;
    ok("empty")
}

async fn set(session: Session, ask: Ask, gates: Gates) -> Answered {
    ask.pass(&gates).await;
    session.insert(&ask.k, &ask.v)?;
    ok("set")
}

async fn pair(session: Session, ask: Ask, gates: Gates) -> Answered {
    session.insert("one", true)?;
    ask.pass(&gates).await;
    session.insert("two", true)?;
    ok("pair")
}

async fn get(session: Session, ask: Ask, _: Gates) -> Answered {
    ok(session.get::<String>(&ask.k)?.unwrap_or_default())
}

async fn names(session: Session, _: Ask, _: Gates) -> Answered {
    let mut names = session.field_names();
    names.sort();
    ok(names.join(","))
}

async fn generation(session: Session, _: Ask, _: Gates) -> Answered {
    ok(session.generation().to_string())
}

async fn login(session: Session, ask: Ask, gates: Gates) -> Answered {
    ask.pass(&gates).await;
    session.set_owner(&ask.r#as)?;
    ok(ask.r#as)
}

async fn remember(session: Session, ask: Ask, _: Gates) -> Answered {
    session.set_owner(&ask.r#as)?;
    session.remember_for(REMEMBERED_FOR)?;
    ok(ask.r#as)
}

async fn whoami(session: Session, _: Ask, _: Gates) -> Answered {
    ok(session.owner().unwrap_or_else(|| "nobody".to_owned()))
}

async fn rotate(session: Session, _: Ask, _: Gates) -> Answered {
    session.rotate()?;
    ok("rotated")
}

async fn logout(session: Session, ask: Ask, _: Gates) -> Answered {
    session.destroy()?;
    if let Some(farewell) = &ask.flash {
        session.flash(FlashLevel::Info, farewell)?;
    }
    ok("bye")
}

async fn logout_now(session: Session, _: Ask, _: Gates) -> Answered {
    ok(done_or_pending(session.destroy_now().await?))
}

async fn logout_slow(session: Session, ask: Ask, gates: Gates) -> Answered {
    session.destroy()?;
    ask.pass(&gates).await;
    ok("bye")
}

async fn logout_fail(session: Session, _: Ask, _: Gates) -> Answered {
    session.destroy()?;
    Ok((500, String::new()))
}

async fn logout_panic(session: Session, _: Ask, _: Gates) -> Answered {
    session.destroy()?;
    panic!("this handler is meant to panic after a logout")
}

async fn login_fail(session: Session, ask: Ask, _: Gates) -> Answered {
    session.set_owner(&ask.r#as)?;
    Ok((500, String::new()))
}

async fn fail(session: Session, ask: Ask, _: Gates) -> Answered {
    session.insert("half", true)?;
    Ok((ask.status, String::new()))
}

async fn panics(session: Session, _: Ask, _: Gates) -> Answered {
    session.insert("half", true)?;
    panic!("this handler is meant to panic after a write")
}

async fn flash(session: Session, ask: Ask, _: Gates) -> Answered {
    session.flash(FlashLevel::Info, &ask.text)?;
    ok("flashed")
}

async fn flashes(session: Session, _: Ask, _: Gates) -> Answered {
    let texts: Vec<_> =
        session.take_flashes()?.iter().map(|flash| flash.text().to_owned()).collect();
    ok(texts.join(","))
}

async fn big(session: Session, ask: Ask, _: Gates) -> Answered {
    session.insert("big", "x".repeat(ask.bytes))?;
    ok("secret")
}
