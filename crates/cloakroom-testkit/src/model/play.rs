//! [`follow`]: plays one history on the model and on a storage, and compares every answer.

use std::fmt;
use std::time::Duration;

use cloakroom::{
    Commit, CommitBuilder, Committed, Destroyed, Expect, Generation, Nonce, SessionKey,
    SessionStorage, StorageErrorKind, Timestamp, Token, Touched, Version,
};

use super::history::{Content, Lifetime, SESSIONS, Step, Wanted};
use super::reference::{Outcome, Reference, Times, TouchOutcome};
use super::time::Time;

/// The first answer of a storage that is not the model's.
#[derive(Clone, Debug)]
pub struct Difference {
    step: usize,
    of: String,
    wanted: String,
    answered: String,
}

/// Plays a history on sessions of its own, and removes them at the end.
///
/// Nobody else may use the storage meanwhile, or its counts are not the model's.
///
/// # Errors
/// The first [`Difference`] between the model and the storage.
pub async fn follow(
    storage: &impl SessionStorage,
    time: &impl Time,
    history: &[Step],
) -> Result<(), Difference> {
    let mut player = Player::new(storage, time);
    player.before = player.count().await;
    let mut played = Ok(());
    for (at, step) in history.iter().enumerate() {
        played = player.play(step).await.map_err(|Mismatch { wanted, answered }| Difference {
            step: at,
            of: format!("{step:?}"),
            wanted,
            answered,
        });
        if played.is_err() {
            break;
        }
    }
    for token in &player.tokens {
        // Whether it was still there has been compared; this only leaves a clean house.
        let _ = storage.destroy(&token.key()).await;
    }
    played
}

struct Player<'a, S, T> {
    storage: &'a S,
    time: &'a T,
    reference: Reference,
    tokens: Vec<Token>,
    sent: Vec<(usize, Commit)>,
    /// The latest moment that the storage has told of.
    seen: u64,
    /// Sessions and bytes of others.
    before: (u64, u64),
}

struct Mismatch {
    wanted: String,
    answered: String,
}

impl<'a, S: SessionStorage, T: Time> Player<'a, S, T> {
    fn new(storage: &'a S, time: &'a T) -> Self {
        let token = |_| Token::generate().expect("the system gives random bytes");
        let tokens = (0..SESSIONS).map(token).collect();
        let reference = Reference::default();
        Self { storage, time, reference, tokens, sent: Vec::new(), seen: 0, before: (0, 0) }
    }

    async fn play(&mut self, step: &Step) -> Result<(), Mismatch> {
        if let Some(now) = self.time.now() {
            self.reference.expire(now.as_millis());
        }
        match step {
            Step::Load(session) => self.load(*session).await,
            Step::Commit { session, wanted, lifetime, content } => {
                let commit = self.write(*session, *wanted, *lifetime, content);
                if content.oversized {
                    return self.refused(*session, &commit).await;
                }
                self.sent.push((*session, commit.clone()));
                self.commit(*session, &commit).await
            }
            Step::Repeat(back) => {
                let Some((session, commit)) = self.sent.iter().rev().nth(*back).cloned() else {
                    return Ok(());
                };
                self.commit(session, &commit).await
            }
            Step::Touch(session) => self.touch(*session).await,
            Step::Destroy(session) => self.destroy(*session).await,
            Step::Count => {
                let (sessions, bytes) = self.count().await;
                let wanted = (self.reference.sessions(), self.reference.bytes());
                compare(&wanted, &(sessions - self.before.0, bytes - self.before.1))
            }
            Step::Wait(duration) => {
                self.time.advance(*duration).await;
                Ok(())
            }
            Step::WaitForDeadline(session, beyond) => {
                self.wait_for_deadline(*session, *beyond).await;
                Ok(())
            }
        }
    }

    async fn load(&self, session: usize) -> Result<(), Mismatch> {
        let key = self.key(session);
        let answer = self.storage.load(&key).await;
        let wanted = self.reference.load(&key).map(|stored| stored.bytes());
        let found = answer.map(|record| record.map(|record| record.as_bytes().to_vec()));
        compare(&Ok(wanted), &found.map_err(|error| error.to_string()))
    }

    async fn commit(&mut self, session: usize, commit: &Commit) -> Result<(), Mismatch> {
        let key = self.key(session);
        let answer = self.storage.commit(&key, commit).await;
        let told = match &answer {
            Ok(Committed::Applied { as_of, .. }) => as_of.as_millis(),
            _ => self.seen,
        };
        let now = self.time.now().map_or(told, Timestamp::as_millis);
        self.seen = self.seen.max(told);
        let wanted = self.reference.commit(&key, commit, now);
        match (&wanted, &answer) {
            (Outcome::Applied(wanted), Ok(Committed::Applied { stamp, as_of })) => {
                compare(wanted, &Times::from(*stamp))?;
                compare(&now, &as_of.as_millis())
            }
            (Outcome::Conflict(wanted), Ok(Committed::Conflict(newer))) => {
                compare(&wanted.bytes(), &newer.as_bytes().to_vec())
            }
            (Outcome::Gone, Ok(Committed::Gone)) | (Outcome::Exists, Ok(Committed::Exists)) => {
                Ok(())
            }
            _ => Err(Mismatch::new(&wanted, &answer)),
        }
    }

