//! [`SessionService`]: begins each request, lets the inner service answer it, and finishes it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use cloakroom::{Answer, Engine, Handle, RequestScope};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::facts::Facts;
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
    A: HttpBody<Data = Bytes> + Send + 'static,
    A::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = SessionFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let outer = request.extensions().get::<Handle>();
        // Within another layer of the same engine the request has its session already.
        let scope = (!outer.is_some_and(|outer| outer.is_open_at(&self.engine))).then(|| {
            let facts = Facts { headers: request.headers(), extensions: request.extensions() };
            self.engine.begin(&facts)
        });
        if let Some(scope) = &scope {
            request.extensions_mut().insert(scope.handle().clone());
        }
        let inner = self.inner.call(request);
        SessionFuture { inner, scope, finishing: None }
    }
}

pin_project! {
    /// A request under way. Dropping it ends the request without a commit; a sign-out that was asked
    /// for is carried out all the same.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct SessionFuture<F> {
        #[pin]
        inner: F,
        scope: Option<RequestScope>,
        // Only a request that has used its session needs more than its handler.
        finishing: Option<Pin<Box<dyn Future<Output = Response<Body>> + Send>>>,
    }
}

impl<F, A, E> Future for SessionFuture<F>
where
    F: Future<Output = Result<Response<A>, E>>,
    A: HttpBody<Data = Bytes> + Send + 'static,
    A::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.finishing.is_none() {
            // A body that is axum's own already is not boxed again.
            let response = ready!(this.inner.poll(context))?.map(Body::new);
            match this.scope.take() {
                Some(scope) if scope.was_used() => {
                    *this.finishing = Some(Box::pin(finish(scope, response)));
                }
                _ => return Poll::Ready(Ok(response)),
            }
        }
        match this.finishing {
            Some(finishing) => finishing.as_mut().poll(context).map(Ok),
            None => Poll::Pending,
        }
    }
}

impl<F> std::fmt::Debug for SessionFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionFuture").field("scope", &self.scope).finish_non_exhaustive()
    }
}

async fn finish(scope: RequestScope, mut response: Response<Body>) -> Response<Body> {
    let handle = scope.handle().clone();
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
        Err(error) => {
            let mut response = SessionRejection::from(error).into_response();
            if let Some(cookie) = handle.cookie_of_a_failure() {
                respond::add_cookie(response.headers_mut(), &cookie);
            }
            response
        }
    }
}
