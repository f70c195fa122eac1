//! [`Answers`]: everything that visitors are answered. A layer around the application notes it down:
//! tickets from `Set-Cookie`, and all the rest to be searched for them.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use cloakroom_axum::SessionRejection;
use http_body_util::BodyExt;

use crate::log::Text;

/// What tickets' cookies are called: the application's, and that of the page for operators.
const TICKETS: [&str; 2] = ["__Host-id=", "cloakroom-admin="];

/// All answers so far. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Answers {
    tickets: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

/// One answer without its tickets.
#[derive(Clone)]
struct Answer {
    is_error: bool,
    text: Text,
}

impl Answers {
    /// Every ticket that was handed out, each once.
    pub(crate) fn tickets(&self) -> Vec<String> {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tickets.sort();
        tickets.dedup();
        tickets
    }

    /// Heads and bodies of all answers.
    pub(crate) fn all(&self) -> Vec<u8> {
        self.texts(|_| true)
    }

    /// The same of those that are errors.
    pub(crate) fn errors(&self) -> Vec<u8> {
        self.texts(|answer| answer.is_error)
    }

    /// Notes down an answer that nobody was given.
    pub(crate) fn let_slip(&self, status: u16, text: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        self.begin(status, &HeaderMap::new()).append(text.as_bytes());
    }

    fn texts(&self, wanted: impl Fn(&Answer) -> bool) -> Vec<u8> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().filter(|answer| wanted(answer)).flat_map(|it| it.text.so_far()).collect()
    }

    fn begin(&self, status: StatusCode, headers: &HeaderMap) -> Text {
        let text = Text::default();
        for (name, value) in headers {
            text.append(format!("\n{name}: ").as_bytes());
            let value = value.as_bytes();
            let ticket = TICKETS.iter().find_map(|name| value.strip_prefix(name.as_bytes()));
            match ticket.filter(|_| name == SET_COOKIE) {
                Some(cookie) => text.append(self.without_ticket(cookie)),
                None => text.append(value),
            }
        }
        text.append(b"\n\n");
        let is_error = status.is_client_error() || status.is_server_error();
        let answer = Answer { is_error, text: text.clone() };
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        text
    }

    /// Keeps the ticket of a cookie, and answers what follows it.
    fn without_ticket<'a>(&self, cookie: &'a [u8]) -> &'a [u8] {
        let end = cookie.iter().position(|byte| *byte == b';').unwrap_or(cookie.len());
        let (ticket, rest) = cookie.split_at(end);
        if !ticket.is_empty() {
            let ticket = String::from_utf8(ticket.to_vec()).unwrap();
            self.tickets.lock().unwrap_or_else(PoisonError::into_inner).push(ticket);
        }
        rest
    }
}

/// The layer. An error is logged as an application would log it.
pub(crate) async fn note(State(answers): State<Answers>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(rejection) = response.extensions().get::<SessionRejection>() {
        tracing::error!(%rejection, debug = ?rejection, "no session");
    }
    let (parts, body) = response.into_parts();
    let text = answers.begin(parts.status, &parts.headers);
    let body = body.map_frame(move |frame| {
        if let Some(bytes) = frame.data_ref() {
            text.append(bytes);
        }
        frame
    });
    Response::from_parts(parts, Body::new(body))
}
