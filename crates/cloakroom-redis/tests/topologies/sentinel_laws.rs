//! Every law on a primary that Sentinels watch.

use cloakroom_testkit::SentinelSet;
use tokio::sync::OnceCell;

use super::fixture::Prefixed;

static SENTINELS: OnceCell<SentinelSet> = OnceCell::const_new();

async fn sentinels() -> Prefixed {
    let sentinels = SENTINELS.get_or_init(async || SentinelSet::start().await.unwrap()).await;
    Prefixed::new(sentinels.url())
}

cloakroom_testkit::storage_laws!(sentinels().await);
