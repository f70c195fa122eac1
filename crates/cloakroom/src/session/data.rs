//! [`SessionData`]: the fields of one session, as they were stored and as they shall be.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FieldName, ReadField, WriteField};
use crate::changes::{Changes, NO_CHANGES, Updater};
use crate::clock::Timestamp;
use crate::codec;
use crate::error::SessionError;
use crate::fingerprint::SessionFingerprint;
use crate::record::{FIELD_NAME_LIMIT, Record};

/// A session's fields outside of a web framework: made new, or found by
/// [`SessionStorage::get`](crate::SessionStorage::get), and stored by
/// [`SessionStorage::set`](crate::SessionStorage::set).
///
/// Data that was found remembers what was changed since, so that storing it leaves alone what
/// others have changed meanwhile. Once stored it stands for what lies in the storage then. Clones
/// go their own ways.
#[derive(Debug, Default)]
pub struct SessionData {
    record: Option<Record>,
    /// Shared by clones until one of them is changed.
    changes: Option<Arc<Changes>>,
    /// The record that a `set` has made of this data. From then on it counts, and the changes are
    /// done with; they are dropped at the next chance to do so.
    stored: Mutex<Option<Record>>,
}

/// One run of an update's closure: what it gave, and how to run it again on a newer value.
pub(super) struct Update<T> {
    pub(super) value: Option<T>,
    pub(super) json: Option<Vec<u8>>,
    pub(super) again: Updater,
}

impl<T: DeserializeOwned + Serialize> Update<T> {
    pub(super) fn run(
        name: &str,
        old: Option<&[u8]>,
        update: &Arc<impl Fn(Option<T>) -> Option<T> + Send + Sync + 'static>,
    ) -> Result<Self, SessionError> {
        checked(name)?;
        let old = old.map(|json| codec::decode(name, json)).transpose()?;
        let value = update(old);
        let json = value.as_ref().map(|value| codec::encode(name, value)).transpose()?;
        let update = update.clone();
        let again: Updater = Arc::new(move |name, newer| {
            let newer = newer.map(|json| codec::decode(name, json)).transpose()?;
            update(newer).map(|value| codec::encode(name, &value)).transpose()
        });
        Ok(Self { value, json, again })
    }
}

