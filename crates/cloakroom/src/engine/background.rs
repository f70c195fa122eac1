//! [`Background`]: what goes on after its request has ended, or would if it ended now. Everything here ends by itself within
//! the storage's own deadlines, but for what makes pauses: that ends soon once somebody waits for it
//! ([`Background::idle`]).
//!
//! No end of a runtime but that in which the engine was built may cut it off, and that one only for
//! its own requests. So what is begun elsewhere belongs to the engine's own runtime from its first
//! step: a future cannot be moved later, because its timers stay with the runtime that made them.

mod own_runtime;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::sync::{Notify, watch};

use own_runtime::OwnRuntime;

/// Counts tasks, and wakes whoever waits for the last one.
pub(super) struct Background {
    running: AtomicUsize,
    /// How many futures are driven by whoever awaits them.
    awaited: AtomicUsize,
    idle: Notify,
    /// How many wait for the last task.
    waiting: watch::Sender<usize>,
    /// The runtime in which the engine was built. A request may be served in another one: each of
    /// actix-web's workers has its own.
    home: Option<Id>,
    /// Started when something is begun away from home.
    own: OnceLock<OwnRuntime>,
}

/// To which runtime a future belongs.
enum Place {
    /// That in which it is begun: the engine's home, or else the only one there is.
    Here(Handle),
    /// The engine's own.
    Own(Handle),
}

impl Background {
    /// Tasks of an engine that is at home where this is called.
    pub(super) fn here() -> Arc<Self> {
        let home = Handle::try_current().ok().map(|here| here.id());
        let (running, awaited) = (AtomicUsize::default(), AtomicUsize::default());
        let (idle, waiting) = (Notify::default(), watch::Sender::new(0));
        Arc::new(Self { running, awaited, idle, waiting, home, own: OnceLock::new() })
    }

    /// Runs a future in a task of its own.
    pub(super) fn spawn(self: &Arc<Self>, future: impl Future<Output = ()> + Send + 'static) {
        self.spawn_at(self.place().as_ref(), future);
    }

    /// Runs a future where it is awaited; if the caller is dropped before it is done, it goes on in
    /// a task of its own.
    pub(super) fn complete<T: Send + 'static>(
        self: &Arc<Self>,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Completing<T> {
        // Boxed before anything else is done, so that it is moved only once.
        let future: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(future);
        self.awaited.fetch_add(1, Ordering::SeqCst);
        Completing { future: Some(future), place: self.place(), background: self.clone() }
    }

    /// Where something belongs that is begun now; `None` only outside of every runtime, if no thread
    /// can be had either.
    fn place(&self) -> Option<Place> {
        let here = Handle::try_current().ok();
        match here {
            Some(here) if self.home == Some(here.id()) => Some(Place::Here(here)),
            here => match self.own_runtime() {
                Some(own) => Some(Place::Own(own.handle().clone())),
                None => here.map(Place::Here),
            },
        }
    }

    /// A system that has no thread to give now may have one later.
    fn own_runtime(&self) -> Option<&OwnRuntime> {
        if self.own.get().is_none() {
            // Whoever comes second ends the one that it has started.
            let _ = self.own.set(OwnRuntime::start()?);
        }
        self.own.get()
    }

    fn spawn_at(
        self: &Arc<Self>,
        place: Option<&Place>,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let Some(Place::Here(runtime) | Place::Own(runtime)) = place else { return };
        let running = Running::new(self);
        runtime.spawn(async move {
            future.await;
            drop(running);
        });
    }

    /// How many tasks are running.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    fn is_idle(&self) -> bool {
        // In this order: what is not awaited any more runs from before that on.
        self.awaited.load(Ordering::SeqCst) == 0 && self.running() == 0
    }

    /// Tells whoever waits for the last one that it was that.
    fn one_is_over(&self) {
        if self.is_idle() {
            self.idle.notify_waiters();
        }
    }

    /// A task's pause between two looks at something. `false` where somebody waits for the last task,
    /// so that there is no time for pauses.
    pub(super) async fn pause(&self, length: Duration) -> bool {
        let mut waiting = self.waiting.subscribe();
        tokio::time::timeout(length, waiting.wait_for(|waiting| *waiting > 0)).await.is_err()
    }

    /// Waits until nothing is running. Meanwhile no task makes pauses.
    pub(super) async fn idle(&self) {
        let _waiting = Waiting::new(&self.waiting);
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.is_idle() {
                return;
            }
            idle.await;
        }
    }
}

struct Running(Arc<Background>);

impl Running {
    fn new(background: &Arc<Background>) -> Self {
        background.running.fetch_add(1, Ordering::SeqCst);
        Self(background.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.one_is_over();
    }
}

/// Somebody who waits for the last task.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn new(waiting: &'a watch::Sender<usize>) -> Self {
        waiting.send_modify(|waiting| *waiting += 1);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

/// A future that is always driven to its end.
pub(super) struct Completing<T: Send + 'static> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    place: Option<Place>,
    background: Arc<Background>,
}

impl<T: Send + 'static> Future for Completing<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut future = self.future.take().expect("a future is not polled after it is ready");
        // Its timers and whatever else it starts are made in the runtime to which it belongs.
        let belongs = match &self.place {
            Some(Place::Own(own)) => Some(own.enter()),
            _ => None,
        };
        let answer = future.as_mut().poll(context);
        drop(belongs);
        if answer.is_pending() {
            self.future = Some(future);
        }
        answer
    }
}

impl<T: Send + 'static> Drop for Completing<T> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            let rest = async move { drop(future.await) };
            self.background.spawn_at(self.place.as_ref(), rest);
        }
        self.background.awaited.fetch_sub(1, Ordering::SeqCst);
        self.background.one_is_over();
    }
}
