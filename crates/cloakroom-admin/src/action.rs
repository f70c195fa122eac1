//! [`Action`] and [`Outcome`]: what operators do, and what became of it, in the words of the audit
//! trail and of the JSON interface.

use std::fmt;

use cloakroom::{PublicId, Timestamp};
use serde::{Serialize, Serializer};

/// What somebody did with the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Signed in to the page, or tried to.
    SignIn,
    /// Signed out of the page.
    SignOut,
    /// Asked for something that was refused before it was looked at: the page's forms have not asked for
    /// it, or whoever asked is no operator.
    Request {
        /// What for, below the page's own path.
        path: String,
    },
    /// Ended one session.
    EndSession {
        /// The session.
        #[serde(serialize_with = "as_text")]
        session: PublicId,
    },
    /// Ended all other sessions of a session's owner.
    EndOthers {
        /// The session that was kept.
        #[serde(serialize_with = "as_text")]
        session: PublicId,
    },
    /// Ended all sessions of an owner.
    EndOwner {
        /// The owner.
        owner: String,
    },
    /// Ended the sessions that were created before a moment, or some of them: one step of a walk.
    EndBefore {
        /// The moment.
        #[serde(serialize_with = "as_text")]
        moment: Timestamp,
    },
}

/// What became of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It was done.
    Done {
        /// Sessions that are gone.
        ended: usize,
    },
    /// It was begun, and is to go on.
    Partly {
        /// Sessions that this step has ended.
        ended: usize,
        /// How far it is, in hundredths; an estimate.
        percent: u8,
        /// Where it goes on.
        next: String,
    },
    /// Some of it is still to come: this node refuses the sessions from now on, and they are gone
    /// as soon as the storage's server answers. Other nodes may serve them until then.
    Pending {
        /// Sessions that are gone.
        ended: usize,
        /// Sessions that are still to go.
        pending: usize,
    },
    /// Some of it was left alone, and doing it once more leaves it alone again.
    Incomplete {
        /// Sessions that are gone.
        ended: usize,
        /// Sessions that are still to go.
        pending: usize,
        /// What was left alone, and why.
        reason: String,
    },
    /// There was nothing to end.
    Nothing,
    /// The storage could not say. Some of it may have been done; do it again.
    Unknown {
        /// Sessions that are gone, at least.
        ended: usize,
        /// Where it goes on; `None` where it begins anew.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
        /// Why.
        reason: String,
    },
    /// It was not allowed, and nothing was done.
    Refused {
        /// Why.
        reason: String,
    },
}

impl Action {
    /// The action in words, as a heading.
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::SignIn => "Signed in",
            Self::SignOut => "Signed out",
            Self::Request { .. } => "Asked for something",
            Self::EndSession { .. } => "End a session",
            Self::EndOthers { .. } => "End an owner's other sessions",
            Self::EndOwner { .. } => "End all sessions of an owner",
            Self::EndBefore { .. } => "End all sessions from before a moment",
        }
    }

    /// What it was done to.
    pub(crate) fn object(&self) -> String {
        match self {
            Self::SignIn | Self::SignOut => String::new(),
            Self::EndSession { session } | Self::EndOthers { session } => session.to_string(),
            Self::Request { path } => path.clone(),
            Self::EndOwner { owner } => owner.clone(),
            Self::EndBefore { moment } => moment.to_string(),
        }
    }
}

impl Outcome {
    /// The storage could not say, and nothing is known to be done.
    pub(crate) fn unknown(reason: impl fmt::Display) -> Self {
        Self::Unknown { ended: 0, next: None, reason: reason.to_string() }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { ended } => write!(f, "Done: {}.", sessions_ended(*ended)),
            Self::Partly { ended, percent, .. } => {
                write!(f, "{}, {percent} % looked through.", sessions_ended(*ended))
            }
            Self::Pending { ended, pending } => write!(
                f,
                "Pending: {}, {pending} still to go. They are refused here from now on, and gone as \
                 soon as the storage's server answers.",
                sessions_ended(*ended)
            ),
            Self::Incomplete { ended, pending, reason } => {
                write!(f, "Not all of them: {}", sessions_ended(*ended))?;
                if *pending > 0 {
                    write!(f, ", {pending} still to go")?;
                }
                write!(f, "; {reason}.")
            }
            Self::Nothing => f.write_str("There was nothing to end."),
            Self::Unknown { ended, reason, .. } => {
                f.write_str("It could not be done, or only in part: ")?;
                if *ended > 0 {
                    write!(f, "after at least {}, ", sessions_ended(*ended))?;
                }
                write!(f, "{reason}. Try again when the storage answers.")
            }
            Self::Refused { reason } => write!(f, "Refused: {reason}."),
        }
    }
}

fn sessions_ended(count: usize) -> String {
    match count {
        1 => "1 session ended".to_owned(),
        count => format!("{count} sessions ended"),
    }
}

fn as_text<S: Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use cloakroom::SessionKey;

    use super::*;

    #[test]
    fn an_action_is_written_with_its_object() {
        let session = SessionKey::from_name("a").public_id();
        let json = serde_json::to_value(Action::EndSession { session }).unwrap();
        assert_eq!(json["action"], "end_session");
        assert_eq!(json["session"], session.to_string());
        let json = serde_json::to_value(Action::SignIn).unwrap();
        assert_eq!(json, serde_json::json!({ "action": "sign_in" }));
    }

    #[test]
    fn what_is_pending_is_never_called_done() {
        let text = Outcome::Pending { ended: 1, pending: 2 }.to_string();
        assert!(text.starts_with("Pending: 1 session ended, 2 still to go."), "{text}");
        assert!(!text.contains("Done"));
    }
}