    /// Sends a commit that is too large; that it changed nothing shows in what follows.
    async fn refused(&self, session: usize, commit: &Commit) -> Result<(), Mismatch> {
        let answer = self.storage.commit(&self.key(session), commit).await;
        match &answer {
            Err(error) if matches!(error.kind(), StorageErrorKind::TooLarge { .. }) => Ok(()),
            _ => Err(Mismatch::new(&"an error of kind TooLarge", &answer)),
        }
    }

    async fn touch(&mut self, session: usize) -> Result<(), Mismatch> {
        let key = self.key(session);
        let answer = self.storage.touch(&key).await;
        let told = match &answer {
            Ok(Touched::Extended(stamp)) => stamp.touched.as_millis(),
            _ => self.seen,
        };
        let now = self.time.now().map_or(told, Timestamp::as_millis);
        self.seen = self.seen.max(told);
        let wanted = self.reference.touch(&key, now);
        let answered = answer.map_err(|error| error.to_string()).map(|touched| match touched {
            Touched::Extended(stamp) => TouchOutcome::Extended(stamp.into()),
            Touched::Unchanged => TouchOutcome::Unchanged,
            Touched::Gone => TouchOutcome::Gone,
        });
        compare(&Ok(wanted), &answered)
    }

    async fn destroy(&mut self, session: usize) -> Result<(), Mismatch> {
        let key = self.key(session);
        let answer = self.storage.destroy(&key).await.map_err(|error| error.to_string());
        let was_there = self.reference.destroy(&key);
        compare(&Ok(was_there), &answer.map(|destroyed| matches!(destroyed, Destroyed::Removed(_))))
    }

    async fn count(&self) -> (u64, u64) {
        let stats = self.storage.stats().await.expect("the storage can count");
        (stats.total_sessions, stats.total_bytes)
    }

    async fn wait_for_deadline(&self, session: usize, beyond: Duration) {
        let stored = self.reference.load(&self.key(session));
        if let (Some(stored), Some(now)) = (stored, self.time.now()) {
            let deadline = Timestamp::from_millis(stored.times.idle_deadline);
            self.time.advance(now.until(deadline) + beyond).await;
        }
    }

    fn write(&self, session: usize, wanted: Wanted, life: Lifetime, content: &Content) -> Commit {
        let stored = self.reference.load(&self.key(session));
        let current = stored.map_or(0, |stored| stored.times.generation);
        let nonce = stored.map_or(Nonce::from_bytes([0; 16]), |stored| stored.nonce);
        let exactly = |number| Expect::Exactly(Version::new(Generation::new(number), nonce));
        let expect = match wanted {
            Wanted::Absent => Expect::Absent,
            Wanted::Present => Expect::Present,
            Wanted::Current => exactly(current),
            Wanted::Stale(back) => exactly(current.saturating_sub(back)),
            Wanted::Future(ahead) => exactly(current + ahead),
        };
        let mut commit = CommitBuilder::new(expect)
            .absolute(life.absolute)
            .idle_timeout(life.idle)
            .verifier(self.tokens[session].verifier_hash());
        for (name, json) in &content.fields {
            commit = commit.field(name, json.as_bytes());
        }
        if let Some(owner) = &content.owner {
            commit = commit.owner(owner);
        }
        if content.persistent {
            commit = commit.persistent();
        }
        if content.oversized {
            commit = commit.field("oversized", vec![b'1'; self.storage.max_session_bytes()]);
        }
        commit.build().expect("a history names its fields and owners soundly")
    }

    fn key(&self, session: usize) -> SessionKey {
        self.tokens[session].key()
    }
}

impl Mismatch {
    fn new(wanted: &impl fmt::Debug, answered: &impl fmt::Debug) -> Self {
        Self { wanted: format!("{wanted:?}"), answered: format!("{answered:?}") }
    }
}

fn compare<T: PartialEq + fmt::Debug>(wanted: &T, answered: &T) -> Result<(), Mismatch> {
    if wanted == answered { Ok(()) } else { Err(Mismatch::new(wanted, answered)) }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, of, wanted, answered } = self;
        write!(f, "step {step}, {of}:\n   the model says {wanted}\n the storage says {answered}")
    }
}

impl std::error::Error for Difference {}
