//! [`SessionService`]: begins each request, lets the inner service answer it, and finishes it.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, forward_ready};
use actix_web::{Error, HttpMessage};
use cloakroom::{Answer, Engine, Handle, RequestFacts, RequestScope};
use pin_project_lite::pin_project;

use crate::respond::{self, SessionRejection};

/// The service that a [`SessionMiddleware`](crate::SessionMiddleware) makes.
///
/// The inner service may answer with any body, so middlewares that change it (compression, logging)
/// can stand on either side.
#[derive(Debug)]
pub struct SessionService<S> {
    engine: Engine,
    inner: S,
}

impl<S> SessionService<S> {
    pub(crate) fn new(engine: Engine, inner: S) -> Self {
        Self { engine, inner }
    }
}

impl<S, B> Service<ServiceRequest> for SessionService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = SessionFuture<S::Future, B>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let is_ours = |outer: &Handle| outer.is_open_at(&self.engine);
        // Within another middleware of the same engine the request has its session already.
        let has_session = request.extensions().get().is_some_and(is_ours);
        let scope = (!has_session).then(|| self.engine.begin(&Facts(&request)));
        if let Some(scope) = &scope {
            request.extensions_mut().insert(scope.handle().clone());
        }
        let inner = self.inner.call(request);
        SessionFuture { inner, scope, finishing: None }
    }
}

type Outcome<B> = Result<ServiceResponse<B>, Error>;

pin_project! {
    /// A request under way. Dropping it ends the request without a commit; a sign-out that was asked
    /// for is carried out all the same.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct SessionFuture<F, B> {
        #[pin]
        inner: F,
        scope: Option<RequestScope>,
        // Only a request that has used its session needs more than its handler.
        finishing: Option<Pin<Box<dyn Future<Output = Outcome<EitherBody<B>>>>>>,
    }
}

impl<F, B> Future for SessionFuture<F, B>
where
    F: Future<Output = Outcome<B>>,
    B: MessageBody + 'static,
{
    type Output = Outcome<EitherBody<B>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.finishing.is_none() {
            let outcome = ready!(this.inner.poll(context));
            match this.scope.take() {
                Some(scope) if scope.was_used() => {
                    *this.finishing = Some(Box::pin(finish(scope, outcome)));
                }
                _ => return Poll::Ready(outcome.map(ServiceResponse::map_into_left_body)),
            }
        }
        match this.finishing {
            Some(finishing) => finishing.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

impl<F, B> std::fmt::Debug for SessionFuture<F, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionFuture").field("scope", &self.scope).finish_non_exhaustive()
    }
}

async fn finish<B: MessageBody>(
    scope: RequestScope,
    outcome: Outcome<B>,
) -> Outcome<EitherBody<B>> {
    let status = match &outcome {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let handle = scope.handle().clone();
    let finished = match scope.finish(Answer::from_status(status.as_u16())).await {
        Ok(finished) => finished,
        // The body was written for a request that succeeded; it must not be shown.
        Err(error) => {
            let rejection = SessionRejection::from(error);
            let cookie = handle.cookie_of_a_failure();
            // Nor must an error's answer, which may be a redirect to the next page.
            return match outcome {
                Ok(response) => {
                    let mut response = response.error_response(rejection);
                    if let Some(cookie) = cookie {
                        respond::add_cookie(response.headers_mut(), &cookie);
                    }
                    Ok(response.map_into_right_body())
                }
                Err(_) => Err(respond::carrying(rejection.into(), None, cookie.as_ref())),
            };
        }
    };
    let mut response = match (outcome, finished.replacement()) {
        (Ok(response), None) => response.map_into_left_body(),
        (Ok(response), Some(pending)) => {
            response.into_response(respond::sign_out_pending(pending)).map_into_right_body()
        }
        (Err(error), pending) => {
            return Err(respond::carrying(error, pending, finished.cookie()));
        }
    };
    if let Some(cookie) = finished.cookie() {
        respond::add_cookie(response.headers_mut(), cookie);
    }
    Ok(response)
}

/// A request's head, as the engine looks at it.
struct Facts<'a>(&'a ServiceRequest);

impl RequestFacts for Facts<'_> {
    fn headers(&self, name: &str, read: &mut dyn FnMut(&[u8])) {
        self.0.headers().get_all(name).for_each(|value| read(value.as_bytes()));
    }

    fn peer(&self) -> Option<IpAddr> {
        self.0.peer_addr().map(|peer| peer.ip())
    }
}
