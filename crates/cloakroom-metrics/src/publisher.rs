//! [`Publisher`]: keeps an engine's gauges fresh for as long as it lives. For exporters that send, or
//! that cannot call [`MetricsObserver::publish`] before each page.

use std::time::Duration;

use cloakroom::Engine;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::observer::MetricsObserver;

/// The shortest interval: looking more often tells nothing new.
const SHORTEST: Duration = Duration::from_millis(100);

/// Publishes an engine's health again and again; its drop ends that. The gauges then stay as they
/// were published last.
#[derive(Debug)]
#[must_use = "dropping it ends the publishing"]
pub struct Publisher {
    task: AbortHandle,
}

impl MetricsObserver {
    /// Publishes the engine's health at once, and then whenever `every` has passed (100 ms at least),
    /// until the answer is dropped.
    ///
    /// It goes on in the runtime that this is called in. Like everything that starts a task of Tokio
    /// it panics outside of one.
    pub fn publish_every(&self, engine: &Engine, every: Duration) -> Publisher {
        let (observer, engine) = (self.clone(), engine.clone());
        let task = tokio::spawn(async move {
            let mut ticks = interval(every.max(SHORTEST));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                observer.publish(&engine);
            }
        });
        Publisher { task: task.abort_handle() }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}
