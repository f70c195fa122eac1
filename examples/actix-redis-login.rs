//! Signing in and out with sessions in Redis: a new ticket at every sign-in, an owner, "remember
//! me", and a page of its own for the moment in which Redis does not answer.
//!
//! ```text
//! cargo run -p cloakroom-examples --bin actix-redis-login -- redis://localhost:6379
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Form, Redirect};
use actix_web::{App, Either, HttpResponse, HttpServer};
use askama::Template;
use cloakroom::{Destroyed, Engine, Flash, FlashLevel, Policy};
use cloakroom_actix::{Session, SessionHandle, SessionMiddleware, SessionRejection};
use cloakroom_redis::RedisSessionStorage;
use serde::Deserialize;

const PENDING: &str = "You are signed out here, and everywhere as soon as Redis is back.";

const REMEMBERED_FOR: Duration = Duration::from_secs(14 * 24 * 60 * 60);

#[actix_web::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().or_else(|| std::env::var("REDIS_URL").ok());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".to_owned());

    // A wrong URL or a server that is down is an error here, with the reason and the remedy in its
    // text; it is never found out by the first visitor.
    let storage = RedisSessionStorage::builder()
        .url(url.unwrap_or_else(|| "redis://localhost:6379".to_owned()))
        .prefix("login-example:")
        .build()
        .await?;

    // Remove the policy as soon as the pages are served over HTTPS: without it the cookie is
    // `Secure` and has the `__Host-` prefix.
    let engine = Engine::builder(storage).policy(Policy::for_local_development()).build()?;

    // Each worker makes an application of its own; all of them share the engine.
    let sessions = SessionMiddleware::new(&engine);
    let app = move || {
        App::new()
            .route("/", web::get().to(home))
            .route("/sign-in", web::post().to(sign_in))
            .route("/sign-out", web::post().to(sign_out))
            .wrap(sessions.clone())
            // Outside of the sessions, because a commit fails after the handler has answered.
            .wrap(from_fn(error_page))
    };

    // It ends by itself when it is interrupted.
    let server = HttpServer::new(app).bind(address)?;
    server.addrs().iter().for_each(|address| println!("http://{address}"));
    server.run().await?;
    // A sign-out whose visitor has gone away may still be on its way to Redis.
    engine.drain(Duration::from_secs(5)).await;
    Ok(())
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    owner: Option<String>,
    flashes: Vec<Flash>,
}

async fn home(session: Session) -> Result<HttpResponse, SessionRejection> {
    let page = Home { owner: session.owner(), flashes: session.take_flashes()? };
    Ok(match page.render() {
        Ok(html) => HttpResponse::Ok().insert_header((CONTENT_TYPE, HTML)).body(html),
        Err(_) => HttpResponse::InternalServerError().finish(),
    })
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
    /// A browser sends a ticked box as a field and leaves out one that is not ticked.
    remember: Option<String>,
}

async fn sign_in(session: Session, form: Form<SignIn>) -> Result<Redirect, SessionRejection> {
    let name = form.name.trim();
    if name.is_empty() || !is_right(name, &form.password) {
        // Which of the two was wrong is nobody's business.
        session.flash(FlashLevel::Error, "Name or password is wrong.")?;
        return Ok(Redirect::to("/").see_other());
    }
    // From here on the session is this person's. The ticket changes with it, so that nobody who
    // knew the visitor's ticket before is signed in too.
    session.set_owner(name)?;
    if form.remember.is_some() {
        session.remember_for(REMEMBERED_FOR)?;
    }
    session.flash(FlashLevel::Success, format!("Welcome, {name}."))?;
    // After a POST a redirect: reloading the page must not send the form again.
    Ok(Redirect::to("/").see_other())
}

/// Takes the handle in the place of the session: that signs out while Redis cannot be reached, too.
async fn sign_out(
    SessionHandle(handle): SessionHandle,
) -> Result<Either<Redirect, HttpResponse>, SessionRejection> {
    if handle.sign_out().await? == Destroyed::Pending {
        return Ok(Either::Right(HttpResponse::Accepted().body(PENDING)));
    }
    // What is written after a sign-out belongs to a new, anonymous session.
    handle.load().await?.flash(FlashLevel::Info, "You are signed out.")?;
    Ok(Either::Left(Redirect::to("/").see_other()))
}

/// Your user table goes here, with a password hash such as Argon2id.
fn is_right(_name: &str, password: &str) -> bool {
    password == "open sesame"
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: &'static str,
    advice: &'static str,
}

/// Turns the answers of the session middleware into pages. Status and `Retry-After` stay as they are.
async fn error_page<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> actix_web::Result<ServiceResponse<EitherBody<B, BoxBody>>> {
    let mut response = next.call(request).await?;
    let error = response.response().error();
    let Some(rejection) = error.and_then(|error| error.as_error::<SessionRejection>()) else {
        return Ok(response.map_into_left_body());
    };
    // The reason is for the log; it holds no ticket and no value.
    eprintln!("{rejection}");
    let (title, advice) = match rejection.status() {
        StatusCode::SERVICE_UNAVAILABLE => {
            ("We will be right back", "You are still signed in. Please try again in a moment.")
        }
        StatusCode::CONFLICT => {
            ("That did not work", "Your session has changed. Please try again.")
        }
        _ => ("Something went wrong", "The error was recorded."),
    };
    let Ok(html) = (ErrorPage { title, advice }).render() else {
        return Ok(response.map_into_left_body());
    };
    response.headers_mut().insert(CONTENT_TYPE, HTML);
    Ok(response.map_body(|_, _| EitherBody::right(BoxBody::new(html))))
}

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
