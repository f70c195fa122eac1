//! The routes by hand, on actix-web.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::web::{Data, Query, ServiceConfig, get};
use actix_web::{HttpRequest, Responder, ResponseError};

use super::{Refused, Store};
use crate::{PLAIN, SetField};

/// The routes of the comparison; the store is to be the application's [`Data`].
pub fn routes<S: Store>(application: &mut ServiceConfig) {
    application
        .route("/plain", get().to(async || PLAIN))
        .route("/login", get().to(login::<S>))
        .route("/read", get().to(read::<S>))
        .route("/write", get().to(write::<S>))
        .route("/set", get().to(set::<S>))
        .route("/keys", get().to(keys::<S>))
        .route("/logout", get().to(logout::<S>))
        .route("/who", get().to(who::<S>));
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignedOut => "nobody is signed in",
            Self::Failed => "something is broken",
        })
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

async fn login<S: Store>(
    store: Data<S>,
    request: HttpRequest,
) -> Result<impl Responder + use<S>, Refused> {
    let (cookie, answer) = super::login(&**store, key(&request)).await?;
    Ok(answer.customize().append_header((SET_COOKIE, cookie)))
}

async fn read<S: Store>(store: Data<S>, request: HttpRequest) -> Result<String, Refused> {
    super::read(&**store, key(&request)).await
}

async fn write<S: Store>(store: Data<S>, request: HttpRequest) -> Result<String, Refused> {
    super::write(&**store, key(&request)).await
}

async fn set<S: Store>(
    store: Data<S>,
    query: Query<SetField>,
    request: HttpRequest,
) -> Result<&'static str, Refused> {
    super::set(&**store, query.into_inner(), key(&request)).await
}

async fn keys<S: Store>(store: Data<S>, request: HttpRequest) -> Result<String, Refused> {
    super::keys(&**store, key(&request)).await
}

async fn logout<S: Store>(
    store: Data<S>,
    request: HttpRequest,
) -> Result<impl Responder + use<S>, Refused> {
    let (cookie, answer) = super::logout(&**store, key(&request)).await?;
    Ok(answer.customize().append_header((SET_COOKIE, cookie)))
}

async fn who<S: Store>(store: Data<S>, request: HttpRequest) -> Result<String, Refused> {
    super::who(&**store, key(&request)).await
}

fn key(request: &HttpRequest) -> Option<String> {
    let headers = request.headers().get_all(COOKIE);
    super::key(headers.filter_map(|header| header.to_str().ok()))
}
