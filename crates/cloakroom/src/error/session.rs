//! [`SessionError`]: what a handler, or the end of a request, can meet.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::{RandomError, StorageError};

/// A session operation that did not take place.
///
/// Adapters turn it into an answer: transient storage errors are 503 with `Retry-After`,
/// [`SessionError::is_conflict`] and [`SessionError::TooManySessions`] are 409,
/// [`SessionError::SignInRequired`] and [`SessionError::FreshSignInRequired`] are 403, everything else
/// is an opaque 500.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// The storage could not say; for a write the outcome is unknown.
    Storage(StorageError),
    /// A value could not be turned into JSON.
    Encode {
        /// The field's name.
        field: String,
        /// The value's Rust type.
        type_name: &'static str,
    },
    /// A stored value is not of the type that was asked for. It is left as it is.
    Decode {
        /// The field's name.
        field: String,
        /// The Rust type that was asked for.
        type_name: &'static str,
        /// Where in the value reading stopped, without the value.
        position: usize,
    },
    /// Other writers of the same session were faster until the commit's deadline passed.
    Conflict {
        /// How many times the commit was tried.
        attempts: u32,
        /// The deadline, counted from the commit's start.
        limit: Duration,
    },
    /// The session was given a new ticket while this request was under way (somebody signed in),
    /// so what came with the old ticket may not change it.
    Superseded,
    /// The session would be larger than the storage allows.
    TooLarge {
        /// The size in bytes that the record would have.
        size: usize,
        /// The limit in bytes.
        limit: usize,
        /// The name of the field that takes the most room.
        field: String,
    },
    /// The session has ended (signed out, revoked or expired) while this request was under way.
    Gone,
    /// The answer is already on its way; nothing can be written any more.
    Finished,
    /// A field's name is empty or longer than 255 bytes.
    FieldName {
        /// The name's length in bytes.
        length: usize,
    },
    /// A lifetime is zero or longer than the policy allows.
    Lifetime {
        /// The lifetime that was asked for.
        asked: Duration,
        /// The longest one that the policy allows.
        limit: Duration,
    },
    /// An owner's name is empty or longer than 1,024 bytes.
    OwnerName {
        /// The name's length in bytes.
        length: usize,
    },
    /// The owner already has as many sessions as may be, so this one was not signed in.
    TooManySessions {
        /// How many sessions the policy allows; [`INDEX_CAPACITY`](crate::INDEX_CAPACITY) where the
        /// owner's index is full, be it of sign-ins that were given up half-way.
        limit: u32,
    },
    /// What was asked for needs somebody to be signed in.
    SignInRequired,
    /// What was asked for needs a sign-in that is more recent.
    FreshSignInRequired {
        /// How long ago the sign-in may be.
        max_age: Duration,
    },
    /// A closure given to `update` panicked when it ran again on a newer value.
    UpdatePanicked {
        /// The field's name.
        field: String,
    },
    /// No ticket could be drawn.
    Random(RandomError),
}

impl SessionError {
    /// The error's name in logs and metrics. That of a storage's error is its kind's.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Storage(error) => error.kind().name(),
            Self::Encode { .. } => "encode",
            Self::Decode { .. } => "decode",
            Self::Conflict { .. } => "conflict",
            Self::Superseded => "superseded",
            Self::TooLarge { .. } => "too_large",
            Self::Gone => "gone",
            Self::Finished => "finished",
            Self::FieldName { .. } => "field_name",
            Self::Lifetime { .. } => "lifetime",
            Self::OwnerName { .. } => "owner_name",
            Self::TooManySessions { .. } => "too_many_sessions",
            Self::SignInRequired => "sign_in_required",
            Self::FreshSignInRequired { .. } => "fresh_sign_in_required",
            Self::UpdatePanicked { .. } => "update_panicked",
            Self::Random(_) => "random",
        }
    }

    /// Whether the same request may succeed in a moment (HTTP 503).
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_transient())
    }

    /// Whether another request got in the way (HTTP 409): the commit lost its race, the session
    /// ended, or the ticket was replaced.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Superseded | Self::Gone)
    }
}

impl From<StorageError> for SessionError {
    fn from(error: StorageError) -> Self {
        match error.kind() {
            super::StorageErrorKind::TooLarge { size, limit, largest_field } => {
                Self::TooLarge { size: *size, limit: *limit, field: largest_field.clone() }
            }
            _ => Self::Storage(error),
        }
    }
}

impl From<RandomError> for SessionError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(error) => write!(f, "{error}"),
            Self::Encode { field, type_name } => {
                write!(f, "field `{field}`: a value of type {type_name} cannot be written as JSON")
            }
            Self::Decode { field, type_name, position } => write!(
                f,
                "field `{field}` does not hold a value of type {type_name} (at byte {position})"
            ),
            Self::Conflict { attempts, limit } => write!(
                f,
                "other writers of this session were faster {attempts} times within {limit:?}"
            ),
            Self::Superseded => f.write_str("the session was given a new ticket meanwhile"),
            Self::TooLarge { size, limit, field } => write!(
                f,
                "the session would take {size} bytes, the limit is {limit}; its largest field is `{field}`"
            ),
            Self::Gone => f.write_str("the session has ended meanwhile"),
            Self::Finished => f.write_str("the answer is on its way, the session can't be changed"),
            Self::FieldName { length } => {
                write!(f, "a field's name has 1 to 255 bytes, this one has {length}")
            }
            Self::Lifetime { asked, limit } => {
                write!(f, "a lifetime of {asked:?} is not between 1 ms and {limit:?}")
            }
            Self::OwnerName { length } => {
                write!(f, "an owner's name has 1 to 1024 bytes, this one has {length}")
            }
            Self::TooManySessions { limit } => {
                write!(f, "the owner already has {limit} sessions, which is the limit")
            }
            Self::SignInRequired => f.write_str("nobody is signed in"),
            Self::FreshSignInRequired { max_age } => {
                write!(f, "the last sign-in is longer ago than {max_age:?}")
            }
            Self::UpdatePanicked { field } => {
                write!(f, "the update of field `{field}` panicked on a newer value")
            }
            Self::Random(error) => write!(f, "{error}"),
        }
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Storage(error) => error.source(),
            Self::Random(error) => Some(error),
            _ => None,
        }
    }
}
