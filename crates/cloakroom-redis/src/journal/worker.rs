//! [`Desk`]: the book under its lock, and the one task that carries out what is due.
//!
//! The task is started when something is due and ends when nothing is. One that ended with its
//! runtime has given back what it had in hand, and the next call starts another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cloakroom::{Event, Observer};
use tokio::runtime::Handle;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

use super::Remove;
use super::book::{Book, Next, Notice, Work};
use super::register::Register;

/// How many removals the task carries out at once.
const AT_ONCE: usize = 64;

pub(super) struct Desk<R: Remove> {
    /// Locked before a shard of the register, never after one.
    book: Mutex<Book>,
    register: Arc<Register>,
    remover: Weak<R>,
    /// Tells the task to look again.
    changed: Notify,
    /// Tells creations that a removal has ended.
    settled: Notify,
    /// Locked before the book, never after it.
    task: Mutex<Task>,
    observer: Mutex<Option<Arc<dyn Observer>>>,
}

#[derive(Default)]
struct Task {
    handle: Option<AbortHandle>,
    stopped: bool,
}

impl<R: Remove> Desk<R> {
    pub(super) fn new(book: Book, remover: Weak<R>) -> Self {
        Self {
            register: book.register().clone(),
            book: Mutex::new(book),
            remover,
            changed: Notify::new(),
            settled: Notify::new(),
            task: Mutex::default(),
            observer: Mutex::new(None),
        }
    }

    pub(super) fn register(&self) -> &Register {
        &self.register
    }

    pub(super) fn set_observer(&self, observer: Arc<dyn Observer>) {
        *lock(&self.observer) = Some(observer);
    }

    /// Changes the book, and tells the observer of it when the lock is free again.
    pub(super) fn change<T>(&self, step: impl FnOnce(&mut Book) -> T) -> T {
        let mut book = lock(&self.book);
        let value = step(&mut book);
        let notices = book.take_notices();
        drop(book);
        if !notices.is_empty() {
            self.tell(notices);
        }
        value
    }

    /// The same for what ends somebody's removal, which others may wait for.
    pub(super) fn settle<T>(&self, step: impl FnOnce(&mut Book) -> T) -> T {
        let value = self.change(step);
        self.settled.notify_waiters();
        value
    }

    /// Waits for the next removal that ends after this call.
    pub(super) fn settled(&self) -> Notified<'_> {
        self.settled.notified()
    }

    /// Something may be due: makes sure that a task looks.
    pub(super) fn wake(self: &Arc<Self>) {
        if !lock(&self.book).has_work() {
            return;
        }
        self.changed.notify_one();
        let mut task = lock(&self.task);
        let missing = task.handle.as_ref().is_none_or(AbortHandle::is_finished);
        // Outside of a runtime nothing can be started; the next call that comes from one does it.
        if missing
            && !task.stopped
            && let Ok(runtime) = Handle::try_current()
        {
            task.handle = Some(runtime.spawn(run(self.clone())).abort_handle());
        }
    }

    pub(super) fn stop(&self) {
        let mut task = lock(&self.task);
        task.stopped = true;
        if let Some(handle) = task.handle.take() {
            handle.abort();
        }
    }

    /// Whether the task may end. Who adds work from now on finds no task and starts another.
    fn end(&self) -> bool {
        let mut task = lock(&self.task);
        let over = !lock(&self.book).has_work();
        if over {
            task.handle = None;
        }
        over
    }

    fn tell(&self, notices: Vec<Notice>) {
        let Some(observer) = lock(&self.observer).clone() else { return };
        for notice in notices {
            observer.observe(&match notice {
                Notice::Applied { key, pending } => {
                    Event::DestroyApplied { session: key.public_id(), pending }
                }
                Notice::Expired { key } => Event::DestroyExpired { session: key.public_id() },
                Notice::Full { key } => Event::JournalFull { session: key.public_id() },
            });
        }
    }
}

async fn run<R: Remove>(desk: Arc<Desk<R>>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    // Dropped with this task, it ends what is under way.
    let mut under_way = JoinSet::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        while under_way.try_join_next().is_some() {}
        match desk.change(|book| book.next(Instant::now())) {
            Next::Due(work) => {
                let in_hand = InHand { desk: desk.clone(), work: Some(work) };
                let Some(remover) = desk.remover.upgrade() else { return };
                under_way.spawn(carry_out(remover, in_hand, place));
            }
            Next::At(due) => {
                drop(place);
                let _ = timeout_at(due, desk.changed.notified()).await;
            }
            Next::InHand => {
                drop(place);
                desk.changed.notified().await;
            }
            Next::Nothing => {
                if desk.end() {
                    return;
                }
            }
        }
    }
}

async fn carry_out<R: Remove>(
    remover: Arc<R>,
    mut in_hand: InHand<R>,
    _place: OwnedSemaphorePermit,
) {
    let Some(work) = &in_hand.work else { return };
    let outcome = remover.remove(&work.key, &work.meant).await;
    if let Some(work) = in_hand.work.take() {
        let removed = outcome.ok();
        in_hand.desk.settle(|book| book.done(&work, removed, Instant::now()));
        in_hand.desk.changed.notify_one();
    }
}

/// A removal that the task has in hand. Dropped half-way it goes back to the book.
struct InHand<R: Remove> {
    desk: Arc<Desk<R>>,
    work: Option<Work>,
}

impl<R: Remove> Drop for InHand<R> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.desk.settle(|book| book.give_back(&work, Instant::now()));
            self.desk.changed.notify_one();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
