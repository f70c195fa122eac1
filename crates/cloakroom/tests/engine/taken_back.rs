//! Sign-ins of whose commit nobody knows what became of it: what they have signed in ends, what they have
//! not goes on, and nobody else waits for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use cloakroom::{
    Answer, AtLimit, Commit, Committed, LoadOutcome, MemorySessionStorage, Operation, Session,
    SessionError, SessionKey, SessionStorage, SetCookie, StorageError, StorageErrorKind,
};
use cloakroom_testkit::{AilingStorage, ManualClock, Mood};
use tokio::time::Instant;

use crate::house::House;

const WELL: u8 = 0;
/// A commit does not reach the server, and from then on nothing that writes.
const CUT_BEFORE: u8 = 1;
/// A commit is carried out, and nothing is heard of the server from then on.
const CUT_AFTER: u8 = 2;
/// A commit does not reach the server.
const LOSES: u8 = 3;

#[derive(Clone)]
struct Cut {
    server: AilingStorage,
    how: Arc<AtomicU8>,
}

impl SessionStorage for Cut {
    cloakroom_testkit::pass_on! {
        [server] load touch destroy destroy_unseen owner_index change_owner_index facts stats
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        match self.how.load(Ordering::SeqCst) {
            WELL => return self.server.commit(key, commit).await,
            CUT_BEFORE => self.server.writes(Mood::Down),
            CUT_AFTER => {
                let _ = self.server.commit(key, commit).await?;
                self.server.reads(Mood::Down);
                self.server.writes(Mood::Down);
            }
            _ => {}
        }
        let (kind, message) = (StorageErrorKind::Unavailable, "nobody knows");
        Err(StorageError::new(kind, Operation::Commit, message))
    }

    fn backend_name(&self) -> &'static str {
        "cut"
    }
}

/// A house in which nobody may have two sessions.
fn house() -> (House, Cut) {
    let clock = ManualClock::new();
    let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let cut = Cut { server: AilingStorage::new(memory), how: Arc::default() };
    let house = House::on(cut.clone(), clock, |policy| {
        policy.concurrent_sessions.limit = 1;
        policy.concurrent_sessions.at_limit = AtLimit::Refuse;
    });
    (house, cut)
}

fn olga(session: &Session) {
    session.set_owner("olga").unwrap();
}

/// A sign-in whose commit ends as `how` says.
async fn failing(house: &House, cut: &Cut, cookie: Option<&SetCookie>, how: u8) {
    let scope = house.begin(cookie);
    olga(&scope.handle().load().await.unwrap());
    cut.how.store(how, Ordering::SeqCst);
    let error = scope.finish(Answer::Ordinary).await.unwrap_err();
    assert!(matches!(&error, SessionError::Storage(_)), "{error}");
    cut.how.store(WELL, Ordering::SeqCst);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_sign_in_has_failed_takes_writes_as_before() {
    let (house, cut) = house();
    let cookie = house.visitor().await;
    failing(&house, &cut, Some(&cookie), CUT_BEFORE).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    cut.server.writes(Mood::Well);
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Found);
    house.visit(&cookie, |session| session.insert("colour", "red").unwrap()).await;
    let newer = house.visit(&cookie, olga).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(house.look(&newer, Session::owner).await.as_deref(), Some("olga"));
    assert_eq!(house.engine.background_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_before_an_outage_of_any_length_is_taken_back_after_it() {
    for is_new in [true, false] {
        let (house, cut) = house();
        let cookie = if is_new { None } else { Some(house.visitor().await) };
        failing(&house, &cut, cookie.as_ref(), CUT_AFTER).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        cut.server.recover().await;
        assert_eq!(house.engine.sessions_of("olga").await.unwrap().len(), 1);
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(house.engine.sessions_of("olga").await.unwrap(), []);
        let _ = house.visit(None, olga).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_a_commit_that_may_never_come() {
    let (house, cut) = house();
    failing(&house, &cut, None, LOSES).await;
    // Its place is free after the first look.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let cookie = house.visitor().await;
    failing(&house, &cut, Some(&cookie), LOSES).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(house.engine.background_tasks(), 2, "they look again later");
    let start = Instant::now();
    assert!(house.engine.drain(Duration::from_secs(1)).await);
    assert_eq!(start.elapsed(), Duration::ZERO);
    // Nor does one that is begun while nothing can be asked.
    failing(&house, &cut, Some(&cookie), CUT_AFTER).await;
    assert!(house.engine.drain(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn sign_ins_that_are_taken_back_are_bounded_and_keep_nobody_from_being_touched() {
    let (house, cut) = house();
    let visitor = house.visitor().await;
    for number in 0..1_100 {
        let cookie = house.visitor().await;
        let scope = house.begin(&cookie);
        scope.handle().load().await.unwrap().set_owner(&format!("owner {number}")).unwrap();
        cut.how.store(LOSES, Ordering::SeqCst);
        let _ = scope.finish(Answer::Ordinary).await.unwrap_err();
        cut.how.store(WELL, Ordering::SeqCst);
    }
    assert_eq!(house.engine.background_tasks(), 1_024);
    house.clock.advance(Duration::from_secs(20 * 60));
    house.look(&visitor, |_| {}).await;
    let scope = house.begin(&visitor);
    scope.handle().load().await.unwrap();
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!((house.journal.count("Touched"), house.journal.count("TouchSkipped")), (1, 0));
    assert_eq!(house.engine.background_tasks(), 0);
}
