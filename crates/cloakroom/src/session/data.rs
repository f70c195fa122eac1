//! [`SessionData`]: the fields of one session, as they were stored and as they shall be.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FieldName, ReadField, WriteField};
use crate::changes::{Changes, Updater};
use crate::clock::Timestamp;
use crate::codec;
use crate::error::SessionError;
use crate::fingerprint::SessionFingerprint;
use crate::record::{FIELD_NAME_LIMIT, Record};

/// A session's fields outside of a web framework: made new, or found by
/// [`SessionStorage::get`](crate::SessionStorage::get), and stored by
/// [`SessionStorage::set`](crate::SessionStorage::set).
///
/// It remembers what was changed since it was found, so that storing it leaves alone what others
/// have changed meanwhile.
#[derive(Clone, Debug, Default)]
pub struct SessionData {
    record: Option<Record>,
    pub(super) changes: Changes,
}

impl SessionData {
    /// Data without a field.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn loaded(record: Record) -> Self {
        Self { record: Some(record), changes: Changes::default() }
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
        let stored = self.record.as_ref().and_then(Record::fingerprint);
        self.changes.fingerprint = (stored != Some(&fingerprint)).then_some(fingerprint);
    }

    /// Where the session's visitor comes from.
    pub fn fingerprint(&self) -> Option<&SessionFingerprint> {
        let stored = self.record.as_ref().and_then(Record::fingerprint);
        self.changes.fingerprint.as_ref().or(stored)
    }

    /// The value of a field; `None` where there is none.
    ///
    /// # Errors
    /// [`SessionError::Decode`] where the stored value is not a `T`.
    pub fn get<T: DeserializeOwned>(
        &self,
        field: impl ReadField<T>,
    ) -> Result<Option<T>, SessionError> {
        let json = self.changes.value(self.record.as_ref(), field.name());
        json.map(|json| codec::decode(field.name(), json)).transpose()
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
        let name = checked(field.name())?;
        let json = codec::encode(name, &value)?;
        self.changes.set(self.record.as_ref(), name, json);
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
        let value = self.update_or_remove(field, move |old| Some(update(old)))?;
        Ok(value.unwrap_or_else(|| unreachable!("the closure always gives a value")))
    }

    /// As [`SessionData::update`]; where the closure gives `None` the field is removed.
    pub(crate) fn update_or_remove<T: DeserializeOwned + Serialize>(
        &mut self,
        field: impl ReadField<T>,
        update: impl Fn(Option<T>) -> Option<T> + Send + Sync + 'static,
    ) -> Result<Option<T>, SessionError> {
        let name = checked(field.name())?;
        let value = update(self.get::<T>(name)?);
        let json = value.as_ref().map(|value| codec::encode(name, value)).transpose()?;
        let owned_name = name.to_owned();
        let again: Updater = Arc::new(move |stored| {
            let old = stored.map(|json| codec::decode(&owned_name, json)).transpose()?;
            update(old).map(|value| codec::encode(&owned_name, &value)).transpose()
        });
        self.changes.update(self.record.as_ref(), name, again, json);
        Ok(value)
    }

    /// Removes a field.
    pub fn remove(&mut self, field: impl FieldName) {
        self.changes.remove(self.record.as_ref(), field.name());
    }

    /// Whether a field has a value.
    pub fn contains(&self, field: impl FieldName) -> bool {
        self.changes.value(self.record.as_ref(), field.name()).is_some()
    }

    /// The names of all fields that have a value.
    pub fn field_names(&self) -> Vec<String> {
        self.changes.names(self.record.as_ref())
    }

    /// Removes all fields.
    pub fn clear(&mut self) {
        self.changes.clear(self.record.as_ref());
    }

    /// Removes all fields, also those that others put in before this is stored.
    pub(super) fn start_over(&mut self) {
        self.changes.start_over();
    }

    /// Whether anything was changed since the data was found.
    pub fn is_dirty(&self) -> bool {
        !self.changes.is_empty()
    }

    /// When the stored session was created; `None` for new data.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.record.as_ref().map(Record::created)
    }

    /// When the stored session ends unless it is used; `None` for new data.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.record.as_ref().map(Record::idle_deadline)
    }

    pub(crate) fn owner(&self) -> Option<&str> {
        let stored = self.record.as_ref().and_then(Record::owner);
        self.changes.owner.as_deref().or(stored)
    }

    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// The same fields as new data.
    pub(crate) fn copied(&self) -> Self {
        let mut copy = Self::new();
        for name in self.field_names() {
            if let Some(json) = self.changes.value(self.record.as_ref(), &name) {
                copy.changes.set(None, &name, json.to_vec());
            }
        }
        copy.changes.fingerprint = self.fingerprint().cloned();
        copy
    }

    /// Forgets what was changed.
    pub(crate) fn discard(&mut self) {
        self.changes = Changes::default();
    }

    /// What was found, and what was changed since.
    pub(crate) fn parts(&self) -> (Option<&Record>, Changes) {
        (self.record.as_ref(), self.changes.clone())
    }

    pub(crate) fn into_parts(self) -> (Option<Record>, Changes) {
        (self.record, self.changes)
    }
}

fn checked(name: &str) -> Result<&str, SessionError> {
    if name.is_empty() || name.len() > FIELD_NAME_LIMIT {
        return Err(SessionError::FieldName { length: name.len() });
    }
    Ok(name)
}
