//! [`ByCopies`]: a storage whose loads are answered by its near-cache's copies, as those of a request
//! are, so that laws which are about loads hold for copies too.

use cloakroom::{Record, SessionKey, SessionStorage, StorageError};
use cloakroom_redis::RedisSessionStorage;

pub(crate) struct ByCopies(pub(crate) RedisSessionStorage);

impl SessionStorage for ByCopies {
    cloakroom_testkit::pass_on! {
        [0] cached commit touch destroy destroy_unseen owner_index change_owner_index mark
        leave_mark facts walk destroy_created_before stats backend_name default_ttl fingerprint_mode
        timeout health observe_with max_session_bytes
    }

    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        match self.0.cached(key) {
            None => self.0.load(key).await,
            copy => Ok(copy),
        }
    }
}
