//! [`Engine`]: the path of a request from its cookie to its `Set-Cookie`.
//!
//! ```text
//! begin.rs    headers of the request      -> RequestScope      no I/O
//! load.rs     the first ask for a session -> Session           one load
//! finish.rs   the status of the answer    -> Finished          no commit without a change
//! sign_in.rs  a sign-in, before and after its commit -> the owner's index
//! take_back.rs a sign-in whose commit has failed -> nobody's session ends
//! sign_out.rs a sign-out, now or at the end -> Destroyed       asked of the storage once
//! lane.rs     one commit in flight per session, what waits goes out together
//! revoke.rs   from outside of a session: find an owner's, end one or many
//! mend.rs     what readers do for an index that names too many
//! moving_in.rs  another library's cookie -> a ticket of ours   only where one is named
//! ```

mod answer;
mod asking;
mod background;
mod begin;
mod builder;
mod client_address;
mod finish;
mod finished;
mod lane;
mod load;
mod mend;
mod moving_in;
mod revoke;
mod scope;
mod sign_in;
mod sign_out;
mod take_back;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memchr::memmem::Finder;

use crate::error::{Operation, StorageError};
use crate::event::{Event, Observer};
use crate::policy::Policy;
use crate::session::Limits;
use crate::storage::{AnyStorage, SessionStorage, StorageHealth, within};

use asking::Asking;
use background::Background;
use lane::Lanes;
use moving_in::MovingIn;
use take_back::Takings;

pub use answer::{Answer, SetCookie};
pub use begin::RequestFacts;
pub use builder::EngineBuilder;
pub use finished::{Finished, SignOut};
pub(crate) use moving_in::{Arrival, first_ticket};
pub use revoke::{Revoked, RevokedPage};
pub use scope::RequestScope;
pub(crate) use sign_out::Removal;

/// How long beyond its own limit whoever is in charge of a question may take to say that it has
/// passed.
const GRACE: Duration = Duration::from_millis(20);

/// How often `drain` looks whether anything is pending.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Sessions for a whole application: one storage, one policy. Clones are the same engine.
///
/// ```
/// use cloakroom::{Engine, MemorySessionStorage};
///
/// let engine = Engine::builder(MemorySessionStorage::new()).build()?;
/// assert_eq!(engine.policy().cookie.name, "__Host-id");
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    storage: AnyStorage,
    policy: Policy,
    /// Finds the policy's cookie; made once, because making it costs as much as a search.
    cookie_name: Finder<'static>,
    observer: Option<Arc<dyn Observer>>,
    /// Where visitors may come from that still hold another library's cookie.
    moving_in: Option<MovingIn>,
    lanes: Arc<Lanes>,
    background: Arc<Background>,
    takings: Takings,
}

impl Engine {
    /// Begins to build an engine on a storage.
    pub fn builder(storage: impl SessionStorage) -> EngineBuilder {
        EngineBuilder::new(AnyStorage::new(storage))
    }

    /// Whether both are clones of one engine.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The policy as it is carried out.
    pub fn policy(&self) -> &Policy {
        &self.inner.policy
    }

    /// The storage that the engine works on.
    pub fn storage(&self) -> &AnyStorage {
        &self.inner.storage
    }

    /// How the storage is at this moment. Nothing is asked of its server, so it may be called as
    /// often as a probe likes. [`OutagePolicy::is_ready`](crate::OutagePolicy::is_ready) says what
    /// it means for readiness.
    pub fn health(&self) -> StorageHealth {
        self.storage().health()
    }

    /// Waits until everything has reached the storage that is under way: commits, also those whose
    /// client has disconnected, touches, work on the indexes of owners, and sign-outs that were
    /// pending. Call it before the process ends; what is pending ends with the
    /// process.
    ///
    /// A sign-in that is taken back because nobody could tell what became of its commit is looked for
    /// once more, and not waited for any longer: a commit that the server carries out after that
    /// leaves a session that nobody holds, until its idle timeout.
    ///
    /// Answers whether all of it was done within `limit`.
    pub async fn drain(&self, limit: Duration) -> bool {
        let drained = async {
            self.inner.background.idle().await;
            while self.health().pending_removals > 0 {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(limit, drained).await.is_ok()
    }

    /// How many touches, commits, sign-outs, sign-ins that are taken back and steps in the indexes of
    /// owners are under way whose request has ended.
    pub fn background_tasks(&self) -> usize {
        self.inner.background.running()
    }

    fn limits(&self) -> Limits {
        Limits {
            idle_timeout: self.inner.policy.idle_timeout,
            absolute_timeout: self.inner.policy.absolute_timeout,
            longest_lifetime: self.inner.policy.longest_lifetime,
        }
    }

    fn emit(&self, event: &Event<'_>) {
        if let Some(observer) = &self.inner.observer {
            observer.observe(event);
        }
    }

    /// Asks the storage something and tells the observer how that went.
    ///
    /// A storage ends each question by itself within its timeout. Should it not, this does, a
    /// moment later: a request must end, and so must what goes on after it. Commits have the
    /// policy's limit instead.
    async fn ask<T>(
        &self,
        operation: Operation,
        question: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        let limit = self.storage().timeout(operation).map(|limit| limit.saturating_add(GRACE));
        self.observed(operation, within(limit, operation, question)).await
    }

    async fn observed<T>(
        &self,
        operation: Operation,
        question: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        let asking = Asking::begin(operation, self.storage());
        let start = self.inner.observer.is_some().then(Instant::now);
        // Pinned here, so that it is not moved into the span.
        let answer = asking.around(pin!(question)).await;
        let error = answer.as_ref().err();
        asking.end(error);
        if let Some(start) = start {
            self.emit(&Event::Asked { operation, took: start.elapsed(), error });
        }
        answer
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("storage", &self.inner.storage)
            .field("policy", &self.inner.policy)
            .finish_non_exhaustive()
    }
}
