//! A server that forgets its scripts (SCRIPT FLUSH, and every restart).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cloakroom::{Clock, SessionData, SessionKey, SessionStorage, SystemClock, Touched};
use cloakroom_testkit::RedisServer;

use super::support::{connect, count, counting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_caller_notices_that_scripts_are_forgotten_again_and_again() {
    let server = RedisServer::start().await.unwrap();
    let storage = connect(&server).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut callers = Vec::new();
    for at in 0..8 {
        let (storage, over) = (storage.clone(), over.clone());
        callers.push(tokio::spawn(async move {
            let (id, mut lives) = (format!("visitor-{at}"), 0);
            let key = SessionKey::from_name(&id);
            while !over.load(Ordering::Relaxed) {
                lives += 1;
                storage.set(&id, &counting(lives), None).await.unwrap();
                assert_ne!(storage.touch(&key).await.unwrap(), Touched::Gone);
                assert_eq!(count(&storage, &id).await.unwrap(), Some(lives));
                assert!(storage.delete(&id).await.unwrap());
            }
            lives
        }));
    }
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        assert!(caller.await.unwrap() > 0);
    }
    assert!(server.calls("eval").await.unwrap() >= 20);
}

#[tokio::test]
async fn a_removal_of_many_teaches_its_script_once() {
    let server = RedisServer::start().await.unwrap();
    let storage = connect(&server).await;
    let mut sessions = Vec::new();
    for at in 0..600 {
        let name = format!("visitor {at}");
        storage.set(&name, &SessionData::new(), None).await.unwrap();
        sessions.push(SessionKey::from_name(&name));
    }
    server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
    let before = server.calls("eval").await.unwrap();
    let later = SystemClock.now() + Duration::from_secs(60);
    assert_eq!(storage.destroy_created_before(&sessions, later).await.unwrap().removed, 600);
    assert_eq!(server.calls("eval").await.unwrap() - before, 1);
}
