//! What a command is about to do with the servers, and whether they are the ones to do it with.
//!
//! A replica holds what it has heard of. That something is not there means nothing on one that is
//! behind or cut off, so nothing may be believed to have ended there.

use cloakroom::{NodeHealth, StorageHealth};

use crate::failure::Failure;
use crate::output::remark;

const REPLICA: &str = "replica";
const UNKNOWN: &str = "unknown";

/// What a command is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It looks at sessions.
    Look,
    /// It ends sessions.
    End,
}

impl Purpose {
    /// An error where sessions would be ended on a replica; a remark where one is looked at.
    pub(super) fn check(self, health: &StorageHealth) -> Result<(), Failure> {
        let replica = health.nodes.iter().find(|node| node.role.as_deref() == Some(REPLICA));
        if let Some(NodeHealth { address: name, .. }) = replica {
            return match self {
                Self::End => Err(Failure::new(format!(
                    "{name} is a replica: sessions of which it has not heard would live on; \
                     connect to the primary, or name the Sentinels that know it"
                ))),
                Self::Look => {
                    remark(&format!("{name} is a replica, and may lack sessions that there are"));
                    Ok(())
                }
            };
        }
        let untold =
            health.nodes.iter().find(|node| node.role.as_deref().is_none_or(|it| it == UNKNOWN));
        if let (Self::End, Some(NodeHealth { address: name, .. })) = (self, untold) {
            remark(&format!(
                "whether {name} is a replica, which may lack sessions, is not told: the user \
                 needs +info"
            ));
        }
        Ok(())
    }
}
