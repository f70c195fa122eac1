//! The keys of another library in a Cluster.

use std::collections::BTreeSet;

use cloakroom_redis::{ForeignCursor, ForeignKeys, ForeignValue, RedisConfig};
use cloakroom_testkit::ClusterSet;

#[tokio::test]
async fn a_walk_goes_over_every_primary_and_on_from_any_cursor() {
    let cluster = ClusterSet::start().await.unwrap();
    let mut expected = BTreeSet::new();
    for number in 0..60 {
        let name = format!("sess:{number}");
        let owner = cluster.owner(cluster.slot(&name).await.unwrap()).await.unwrap();
        let answer = owner.ask(["SET", &name, "value", "EX", "600"]).await.unwrap();
        assert_eq!(answer.text(), "OK");
        expected.insert(name.into_bytes());
    }
    let config = RedisConfig::from_url(cluster.plain_url());
    let (mut cursor, mut names) = (Some(ForeignCursor::start()), BTreeSet::new());
    let mut cursors = BTreeSet::new();
    while let Some(at) = cursor {
        // Each round by a walk of its own, as after an interruption.
        let keys = ForeignKeys::connect(config.clone(), "sess:", None).await.unwrap();
        let page = keys.page(&at.to_string().parse().unwrap()).await.unwrap();
        for name in page.names {
            let value = keys.text(&name).await.unwrap().value;
            assert_eq!(value, ForeignValue::Text("value".into()));
            names.insert(name);
        }
        assert!(cursors.insert(at.to_string()), "it goes on");
        cursor = page.next;
    }
    assert_eq!(names, expected);
    assert!(cursors.len() >= 3, "{cursors:?}");
}
