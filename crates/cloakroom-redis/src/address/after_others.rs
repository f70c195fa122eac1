//! [`AfterOthers`]: polls the task that drives a connection behind everything that is ready to run.
//!
//! A task that is woken by another one usually runs next. So each command would leave in a system call
//! of its own, and come back in one of its own, however many requests are ready to send theirs. A turn
//! behind them costs a hundred nanoseconds and lets them share both.

use std::pin::Pin;
use std::task::{Context, Poll};

pub(super) struct AfterOthers<F> {
    driver: Pin<Box<F>>,
    has_waited: bool,
}

impl<F> AfterOthers<F> {
    pub(super) fn new(driver: F) -> Self {
        Self { driver: Box::pin(driver), has_waited: false }
    }
}

impl<F: Future> Future for AfterOthers<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.has_waited = !self.has_waited;
        if self.has_waited {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.driver.as_mut().poll(context)
    }
}
