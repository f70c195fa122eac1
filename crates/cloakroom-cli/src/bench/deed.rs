//! [`Deed`]: one operation on one session, as a request of a web application would ask for it.

use cloakroom::{SessionData, SessionError, SessionStorage};
use cloakroom_redis::RedisSessionStorage;

use super::plan::{Phase, SESSION_BYTES};

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    SignIn,
    Read,
    Write,
    SignOut,
    /// Ends a session, and begins it anew.
    SignOutAndIn,
}

/// Of a hundred requests of the mix.
const READS: u64 = 78;
const WRITES: u64 = 20;

impl Deed {
    /// What is done in a phase as its `number`th operation.
    pub(super) fn of(phase: Phase, number: u64) -> Self {
        match phase {
            Phase::SignIn => Self::SignIn,
            Phase::Read => Self::Read,
            Phase::Write => Self::Write,
            Phase::SignOut => Self::SignOut,
            // Steps that have no divisor with a hundred in common meet every share in its measure.
            Phase::Mixed => match (number * 37) % 100 {
                share if share < READS => Self::Read,
                share if share < READS + WRITES => Self::Write,
                _ => Self::SignOutAndIn,
            },
        }
    }

    /// Does it.
    pub(super) async fn carry_out(
        self,
        storage: &RedisSessionStorage,
        name: &str,
    ) -> Result<(), SessionError> {
        match self {
            Self::SignIn => sign_in(storage, name).await,
            Self::Read => match storage.get(name, None).await? {
                Some(_) => Ok(()),
                None => Err(SessionError::Gone),
            },
            Self::Write => {
                let mut data = storage.get(name, None).await?.ok_or(SessionError::Gone)?;
                data.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?;
                storage.set(name, &data, None).await
            }
            Self::SignOut => Ok(storage.delete(name).await.map(drop)?),
            Self::SignOutAndIn => {
                storage.delete(name).await?;
                sign_in(storage, name).await
            }
        }
    }
}

async fn sign_in(storage: &RedisSessionStorage, name: &str) -> Result<(), SessionError> {
    let mut data = SessionData::new();
    data.insert("visits", 0u64)?;
    data.insert("filler", "x".repeat(SESSION_BYTES))?;
    storage.set(name, &data, None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_has_its_measure() {
        let deeds: Vec<_> = (0..100).map(|number| Deed::of(Phase::Mixed, number)).collect();
        let count = |deed| deeds.iter().filter(|it| **it == deed).count();
        assert_eq!([Deed::Read, Deed::Write, Deed::SignOutAndIn].map(count), [78, 20, 2]);
    }
}
