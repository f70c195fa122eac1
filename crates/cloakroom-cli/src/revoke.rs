//! `cloakroom revoke`: ends sessions by their ids.

use cloakroom::{Destroyed, Engine, Found, PublicId, SessionStorage, StorageError};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::ending::Ending;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::revocation::{self, Mode};
use crate::{identity, installation, output};

pub(crate) const EXAMPLES: &str = "\
Exit codes:
  0  they are gone
  1  one of them may still live
  5  one of them was not there; the others are gone

Examples:
  cloakroom revoke 5c1f0e9d8b7a69584736251403f2e1d0
  cloakroom list --anonymous --older-than 7days --json | jq -r .id | xargs -r cloakroom revoke --yes";

/// How many are ended at once.
const PARALLEL: usize = 64;

/// Which sessions.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The sessions' ids, as `list` and the application's logs show them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    revocation: revocation::Options,
    #[command(flatten)]
    installation: installation::Options,
    #[command(flatten)]
    output: output::Options,
}

/// What machines are told.
#[derive(Serialize)]
struct Told {
    place: String,
    dry_run: bool,
    sessions: Vec<Ended>,
}

/// What became of one session.
#[derive(Clone, Serialize)]
struct Ended {
    id: String,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It is there, and would end.
    WouldEnd,
    Ended,
    /// There was none.
    Absent,
    /// The server has not taken it.
    Pending,
    /// What is there is damaged or no session, and would be removed.
    Unreadable,
    /// Nobody knows.
    Unknown,
}

/// Ends them.
pub(crate) async fn run(options: Options) -> Result<Ending, Failure> {
    let ids = identity::read_all(&options.ids)?;
    let installation = options.installation.resolve()?;
    let place = installation.place.clone();
    let what = if ids.len() == 1 { "one session" } else { &format!("{} sessions", ids.len()) };
    options.revocation.ask(&format!("This ends {what} in {place}. Go on?"))?;
    let engine = installation.engine(options.revocation.mode().purpose()).await?;
    let mode = options.revocation.mode();
    let (mut sessions, settled) = match mode {
        Mode::Trial => (look(&engine, &ids).await?, Ok(())),
        Mode::Earnest => {
            let progress = Progress::steps(ids.len() as u64, "ending sessions");
            let work = async |progress: &Progress| {
                let ended = end_all(&engine, &ids, progress).await;
                progress.now("waiting for what the server has not taken");
                (ended, revocation::settle(&engine).await)
            };
            revocation::until_ended(progress, work).await?
        }
    };
    if settled.is_ok() {
        let pending = sessions.iter_mut().filter(|it| it.outcome == Outcome::Pending);
        pending.for_each(|it| it.outcome = Outcome::Ended);
    }
    let told = Told { place, dry_run: mode == Mode::Trial, sessions };
    options.output.open().write(&told, text)?;
    settled?;
    let has = |outcome| told.sessions.iter().any(|it| it.outcome == outcome);
    if has(Outcome::Unknown) {
        let text =
            "not every one of them is known to have ended; what has no answer may still live";
        return Err(Failure::new(text));
    }
    Ok(if has(Outcome::Absent) { Ending::NotFound } else { Ending::Done })
}

async fn look(engine: &Engine, ids: &[PublicId]) -> Result<Vec<Ended>, Failure> {
    let keys: Vec<_> = ids.iter().map(PublicId::key).collect();
    let found = engine.storage().facts(&keys).await.map_err(Failure::new)?;
    let ended = ids.iter().zip(found).map(|(id, found)| {
        let outcome = match found {
            Found::Session(_) | Found::Over(_) | Found::Ending => Outcome::WouldEnd,
            Found::Nothing => Outcome::Absent,
            Found::Unreadable => Outcome::Unreadable,
        };
        Ended { id: id.to_string(), outcome, error: None }
    });
    Ok(ended.collect())
}

/// Ends them, many side by side, so that a server that does not answer costs its time once for many.
async fn end_all(engine: &Engine, ids: &[PublicId], progress: &Progress) -> Vec<Ended> {
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(PARALLEL) {
        let mut ending = JoinSet::new();
        for (at, id) in some.iter().copied().enumerate() {
            let engine = engine.clone();
            ending.spawn(async move { (at, ended(id, engine.revoke(id).await)) });
        }
        let mut those = Vec::with_capacity(some.len());
        while let Some(ended) = ending.join_next().await {
            those.push(ended.unwrap_or_else(|it| std::panic::resume_unwind(it.into_panic())));
            progress.step("ending sessions");
        }
        those.sort_by_key(|(at, _)| *at);
        all.extend(those.into_iter().map(|(_, ended)| ended));
    }
    all
}

fn ended(id: PublicId, answer: Result<Destroyed, StorageError>) -> Ended {
    let (outcome, error) = match answer {
        Ok(Destroyed::Removed(_)) => (Outcome::Ended, None),
        Ok(Destroyed::Absent(_)) => (Outcome::Absent, None),
        Ok(Destroyed::Pending) => (Outcome::Pending, None),
        Err(error) => (Outcome::Unknown, Some(error.to_string())),
    };
    Ended { id: id.to_string(), outcome, error }
}

fn text(told: &Told) -> String {
    let line = |ended: &Ended| {
        let words = match ended.outcome {
            Outcome::WouldEnd => "would end",
            Outcome::Ended => "ended",
            Outcome::Absent => "there is no such session",
            Outcome::Pending => "may still live: the server has not taken its end",
            Outcome::Unreadable => {
                "what is stored there is damaged or no session, and would be removed"
            }
            Outcome::Unknown => "nobody knows whether it has ended",
        };
        let error = ended.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        format!("{}  {words}{error}\n", ended.id)
    };
    told.sessions.iter().map(line).collect()
}
