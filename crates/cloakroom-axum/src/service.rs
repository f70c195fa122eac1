//! [`SessionService`]: begins each request, lets the inner service answer it, and finishes it.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, request};
use axum::response::IntoResponse;
use cloakroom::{Answer, Engine, RequestFacts, RequestScope};
use tower_service::Service;

use crate::respond::{self, SessionRejection};

/// The service that a [`SessionLayer`](crate::SessionLayer) makes.
///
/// The inner service may answer with any body, so layers that change it (compression, tracing) can
/// stand on either side.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    engine: Engine,
    inner: S,
}

impl<S> SessionService<S> {
    pub(crate) fn new(engine: Engine, inner: S) -> Self {
        Self { engine, inner }
    }
}

impl<S, B, A> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Future: Send + 'static,
    A: HttpBody<Data = Bytes> + Send + 'static,
    A::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let scope = self.engine.begin(&Facts(&parts));
        parts.extensions.insert(scope.handle().clone());
        let answer = self.inner.call(Request::from_parts(parts, body));
        Box::pin(async move {
            let response = match answer.await {
                Ok(response) => response,
                Err(error) => return Err(error),
            };
            // A body that is axum's own already is not boxed again.
            Ok(finish(scope, response.map(Body::new)).await)
        })
    }
}

async fn finish(scope: RequestScope, mut response: Response<Body>) -> Response<Body> {
    if !scope.was_used() {
        return response;
    }
    match scope.finish(Answer::from_status(response.status().as_u16())).await {
        Ok(finished) => {
            if let Some(pending) = finished.replacement() {
                response = respond::sign_out_pending(pending);
            }
            if let Some(cookie) = finished.cookie() {
                respond::add_cookie(response.headers_mut(), cookie);
            }
            response
        }
        // The body was written for a request that succeeded; it must not be shown.
        Err(error) => SessionRejection::from(error).into_response(),
    }
}

/// A request's head, as the engine looks at it.
struct Facts<'a>(&'a request::Parts);

impl RequestFacts for Facts<'_> {
    fn headers(&self, name: &str, read: &mut dyn FnMut(&[u8])) {
        self.0.headers.get_all(name).iter().for_each(|value| read(value.as_bytes()));
    }

    fn peer(&self) -> Option<IpAddr> {
        self.0.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
    }
}
