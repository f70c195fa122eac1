//! [`Background`]: what goes on after its request has ended. Everything here ends by itself within
//! the storage's own deadlines; [`Background::idle`] waits for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::sync::Notify;

/// Counts tasks, and wakes whoever waits for the last one.
pub(super) struct Background {
    running: AtomicUsize,
    idle: Notify,
    /// Where the engine was built. A request may be served in a runtime that ends earlier: each of
    /// actix-web's workers has its own.
    home: Option<Handle>,
}

impl Background {
    /// Tasks that run where this is called, or else where each of them is begun.
    pub(super) fn here() -> Arc<Self> {
        let home = Handle::try_current().ok();
        Arc::new(Self { running: AtomicUsize::default(), idle: Notify::default(), home })
    }

    /// Runs a future in a task of its own. Outside of a runtime it is dropped: there is nobody who
    /// could run it.
    pub(super) fn spawn(self: &Arc<Self>, future: impl Future<Output = ()> + Send + 'static) {
        let Some(runtime) = self.home.clone().or_else(|| Handle::try_current().ok()) else {
            return;
        };
        let running = Running::new(self);
        runtime.spawn(async move {
            future.await;
            drop(running);
        });
    }

    /// Runs a future where it is awaited; if the caller is dropped before it is done, it goes on in
    /// a task of its own.
    pub(super) fn complete<T: Send + 'static>(
        self: &Arc<Self>,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Completing<T> {
        Completing { future: Some(Box::pin(future)), background: self.clone() }
    }

    /// How many tasks are running.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }

    /// Waits until nothing is running.
    pub(super) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.running() == 0 {
                return;
            }
            idle.await;
        }
    }
}

struct Running(Arc<Background>);

impl Running {
    fn new(background: &Arc<Background>) -> Self {
        background.running.fetch_add(1, Ordering::AcqRel);
        Self(background.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

/// A future that is always driven to its end.
pub(super) struct Completing<T: Send + 'static> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    background: Arc<Background>,
}

impl<T: Send + 'static> Future for Completing<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut future = self.future.take().expect("a future is not polled after it is ready");
        let answer = future.as_mut().poll(context);
        if answer.is_pending() {
            self.future = Some(future);
        }
        answer
    }
}

impl<T: Send + 'static> Drop for Completing<T> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            self.background.spawn(async move { drop(future.await) });
        }
    }
}
