//! What the tests of this folder share: a storage, callers who note what they were told, and how
//! long a busy machine is waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cloakroom::{SessionData, SessionStorage, StorageError};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;
use tokio::task::JoinHandle;

/// How soon a storage has to be well again when its server is.
pub(crate) const SOON: Duration = Duration::from_secs(1);

/// How much later than its limit an operation may end.
pub(crate) const GRACE: Duration = Duration::from_millis(50);

/// Longer than any machine is busy with something else.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn connect(server: &RedisServer) -> RedisSessionStorage {
    RedisSessionStorage::builder().url(server.url()).build().await.unwrap()
}

pub(crate) fn counting(count: u32) -> SessionData {
    let mut data = SessionData::new();
    data.insert("count", count).unwrap();
    data
}

/// The count in a session; `None` where there is no such session.
pub(crate) async fn count(
    storage: &RedisSessionStorage,
    id: &str,
) -> Result<Option<u32>, StorageError> {
    let data = storage.get(id, None).await?;
    Ok(data.map(|data| data.get::<u32>("count").unwrap().unwrap()))
}

/// Waits until something is so; how long that took.
pub(crate) async fn until(mut reached: impl AsyncFnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !reached().await {
        assert!(begin.elapsed() < PATIENCE, "it never came");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    begin.elapsed()
}

/// Checks that something takes no longer than `limit`. Each try prepares itself.
///
/// A busy machine may delay one try; only a mistake delays all of them.
pub(crate) async fn takes_at_most(limit: Duration, mut prepared: impl AsyncFnMut() -> Duration) {
    let mut took = Vec::new();
    for _ in 0..3 {
        took.push(prepared().await);
        if took.last().is_some_and(|last| *last <= limit) {
            return;
        }
    }
    panic!("it should take {limit:?} at most, it took {took:?}");
}

/// One answer, and how long it took.
pub(crate) struct Told {
    pub(crate) took: Duration,
    pub(crate) outcome: Result<Option<u32>, StorageError>,
}

/// Callers who read one session again and again.
pub(crate) struct Readers {
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Vec<Told>>>,
}

impl Readers {
    pub(crate) fn start(storage: &RedisSessionStorage, id: &'static str, callers: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let read = |storage: RedisSessionStorage, over: Arc<AtomicBool>| async move {
            let mut told = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let begin = Instant::now();
                let outcome = count(&storage, id).await;
                told.push(Told { took: begin.elapsed(), outcome });
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            told
        };
        let tasks = (0..callers).map(|_| tokio::spawn(read(storage.clone(), over.clone())));
        Self { tasks: tasks.collect(), over }
    }

    pub(crate) async fn end(self) -> Vec<Told> {
        self.over.store(true, Ordering::Relaxed);
        let mut told = Vec::new();
        for task in self.tasks {
            told.append(&mut task.await.unwrap());
        }
        told
    }
}

/// Checks that hardly anybody waited for longer than a limit, and nobody for ever.
pub(crate) fn assert_ended_in_time(told: &[Told], limit: Duration) {
    let late: Vec<_> = told.iter().map(|told| told.took).filter(|took| *took > limit).collect();
    assert!(late.len() * 10 <= told.len(), "{} of {}: {late:?}", late.len(), told.len());
    let longest = late.iter().max().copied().unwrap_or_default();
    assert!(longest <= limit + Duration::from_secs(2), "{longest:?}");
}
