//! [`Session`]: what a handler holds. Everything on it happens in memory, except for a sign-out that
//! the handler wants to wait for and for its owner's devices, which are seen and ended in the storage
//! at once; the engine loads before and commits after.

mod data;
mod devices;
mod field;
mod flash;
mod lifetime;
mod owner;
mod state;

use std::sync::{Arc, MutexGuard};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::SessionError;
use crate::handle::Visit;
use crate::storage::{Destroyed, Durability};
use crate::ticket::Ticket;
use crate::token::PublicId;

use data::Update;

pub use data::SessionData;
pub use devices::Device;
pub use field::{Field, FieldName, ReadField, WriteField};
pub use flash::{Flash, FlashLevel};
pub(crate) use state::{Effort, Ending, Limits, OWNER_LIMIT, State};

/// One visitor's session during one request.
///
/// Clones are the same session. Reads see this request's own changes. Nothing is sent to the
/// storage before the handler has answered: then all changes go out in one atomic commit, and if
/// another request was faster they are replayed on what it wrote.
///
/// A session that holds nothing is not stored: a visit alone writes nothing.
///
/// A request that comes with a ticket that was replaced within the last 30 seconds (it was on its
/// way while the visitor signed in) sees an empty session and may change nothing but sign in:
/// everything else is [`SessionError::Superseded`], because a ticket in its answer would take the
/// visitor's new one away.
///
/// ```
/// use cloakroom::{Field, Session, SessionError};
///
/// const CART: Field<Vec<String>> = Field::new("cart");
///
/// fn add_to_cart(session: &Session, article: &str) -> Result<usize, SessionError> {
///     let article = article.to_owned();
///     let cart = session.update(CART, move |cart| {
///         let mut cart = cart.unwrap_or_default();
///         cart.push(article.clone());
///         cart
///     })?;
///     Ok(cart.len())
/// }
/// ```
#[derive(Clone)]
pub struct Session {
    visit: Arc<Visit>,
}

impl Session {
    pub(crate) fn new(visit: Arc<Visit>) -> Self {
        Self { visit }
    }

    /// The value of a field; `None` where there is none.
    ///
    /// # Errors
    /// [`SessionError::Decode`] where the stored value is not a `T`; it is left as it is.
    pub fn get<T: DeserializeOwned>(
        &self,
        field: impl ReadField<T>,
    ) -> Result<Option<T>, SessionError> {
        self.state().data.get(field)
    }

    /// Sets a field. Writing an equal value is not a change.
    ///
    /// # Errors
    /// [`SessionError::Encode`], [`SessionError::FieldName`], or [`SessionError::Finished`] where
    /// the answer is already on its way.
    pub fn insert<T: Serialize>(
        &self,
        field: impl WriteField<T>,
        value: T,
    ) -> Result<(), SessionError> {
        let json = SessionData::encode(&field, &value)?;
        self.writable()?.change(|data| {
            data.put(field.name(), json);
            Ok(())
        })
    }

    /// Derives a field's new value from its old one, and answers the new one.
    ///
    /// The closure runs at once, and again on the newer value if another request commits first:
    /// so counters and lists are exact. It must have no effect but its result. For a moment that
    /// nobody may see in between, put everything that belongs together into one field.
    ///
    /// # Errors
    /// [`SessionError::Decode`] where the stored value is not a `T`; [`SessionError::Encode`],
    /// [`SessionError::FieldName`], or [`SessionError::Finished`].
    pub fn update<T: DeserializeOwned + Serialize>(
        &self,
        field: impl ReadField<T>,
        update: impl Fn(Option<T>) -> T + Send + Sync + 'static,
    ) -> Result<T, SessionError> {
        let update = Arc::new(move |old| Some(update(old)));
        let value = self.update_or_remove(field, update)?;
        Ok(value.unwrap_or_else(|| unreachable!("the closure always gives a value")))
    }

    /// Removes a field.
    ///
    /// # Errors
    /// [`SessionError::Finished`] where the answer is already on its way.
    pub fn remove(&self, field: impl FieldName) -> Result<(), SessionError> {
        self.writable()?.change(|data| {
            data.remove(field);
            Ok(())
        })
    }

    /// Whether a field has a value.
    pub fn contains(&self, field: impl FieldName) -> bool {
        self.state().data.contains(field)
    }

    /// The names of all fields that have a value.
    pub fn field_names(&self) -> Vec<String> {
        self.state().data.field_names()
    }

    /// Removes all fields, and keeps the session, its ticket and its owner.
    ///
    /// # Errors
    /// [`SessionError::Finished`] where the answer is already on its way.
    pub fn clear(&self) -> Result<(), SessionError> {
        self.writable()?.change(|data| {
            data.clear();
            Ok(())
        })
    }

    /// Gives the session a new ticket. With the commit the old one is dead at once, also for
    /// requests that are under way with it.
    ///
    /// Do this whenever the visitor gains rights (OWASP ASVS 5.0, 7.2.4). Signing in through
    /// [`Session::set_owner`] does it by itself. A session that is not stored yet gets a fresh
    /// ticket anyway, so there this does nothing.
    ///
    /// # Errors
    /// [`SessionError::Random`], or [`SessionError::Finished`].
    #[doc(alias = "cycle_id")]
    #[doc(alias = "renew")]
    #[doc(alias = "regenerate_id")]
    #[doc(alias = "regenerate")]
    pub fn rotate(&self) -> Result<(), SessionError> {
        self.writable()?.rotate()
    }

