//! Pages for what went wrong: the session's refusals (503, 409, 500), a sign-out that is not complete
//! yet, and addresses that lead nowhere. They look at no session: the storage may be the very thing
//! that fails.

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::middleware::Next;
use axum::response::Response;
use cloakroom::{PendingSignOut, SessionError};
use cloakroom_axum::SessionRejection;

use super::pages::{self, Frame, Place};

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage {
    frame: Frame,
    status: u16,
    title: &'static str,
    text: &'static str,
}

/// Replaces the plain text of a session's refusal, or of a pending sign-out, by a page. The reason
/// travels in the answer's extensions; the visitor sees what to do, never the error itself.
pub(super) async fn explain(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let extensions = response.extensions();
    let (title, text) = match extensions.get::<SessionRejection>() {
        Some(rejection) => words(rejection),
        None if extensions.get::<PendingSignOut>().is_some() => PENDING,
        None => return response,
    };
    let mut page = refuse(response.status(), title, text);
    // A sign-out that is pending takes the cookie away, whatever its page looks like.
    for header in [RETRY_AFTER, SET_COOKIE] {
        if let Some(value) = response.headers().get(&header) {
            page.headers_mut().insert(header, value.clone());
        }
    }
    page
}

/// The page for a sign-out that is not complete yet.
pub(super) fn pending() -> Response {
    let (title, text) = PENDING;
    refuse(StatusCode::ACCEPTED, title, text)
}

/// The page for an address that leads nowhere.
pub(super) async fn not_found() -> Response {
    let text = "There is nothing at this address.";
    refuse(StatusCode::NOT_FOUND, "No such hook", text)
}

fn refuse(status: StatusCode, title: &'static str, text: &'static str) -> Response {
    let frame = Frame::bare(Place::Elsewhere);
    pages::answer(status, &RefusalPage { frame, status: status.as_u16(), title, text })
}

fn words(rejection: &SessionRejection) -> (&'static str, &'static str) {
    let SessionRejection::Session(error) = rejection else { return BROKEN };
    match error {
        SessionError::Gone => (
            "The write was refused",
            "This session has ended while the request was on its way: somebody signed out. What \
             the request wanted to write is gone with it, and its ticket opens nothing any more. \
             Nobody was signed in again.",
        ),
        SessionError::Superseded => (
            "The write was refused",
            "The session was given a new ticket while the request was on its way. What came with \
             the old ticket may not change it.",
        ),
        error if error.is_conflict() => (
            "Others were faster",
            "Many requests were changing this session at the same moment, and this one did not \
             get its turn. Nothing of it was written. Please try again.",
        ),
        error if error.is_transient() => (
            "The storage does not answer",
            "The demo cannot reach the place where sessions are kept, so it cannot say who you \
             are. Your ticket is untouched and stays valid. Please try again in a moment.",
        ),
        _ => BROKEN,
    }
}

const PENDING: (&str, &str) = (
    "Nearly signed out",
    "Your browser has given up its ticket, and this server refuses it from now on. The storage does \
     not answer at present; the session itself is removed as soon as it does.",
);

const BROKEN: (&str, &str) =
    ("Something went wrong", "The request failed, and nothing of it was written.");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::net::Ipv4Addr;

    use cloakroom::{Engine, Policy};
    use cloakroom_testkit::http::HttpClient;
    use cloakroom_testkit::{AilingStorage, Mood};
    use tokio::net::TcpListener;

    use super::super::app::{App, router};
    use super::*;
    use crate::metrics::Metrics;

    #[tokio::test]
    async fn a_pending_sign_out_is_a_page_that_takes_the_ticket_away() {
        let storage = AilingStorage::default();
        let policy = Policy::for_local_development();
        let engine = Engine::builder(storage.clone()).policy(policy).build().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let node = listener.local_addr().unwrap();
        let metrics = Metrics::start().map_err(|it| it.to_string()).unwrap();
        let app = router(App::new("a sickbed".to_owned(), engine, Default::default(), metrics));
        let server = tokio::spawn(async move { axum::serve(listener, app).await });

        let mut visitor = HttpClient::new(node).with_cookie_name("id");
        visitor.post("/sign-in", &[("name", "Ada")]).await;
        assert!(visitor.ticket().is_some());
        storage.writes(Mood::Down);
        let answer = visitor.post("/sign-out", &[]).await;
        assert_eq!(answer.status(), 202);
        assert!(answer.text().contains("Nearly signed out"), "{}", answer.text());
        assert_eq!(visitor.ticket(), None);
        server.abort();
    }

    #[test]
    fn each_refusal_has_words_of_its_own() {
        let titles = [
            SessionError::Gone,
            SessionError::Conflict { attempts: 3, limit: std::time::Duration::from_secs(1) },
            SessionError::Finished,
        ]
        .map(|error| words(&SessionRejection::Session(error)).0);
        assert_eq!(titles, ["The write was refused", "Others were faster", BROKEN.0]);
        assert_eq!(words(&SessionRejection::MissingLayer), BROKEN);
    }
}
