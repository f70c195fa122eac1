//! [`UnderWay`]: what operators have begun and is not done. Whoever ends the process waits for it, so
//! that no session ends without a line in the audit trail.

use std::sync::Arc;

use tokio::sync::watch;

/// What operators have begun on a page and is not done.
///
/// What they begin is done and audited even if they go away meanwhile; it would break off with the
/// process. So an application that ends waits for it, as it waits for the engine:
///
/// ```
/// use cloakroom::{Engine, MemorySessionStorage};
/// use cloakroom_admin::{AdminPage, Operators};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// # let password = "correct horse battery staple";
/// let engine = Engine::builder(MemorySessionStorage::new()).build()?;
/// let page = AdminPage::for_operators(engine.clone(), Operators::new("ada", password)?);
/// let under_way = page.under_way();
/// let app = page.router()?;
/// # let _ = app;
/// // … and when the server has been asked to end:
/// under_way.finish().await;
/// engine.drain(std::time::Duration::from_secs(5)).await;
/// # Ok::<(), cloakroom::ConfigError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct UnderWay(Arc<watch::Sender<Steps>>);

#[derive(Debug, Default)]
struct Steps {
    running: usize,
    is_ending: bool,
}

/// One thing that is under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Step(UnderWay);

impl UnderWay {
    /// Lets nothing more begin, and waits until all that was begun is done and audited. A step of a
    /// long action takes a second or so, and as long as the storage may take for its last command.
    pub async fn finish(&self) {
        self.0.send_modify(|steps| steps.is_ending = true);
        // It fails where nobody is left who could send, and this value can.
        let _ = self.0.subscribe().wait_for(|steps| steps.running == 0).await;
    }

    /// Begins something; `None` where nothing may begin any more.
    pub(crate) fn begin(&self) -> Option<Step> {
        let mut begun = false;
        self.0.send_modify(|steps| {
            begun = !steps.is_ending;
            steps.running += usize::from(begun);
        });
        begun.then(|| Step(self.clone()))
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.0.0.send_modify(|steps| steps.running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn the_end_waits_for_what_was_begun_and_lets_nothing_more_begin() {
        let under_way = UnderWay::default();
        let steps = [under_way.begin().unwrap(), under_way.begin().unwrap()];
        let mut finish = pin!(under_way.finish());
        let mut context = Context::from_waker(Waker::noop());
        assert!(finish.as_mut().poll(&mut context).is_pending());
        assert!(under_way.begin().is_none());
        for step in steps {
            assert!(finish.as_mut().poll(&mut context).is_pending());
            drop(step);
        }
        assert!(finish.as_mut().poll(&mut context).is_ready());
    }
}
