//! [`Progress`]: what goes on during long work. On a terminal only: nothing of it is in a pipe or log.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::is_watched;

/// How often it moves.
const TICK: Duration = Duration::from_millis(100);

const WAITING: &str = "{spinner} {msg}";
const STEPS: &str = "{spinner} [{bar:30}] {pos} of {len}  {msg}";
const SHARE: &str = "{spinner} [{bar:30}] {percent} %  {msg}";

/// How finely a share is shown.
const PARTS: u64 = 1000;

/// Shown as long as it lives.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of work that is done when it is done.
    pub(crate) fn waiting(what: impl Into<Cow<'static, str>>) -> Self {
        Self::start(ProgressBar::new_spinner(), WAITING, what)
    }

    /// Of work whose steps are known.
    pub(crate) fn steps(count: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::start(ProgressBar::new(count), STEPS, what)
    }

    /// Of work of which a share is done.
    pub(crate) fn share(what: impl Into<Cow<'static, str>>) -> Self {
        Self::start(ProgressBar::new(PARTS), SHARE, what)
    }

    fn start(bar: ProgressBar, template: &str, what: impl Into<Cow<'static, str>>) -> Self {
        if !is_watched() {
            return Self(ProgressBar::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// One step further.
    pub(crate) fn step(&self, next: impl Into<Cow<'static, str>>) {
        self.0.inc(1);
        self.0.set_message(next);
    }

    /// So much is done, from 0 to 1.
    pub(crate) fn at(&self, done: f64) {
        self.0.set_position((done * PARTS as f64) as u64);
    }

    /// Writes something else on the same terminal.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// Something else goes on now.
    pub(crate) fn now(&self, what: impl Into<Cow<'static, str>>) {
        self.0.set_message(what);
    }
}

impl Drop for Progress {
    /// What is written next begins on a clean line.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