impl SessionData {
    /// Data without a field.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn loaded(record: Record) -> Self {
        Self { record: Some(record), ..Self::default() }
    }

    /// Binds the session to where its visitor comes from. It is stored with the session and
    /// compared when the session is found again.
    #[must_use]
    pub fn with_fingerprint(mut self, fingerprint: SessionFingerprint) -> Self {
        self.set_fingerprint(fingerprint);
        self
    }

    /// As [`SessionData::with_fingerprint`], on data that is there already.
    pub fn set_fingerprint(&mut self, fingerprint: SessionFingerprint) {
        self.settle();
        let stored = self.record.as_ref().and_then(Record::fingerprint);
        self.changes_mut().fingerprint =
            (stored.as_ref() != Some(&fingerprint)).then_some(fingerprint);
    }

    /// Where the session's visitor comes from.
    pub fn fingerprint(&self) -> Option<SessionFingerprint> {
        self.view(|record, changes| {
            changes.fingerprint.clone().or_else(|| record.and_then(Record::fingerprint))
        })
    }

    /// The value of a field; `None` where there is none.
    ///
    /// # Errors
    /// [`SessionError::Decode`] where the stored value is not a `T`.
    pub fn get<T: DeserializeOwned>(
        &self,
        field: impl ReadField<T>,
    ) -> Result<Option<T>, SessionError> {
        self.view(|record, changes| {
            let json = changes.value(record, field.name());
            json.map(|json| codec::decode(field.name(), json)).transpose()
        })
    }

    /// Sets a field. Writing an equal value is not a change.
    ///
    /// # Errors
    /// [`SessionError::Encode`] or [`SessionError::FieldName`].
    pub fn insert<T: Serialize>(
        &mut self,
        field: impl WriteField<T>,
        value: T,
    ) -> Result<(), SessionError> {
        let json = Self::encode(&field, &value)?;
        self.put(field.name(), json);
        Ok(())
    }

    /// Derives a field's new value from its old one, and answers the new one. When the data is
    /// stored and somebody else was faster, the closure runs again on the newer value.
    ///
    /// # Errors
    /// [`SessionError::Decode`], [`SessionError::Encode`] or [`SessionError::FieldName`].
    pub fn update<T: DeserializeOwned + Serialize>(
        &mut self,
        field: impl ReadField<T>,
        update: impl Fn(Option<T>) -> T + Send + Sync + 'static,
    ) -> Result<T, SessionError> {
        let update = Arc::new(move |old| Some(update(old)));
        let step = Update::run(field.name(), self.json(field.name()).as_deref(), &update)?;
        self.apply_update(field.name(), step.again, step.json);
        Ok(step.value.unwrap_or_else(|| unreachable!("the closure always gives a value")))
    }

    /// Removes a field.
    pub fn remove(&mut self, field: impl FieldName) {
        self.settle();
        let (record, changes) = self.both_mut();
        changes.remove(record, field.name());
    }

    /// Whether a field has a value.
    pub fn contains(&self, field: impl FieldName) -> bool {
        self.view(|record, changes| changes.value(record, field.name()).is_some())
    }

    /// The names of all fields that have a value.
    pub fn field_names(&self) -> Vec<String> {
        self.view(|record, changes| changes.names(record))
    }

    /// Removes all fields.
    pub fn clear(&mut self) {
        self.settle();
        let (record, changes) = self.both_mut();
        changes.clear(record);
    }

    /// Whether anything was changed since the data was found or stored.
    pub fn is_dirty(&self) -> bool {
        self.view(|_, changes| !changes.is_empty())
    }

    /// When the stored session was created; `None` for new data, and where nobody knows because the
    /// session was imported.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.view(|record, _| record.and_then(|record| record.created().known()))
    }

    /// When the stored session ends unless it is used; `None` for new data.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.view(|record, _| record.map(Record::idle_deadline))
    }

    /// A value's JSON for a field of an acceptable name.
    pub(super) fn encode<T: Serialize>(
        field: &impl WriteField<T>,
        value: &T,
    ) -> Result<Vec<u8>, SessionError> {
        codec::encode(checked(field.name())?, value)
    }

    /// A field's JSON.
    pub(super) fn json(&self, name: &str) -> Option<Vec<u8>> {
        self.view(|record, changes| changes.value(record, name).map(<[u8]>::to_vec))
    }

    /// Whether a field has this JSON.
    pub(super) fn is(&self, name: &str, json: Option<&[u8]>) -> bool {
        self.view(|record, changes| changes.value(record, name) == json)
    }

    pub(super) fn put(&mut self, name: &str, json: Vec<u8>) {
        self.settle();
        let (record, changes) = self.both_mut();
        changes.set(record, name, json);
    }

    pub(super) fn apply_update(&mut self, name: &str, again: Updater, json: Option<Vec<u8>>) {
        self.settle();
        let (record, changes) = self.both_mut();
        changes.update(record, name, again, json);
    }

    /// The same changes over a newer record, replayed on it as after a lost race. Runs the closures
    /// of updates, which may look at the session that they belong to.
    pub(crate) fn rebased(&self, newer: &Record) -> Result<Self, SessionError> {
        let is_newer = self.record.as_ref().is_none_or(|seen| seen.version() != newer.version());
        let changes = match &self.changes {
            Some(changes) if is_newer => Some(Arc::new(changes.renewed(newer)?)),
            changes => changes.clone(),
        };
        Ok(Self { record: Some(newer.clone()), changes, ..Self::default() })
    }

    /// Whether nothing was changed since `before` was cloned from this.
    pub(crate) fn is_still(&self, before: &Self) -> bool {
        match (&self.changes, &before.changes) {
            (Some(now), Some(before)) => Arc::ptr_eq(now, before),
            (now, before) => now.is_none() && before.is_none(),
        }
    }

    /// Removes all fields, also those that others put in before this is committed.
    pub(crate) fn start_over(&mut self) {
        self.changes_mut().start_over();
    }

    pub(crate) fn owner(&self) -> Option<&str> {
        let stored = self.record.as_ref().and_then(Record::owner);
        self.changes.as_ref().and_then(|changes| changes.owner.as_deref()).or(stored)
    }

    /// Whether somebody signs in with what was changed.
    pub(crate) fn signs_in(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| changes.owner.is_some())
    }

    /// The record that was loaded. A request's data is never given to `set`.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// The same fields as new data.
    pub(crate) fn copied(&self) -> Self {
        let mut copy = Self::new();
        for name in self.field_names() {
            if let Some(json) = self.json(&name) {
                copy.put(&name, json);
            }
        }
        copy.changes_mut().fingerprint = self.fingerprint();
        copy
    }

    /// Forgets what was changed.
    pub(crate) fn discard(&mut self) {
        self.changes = None;
    }

    /// What was found or stored, and what was changed since.
    pub(crate) fn parts(&self) -> (Option<Record>, Arc<Changes>) {
        let Self { record, changes, .. } = self.clone();
        (record, changes.unwrap_or_default())
    }

    pub(crate) fn changes_mut(&mut self) -> &mut Changes {
        self.both_mut().1
    }

    fn both_mut(&mut self) -> (Option<&Record>, &mut Changes) {
        let changes = self.changes.get_or_insert_default();
        (self.record.as_ref(), Arc::make_mut(changes))
    }

    /// The data was stored as this record.
    pub(crate) fn was_stored(&self, record: Record) {
        *self.stored() = Some(record);
    }

    /// Looks at the record and the changes that count.
    fn view<R>(&self, look: impl FnOnce(Option<&Record>, &Changes) -> R) -> R {
        match self.stored().as_ref() {
            Some(stored) => look(Some(stored), &NO_CHANGES),
            None => look(self.record.as_ref(), self.changes.as_deref().unwrap_or(&NO_CHANGES)),
        }
    }

    /// Lets a stored record take the place of what it was made of, before something is changed.
    fn settle(&mut self) {
        let stored = self.stored().take();
        if let Some(stored) = stored {
            self.record = Some(stored);
            self.changes = None;
        }
    }

    fn stored(&self) -> MutexGuard<'_, Option<Record>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for SessionData {
    fn clone(&self) -> Self {
        let (record, changes) = match self.stored().as_ref() {
            Some(stored) => (Some(stored.clone()), None),
            None => (self.record.clone(), self.changes.clone()),
        };
        Self { record, changes, stored: Mutex::default() }
    }
}

fn checked(name: &str) -> Result<&str, SessionError> {
    if name.is_empty() || name.len() > FIELD_NAME_LIMIT {
        return Err(SessionError::FieldName { length: name.len() });
    }
    Ok(name)
}
