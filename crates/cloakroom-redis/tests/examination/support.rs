//! What the tests of this folder share.

use std::time::Duration;

use cloakroom_redis::{
    Diagnosis, Examination, Finding, RedisStorageConfig, Severity, Topic, Verdict,
};
use cloakroom_testkit::{Persistence, RedisServer, RedisServerBuilder};

pub(crate) const SECRET: &str = "correct-horse";

pub(crate) fn config(url: impl Into<String>) -> RedisStorageConfig {
    let mut config = RedisStorageConfig::default();
    config.url = url.into();
    config.connection_timeout = Duration::from_secs(1);
    config.command_timeout = Duration::from_secs(1);
    config
}

pub(crate) async fn examine(url: impl Into<String>) -> Diagnosis {
    examine_as(config(url)).await
}

pub(crate) async fn examine_as(config: RedisStorageConfig) -> Diagnosis {
    let diagnosis = Examination::new(config).rounds(20).run().await.unwrap();
    let shown = format!("{diagnosis:?}{}", serde_json::to_string(&diagnosis).unwrap());
    assert!(!shown.contains(SECRET), "{shown}");
    diagnosis
}

/// A server with which everything is as it should be.
pub(crate) fn sound() -> RedisServerBuilder {
    RedisServer::builder()
        .password(SECRET)
        .persistence(Persistence::EverySecond)
        .setting("maxmemory", "1gb")
}

/// The findings on a topic.
pub(crate) fn on(diagnosis: &Diagnosis, topic: Topic) -> Vec<&Finding> {
    diagnosis.findings.iter().filter(|finding| finding.topic == topic).collect()
}

/// The one finding on a topic, whose severity and words are these.
pub(crate) fn assert_found<'a>(
    diagnosis: &'a Diagnosis,
    topic: Topic,
    severity: Severity,
    words: &[&str],
) -> &'a Finding {
    let found = on(diagnosis, topic).into_iter().find(|finding| {
        let text = format!("{} {}", finding.seen, finding.remedy.as_deref().unwrap_or_default());
        finding.severity == severity && words.iter().all(|word| text.contains(word))
    });
    found.unwrap_or_else(|| panic!("no {severity} on {topic} with {words:?}: {diagnosis:#?}"))
}

/// The verdict without what was measured: a busy machine is slow.
pub(crate) fn verdict(diagnosis: &Diagnosis) -> Verdict {
    let mut diagnosis = diagnosis.clone();
    diagnosis.findings.retain(|finding| finding.topic != Topic::Latency);
    diagnosis.verdict()
}

/// What has to be done is said wherever something has to be done.
pub(crate) fn assert_helps(diagnosis: &Diagnosis, expected: Verdict) {
    assert_eq!(verdict(diagnosis), expected, "{diagnosis:#?}");
    for finding in diagnosis.problems() {
        assert!(finding.remedy.is_some() && !finding.why.is_empty(), "{finding:?}");
    }
}
