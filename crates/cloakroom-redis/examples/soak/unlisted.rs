//! Who is signed in and cannot be found by the owner's index: nobody, unless a failover took the entry.

use cloakroom::{Engine, OwnerKey, Position, SessionStorage, StorageError, Timestamp};

/// Walks over all sessions, and names those that were signed in since a moment and are not in their
/// owner's index. Nothing may be under way any more.
pub(crate) async fn unlisted(
    engine: &Engine,
    since: Timestamp,
) -> Result<Vec<String>, StorageError> {
    let (storage, mut unlisted) = (engine.storage(), Vec::new());
    let mut position = Some(Position::start());
    while let Some(here) = position {
        let page = storage.walk(&here).await?;
        let found = storage.facts(&page.sessions).await?;
        for facts in found.into_iter().filter_map(|found| found.session()) {
            let (Some(owner), Some(signed_in)) = (facts.owner(), facts.signed_in()) else {
                continue;
            };
            let index = storage.owner_index(&OwnerKey::of(owner)).await?;
            let is_listed = index.entries.iter().any(|it| it.session == facts.id().key());
            if signed_in >= since && !is_listed {
                unlisted.push(format!("{facts:?} of {owner} is not in the index"));
            }
        }
        position = page.next;
    }
    Ok(unlisted)
}
