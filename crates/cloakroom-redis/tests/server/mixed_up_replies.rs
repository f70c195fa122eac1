//! Replies that are lost, doubled or swapped: nobody gets what belongs to another session, nothing is
//! said to be written that is not, and the connection is replaced.

use std::time::{Duration, Instant};

use cloakroom::{Absolute, CommitBuilder, Committed, Expect, SessionKey, SessionStorage, Token};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::FaultProxy;
use cloakroom_testkit::fault_proxy::{FaultRule, On, Times};
use tokio::task::JoinSet;

use super::support::{holding, never_open, start};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

type Mix = fn(&FaultProxy) -> FaultRule;

const MIXES: [Mix; 5] = [
    |proxy| proxy.drop_replies(On::commands(["GET"]), Times::EveryNth(40)),
    |proxy| proxy.duplicate_replies(On::commands(["GET"]), Times::EveryNth(40)),
    |proxy| proxy.swap_replies(On::commands(["GET"]), Times::EveryNth(40)),
    |proxy| proxy.drop_replies(On::commands(["EVALSHA"]), Times::EveryNth(20)),
    |proxy| proxy.duplicate_replies(On::commands(["EVALSHA"]), Times::EveryNth(20)),
];

async fn commit(storage: &RedisSessionStorage, key: &SessionKey) -> bool {
    let new = CommitBuilder::new(Expect::Absent).absolute(Absolute::Start(DAY)).idle_timeout(DAY);
    let outcome = storage.commit(key, &new.build().unwrap()).await;
    matches!(outcome, Ok(Committed::Applied { .. }))
}

#[tokio::test]
async fn mixed_up_replies_reach_nobody_else() {
    let server = start().await;
    for mix in MIXES {
        let proxy = FaultProxy::before(&server).await.unwrap();
        let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(1);
        let storage = builder.breaker(never_open()).build().await.unwrap();
        for number in 0..8 {
            let name = number.to_string();
            storage.set(&name, &holding("a", &name), None).await.unwrap();
        }
        let rule = mix(&proxy);
        let mut clients = JoinSet::new();
        for number in 0..8 {
            let storage = storage.clone();
            clients.spawn(async move {
                let (name, mut written) = (number.to_string(), Vec::new());
                for _ in 0..15 {
                    if let Ok(Some(data)) = storage.get(&name, None).await {
                        assert_eq!(data.get::<String>("a").unwrap(), Some(name.clone()));
                    }
                    let key = Token::generate().unwrap().key();
                    if commit(&storage, &key).await {
                        written.push(key);
                    }
                }
                written
            });
        }
        let mut written = Vec::new();
        while let Some(client) = clients.join_next().await {
            written.extend(client.unwrap());
        }
        assert!(rule.struck() > 0);
        drop(rule);
        // Asked without the proxy: what was acknowledged is there.
        let direct = RedisSessionStorage::builder().url(server.url());
        let direct = direct.load_timeout(Duration::from_secs(3)).build().await.unwrap();
        for key in written {
            assert!(direct.load(&key).await.unwrap().is_some(), "an acknowledged write is missing");
        }
        // And the connection answers to the point again.
        for number in 0..8 {
            let name = number.to_string();
            let begin = Instant::now();
            let data = loop {
                match storage.get(&name, None).await {
                    Ok(data) => break data.unwrap(),
                    Err(error) => assert!(begin.elapsed() < Duration::from_secs(5), "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            };
            assert_eq!(data.get::<String>("a").unwrap(), Some(name));
        }
    }
}

#[tokio::test]
async fn an_idle_connection_out_of_step_is_found_by_its_heartbeat() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(1);
    let storage = builder.build().await.unwrap();
    let opened = proxy.accepted();
    let rule = proxy.drop_replies(On::commands(["GET"]), Times::Once);
    let _ = storage.exists("ann").await;
    rule.until_struck(1).await;
    let found = tokio::time::timeout(Duration::from_secs(5), proxy.until_accepted(opened + 1));
    found.await.unwrap();
    let begin = Instant::now();
    while storage.exists("ann").await.is_err() {
        assert!(begin.elapsed() < Duration::from_secs(5), "it was not replaced");
    }
}