    /// Ends the session: signing out. What it held is gone and its ticket opens nothing any more.
    ///
    /// The record is removed even when the client disconnects, the handler panics or the answer is
    /// a server error. What is put into the session afterwards, a flash message for example,
    /// belongs to a new one under a new ticket.
    ///
    /// It is carried out when the handler has answered. Where it is pending then, because the
    /// storage's server cannot be reached, the handler's answer gives way to one that says so
    /// ([`OutagePolicy`](crate::OutagePolicy)); [`Session::destroy_now`] lets the handler say it in
    /// its own words.
    ///
    /// # Errors
    /// [`SessionError::Finished`] where the answer is already on its way.
    #[doc(alias = "flush")]
    #[doc(alias = "purge")]
    #[doc(alias = "invalidate")]
    #[doc(alias = "logout")]
    pub fn destroy(&self) -> Result<(), SessionError> {
        self.writable()?.destroy();
        Ok(())
    }

    /// As [`Session::destroy`], carried out before the handler goes on, which then knows what became
    /// of it and words its own answer. The answer's cookie is taken away in both cases, done and
    /// pending.
    ///
    /// It is carried out even if this future is dropped. Asking again, here or with `destroy`,
    /// changes nothing. A session that is not stored is [`Destroyed::Absent`], without a question
    /// to the storage.
    ///
    /// ```
    /// use cloakroom::{Destroyed, Session, SessionError};
    ///
    /// async fn sign_out(session: &Session) -> Result<&'static str, SessionError> {
    ///     Ok(match session.destroy_now().await? {
    ///         Destroyed::Removed(_) | Destroyed::Absent(_) => "You are signed out.",
    ///         Destroyed::Pending => "You are signed out here, and soon everywhere.",
    ///     })
    /// }
    /// # let _ = sign_out;
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Storage`] where the storage could not say and nobody else will try again.
    /// The request goes on without a session; when it ends the sign-out is tried once more, and
    /// where that fails as well the answer is the error and the cookie stays, unless the handler's
    /// own answer is a server error. [`SessionError::Finished`] where the answer is already on its
    /// way.
    pub async fn destroy_now(&self) -> Result<Destroyed, SessionError> {
        let removal = {
            let mut state = self.writable()?;
            state.destroy();
            state.removal()
        };
        match removal {
            Some(removal) => Ok(self.visit.engine.sign_out_now(removal).await?),
            None => Ok(Destroyed::Absent(Durability::LOCAL)),
        }
    }

    /// Lets this request's answer go out even if its changes cannot be saved because the storage
    /// cannot say at present. For changes that nobody would miss: a page counter, a last position.
    /// The observer is told of the loss with [`Event::ChangesLost`](crate::Event::ChangesLost).
    ///
    /// It covers the fields of a session that is stored. A request that creates a session, signs
    /// in, rotates, signs out or sets a lifetime fails all the same, and so does one whose changes
    /// another request has overtaken.
    pub fn best_effort(&self) {
        self.state().best_effort();
    }

    /// Whether the session is not stored yet.
    pub fn is_new(&self) -> bool {
        self.state().data.record().is_none()
    }

    /// Whether this request has changed anything.
    pub fn is_dirty(&self) -> bool {
        self.state().data.is_dirty()
    }

    /// The session's name for logs and support; `None` while nothing has been put into it.
    pub fn public_id(&self) -> Option<PublicId> {
        self.state().ticket().map(Ticket::public_id)
    }

    /// How many times the session has been committed; zero while it is not stored.
    pub fn generation(&self) -> u64 {
        self.state().data.record().map_or(0, |record| record.generation().number())
    }

    /// Leaves a message for the next page that asks for messages. Of more than 32 the oldest give
    /// way.
    ///
    /// # Errors
    /// As [`Session::update`].
    pub fn flash(&self, level: FlashLevel, text: impl Into<String>) -> Result<(), SessionError> {
        flash::push(self, Flash::new(level, text.into())?)
    }

    /// Takes the messages that were left, oldest first. The next page does not see them again; one
    /// that arrives while this request is under way stays for it. Two pages that load at the same
    /// moment may both show a message.
    ///
    /// # Errors
    /// As [`Session::update`].
    pub fn take_flashes(&self) -> Result<Vec<Flash>, SessionError> {
        flash::take(self)
    }

    /// As [`Session::update`]; where the closure gives `None` the field is removed.
    ///
    /// The closure runs without the lock, because it may look at the same session.
    fn update_or_remove<T: DeserializeOwned + Serialize>(
        &self,
        field: impl FieldName,
        update: Arc<impl Fn(Option<T>) -> Option<T> + Send + Sync + 'static>,
    ) -> Result<Option<T>, SessionError> {
        loop {
            let seen = self.writable()?.data.json(field.name());
            let step = Update::run(field.name(), seen.as_deref(), &update)?;
            let mut state = self.writable()?;
            // Another task of this request may have changed the field meanwhile.
            if state.data.is(field.name(), seen.as_deref()) {
                state.change(|data| {
                    data.apply_update(field.name(), step.again, step.json);
                    Ok(())
                })?;
                return Ok(step.value);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.visit.state()
    }

    fn writable(&self) -> Result<MutexGuard<'_, State>, SessionError> {
        let state = self.state();
        state.check_writable()?;
        Ok(state)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        f.debug_struct("Session")
            .field("public_id", &state.ticket().map(Ticket::public_id))
            .field("is_new", &state.data.record().is_none())
            .field("is_dirty", &state.data.is_dirty())
            .finish_non_exhaustive()
    }
}
