//! The middleware before every page but the sign-in: lets operators in, and changes only from our own
//! pages. No handler behind it can forget either.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use cloakroom_axum::client_address;
use serde::Deserialize;

use crate::action::Action;
use crate::app::App;
use crate::change;
use crate::door::{Admitted, Closed, Transport, Way};
use crate::guard::{Operator, Refusal};
use crate::mount::Mount;
use crate::pages::answer::{self, Audience};
use crate::shown::on_page;

/// What a change may say. An owner's name is the longest of it.
pub(crate) const MOST_BYTES: usize = 16 * 1024;

/// Carries a change's token where the body is JSON.
const TOKEN: HeaderName = HeaderName::from_static("x-cloakroom-token");

/// Refuses what names another host or comes from one while the page speaks plain HTTP: it is for this
/// machine then. Where the application does not tell peers, their word for the host is all there is.
///
/// Also tells where the page is, if the application has named that.
pub(crate) async fn only_here(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let is_here = change::host(&parts).is_some_and(change::is_loopback)
        && peer.is_none_or(|peer| peer.0.ip().to_canonical().is_loopback());
    if let Some(mount) = &app.mount {
        parts.extensions.insert(mount.clone());
    }
    if app.transport == Transport::LoopbackHttp && !is_here {
        let mount = Mount::of(&mut parts).await;
        return answer::refuse(&parts, &mount, answer::NOT_HERE);
    }
    next.run(Request::from_parts(parts, body)).await
}

/// Lets operators in.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let mount = Mount::of(&mut parts).await;
    let address = client_address(&app.engine, &parts);
    let admitted = match app.door.admit(&parts, address).await {
        Ok(admitted) => admitted,
        Err(closed) => {
            audit_closed(&app, &parts, address, &closed);
            return answer::closed(&parts, &mount, closed);
        }
    };
    let body = if !change::is_safe(&parts.method) {
        match checked_body(&app, &admitted, &parts, body).await {
            Ok(bytes) => Body::from(bytes),
            Err(reason) => {
                let operator = &admitted.operator;
                app.trail.refuse(operator, address, asked(&parts), reason.in_trail());
                return answer::refuse(&parts, &mount, reason);
            }
        }
    } else if Audience::of(&parts) == Audience::Program && change::is_foreign(&parts.headers) {
        let reason = answer::FOREIGN;
        app.trail.refuse(&admitted.operator, address, asked(&parts), reason.in_trail());
        return answer::refuse(&parts, &mount, reason);
    } else {
        body
    };
    parts.extensions.insert(admitted);
    next.run(Request::from_parts(parts, body)).await
}

/// The body of a change that one of our own pages has asked for, with the token of this sign-in. A
/// password in a header needs neither: no other site can make a browser send it.
async fn checked_body(
    app: &App,
    admitted: &Admitted,
    parts: &Parts,
    body: Body,
) -> Result<Bytes, answer::Reason> {
    let needs_proof = admitted.way != Way::Bearer;
    if needs_proof && !change::is_own(parts, &app.origins) {
        return Err(answer::FOREIGN);
    }
    let bytes = to_bytes(body, MOST_BYTES).await.map_err(|_| answer::TOO_LARGE)?;
    if needs_proof {
        let token = token(parts, &bytes).unwrap_or_default();
        if !app.seal.fits(&admitted.binding, &token) {
            return Err(answer::OUTDATED);
        }
    }
    Ok(bytes)
}

fn token(parts: &Parts, body: &Bytes) -> Option<String> {
    #[derive(Deserialize)]
    struct Form {
        token: String,
    }

    if let Some(token) = parts.headers.get(TOKEN) {
        return token.to_str().ok().map(str::to_owned);
    }
    let kind = parts.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    // The query of an address is written as the body of a form is.
    let address = [b"/?".as_slice(), body].concat();
    let address = axum::http::Uri::try_from(address).ok()?;
    let form = axum::extract::Query::<Form>::try_from_uri(&address).ok()?;
    Some(form.0.token)
}

fn audit_closed(app: &App, request: &Parts, address: Option<IpAddr>, closed: &Closed) {
    let (action, reason) = match closed {
        Closed::Wrong => (Action::SignIn, "wrong password"),
        Closed::Slow(_) => (Action::SignIn, "too many wrong passwords"),
        Closed::Refused(Refusal::Forbidden) => (asked(request), "signed in, but no operator"),
        Closed::SignIn | Closed::Refused(_) => return,
    };
    app.trail.refuse(&Operator::named(""), address, action, reason);
}

/// What a request was for, as far as an entry has room for it.
fn asked(request: &Parts) -> Action {
    Action::Request { path: on_page(request.uri.path()) }
}
