//! Every law on a Cluster of three primaries.

use cloakroom_testkit::ClusterSet;
use tokio::sync::OnceCell;

use super::fixture::Prefixed;

static CLUSTER: OnceCell<ClusterSet> = OnceCell::const_new();

async fn cluster() -> Prefixed {
    let cluster = CLUSTER.get_or_init(async || ClusterSet::start().await.unwrap()).await;
    Prefixed::new(cluster.url())
}

cloakroom_testkit::storage_laws!(cluster().await);
