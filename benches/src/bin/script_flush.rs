//! SCRIPT FLUSH again and again under load: the server forgets all scripts, and callers must not
//! notice. Each caller creates, writes, prolongs and deletes sessions without a pause.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cloakroom::{SessionData, SessionKey, SessionStorage};
use cloakroom_benches::{Bars, rounds};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

const CALLERS: usize = 32;
const PAUSE: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() -> ExitCode {
    let flushes = rounds(100);
    let server = RedisServer::start().await.expect("redis-server is installed");
    let storage = RedisSessionStorage::builder().url(server.url()).build().await;
    let storage = storage.expect("the server was just started");
    let (calls, errors) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let over = Arc::new(AtomicBool::new(false));
    let mut callers = Vec::new();
    for at in 0..CALLERS {
        let (storage, over) = (storage.clone(), over.clone());
        let (calls, errors) = (calls.clone(), errors.clone());
        callers.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let failed = live(&storage, &format!("visitor-{at}")).await;
                calls.fetch_add(5, Ordering::Relaxed);
                errors.fetch_add(failed, Ordering::Relaxed);
            }
        }));
    }
    for _ in 0..flushes {
        tokio::time::sleep(PAUSE).await;
        server.ask(["SCRIPT", "FLUSH"]).await.expect("an answer");
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("no caller panics");
    }
    let by_text = server.calls("eval").await.expect("an answer");
    let title = format!("SCRIPT FLUSH {flushes} times, once every {PAUSE:?}, {CALLERS} callers");
    let mut bars = Bars::new(&title);
    bars.count("scripts sent by their text", by_text as usize);
    bars.none("calls that failed", errors.load(Ordering::Relaxed), calls.load(Ordering::Relaxed));
    assert!(by_text as usize >= flushes, "the server had forgotten its scripts each time");
    bars.end()
}

/// A session's life; how many of its five calls went wrong.
async fn live(storage: &RedisSessionStorage, name: &str) -> usize {
    let mut failed = 0;
    let mut check = |good: bool| failed += usize::from(!good);
    let mut data = SessionData::new();
    data.insert("step", 1).expect("a number is JSON");
    check(storage.set(name, &data, None).await.is_ok());
    match storage.get(name, None).await {
        Ok(Some(mut data)) => {
            data.insert("step", 2).expect("a number is JSON");
            check(storage.set(name, &data, None).await.is_ok());
        }
        _ => check(false),
    }
    check(storage.touch(&SessionKey::from_name(name)).await.is_ok());
    check(storage.delete(name).await.is_ok_and(|there| there));
    failed
}
