//! Signing in and out with sessions in Redis: a new ticket at every sign-in, an owner, "remember
//! me", and a page of its own for the moment in which Redis does not answer.
//!
//! ```text
//! cargo run -p cloakroom-examples --bin axum-redis-login -- redis://localhost:6379
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::Form;
use axum::http::{StatusCode, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use cloakroom::{Destroyed, Engine, Flash, FlashLevel, Policy};
use cloakroom_axum::{Session, SessionHandle, SessionLayer, SessionRejection};
use cloakroom_redis::RedisSessionStorage;
use serde::Deserialize;
use tokio::net::TcpListener;

const PENDING: &str = "You are signed out here, and everywhere as soon as Redis is back.";

const REMEMBERED_FOR: Duration = Duration::from_secs(14 * 24 * 60 * 60);

#[tokio::main]
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

    let app = Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .layer(SessionLayer::new(&engine))
        // Outside of the session layer, because a commit fails after the handler has answered.
        .layer(map_response(error_page));

    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    // With the connect info a stolen ticket is of no use from another network.
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(interrupted())
        .await?;
    // A sign-out whose visitor has gone away may still be on its way to Redis.
    engine.drain(Duration::from_secs(5)).await;
    Ok(())
}

async fn interrupted() {
    // Where the signal cannot be listened for, the process ends as any other.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    owner: Option<String>,
    flashes: Vec<Flash>,
}

async fn home(session: Session) -> Result<Response, SessionRejection> {
    let page = Home { owner: session.owner(), flashes: session.take_flashes()? };
    Ok(render(&page))
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
        return Ok(Redirect::to("/"));
    }
    // From here on the session is this person's. The ticket changes with it, so that nobody who
    // knew the visitor's ticket before is signed in too.
    session.set_owner(name)?;
    if form.remember.is_some() {
        session.remember_for(REMEMBERED_FOR)?;
    }
    session.flash(FlashLevel::Success, format!("Welcome, {name}."))?;
    // After a POST a redirect: reloading the page must not send the form again.
    Ok(Redirect::to("/"))
}

/// Takes the handle in the place of the session: that signs out while Redis cannot be reached, too.
async fn sign_out(SessionHandle(handle): SessionHandle) -> Result<Response, SessionRejection> {
    if handle.sign_out().await? == Destroyed::Pending {
        return Ok((StatusCode::ACCEPTED, PENDING).into_response());
    }
    // What is written after a sign-out belongs to a new, anonymous session.
    handle.load().await?.flash(FlashLevel::Info, "You are signed out.")?;
    Ok(Redirect::to("/").into_response())
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

/// Turns the answers of the session layer into pages. Status and `Retry-After` stay as they are.
async fn error_page(mut response: Response) -> Response {
    let Some(rejection) = response.extensions().get::<SessionRejection>() else { return response };
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
    let page = render(&ErrorPage { title, advice });
    // It was that of the plain text that is replaced here.
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HTML);
    *response.body_mut() = page.into_body();
    response
}

const HTML: header::HeaderValue = header::HeaderValue::from_static("text/html; charset=utf-8");

fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
