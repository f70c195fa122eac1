//! `cloakroom revoke-owner`: ends all sessions of an owner, or all but one.

use cloakroom::{Engine, Found, OwnerKey, PublicId, SessionFacts, SessionStorage};
use serde::Serialize;

use crate::ending::Ending;
use crate::failure::Failure;
use crate::list::{HEAD, line};
use crate::progress::Progress;
use crate::revocation::{self, Mode};
use crate::shown::shown;
use crate::{identity, installation, output};

pub(crate) const EXAMPLES: &str = "\
It finds them by the owner's index and looks at no others. Sign-ins that are under way are waited
for and ended as well. An owner without sessions is no failure.

Examples:
  cloakroom revoke-owner ann@example.org
  cloakroom revoke-owner ann@example.org --keep 5c1f0e9d8b7a69584736251403f2e1d0 --yes";

/// Whose sessions.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The owner, as the application has named it at the sign-in
    owner: String,
    /// Leave this session of the owner
    #[arg(long, value_name = "ID")]
    keep: Option<String>,
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
    owner: String,
    kept: Option<String>,
    /// How many have ended, or would; `None` where nobody knows.
    ended: Option<usize>,
    /// How many may still live; `None` where nobody knows.
    pending: Option<usize>,
    /// How many were left alone, or would be, because they cannot be read; `None` where nobody knows.
    unreadable: Option<u64>,
    /// In a trial: those that would end.
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<Vec<String>>,
    #[serde(skip)]
    lines: String,
}

/// Ends them.
pub(crate) async fn run(options: Options) -> Result<Ending, Failure> {
    let owner = options.owner.as_str();
    let keep = options.keep.as_deref().map(identity::read).transpose()?;
    let installation = options.installation.resolve()?;
    let place = installation.place.clone();
    let but = if keep.is_some() { " but one" } else { "" };
    let whose = shown(owner);
    options
        .revocation
        .ask(&format!("This ends all sessions of {whose}{but} in {place}. Go on?"))?;
    let engine = installation.engine(options.revocation.mode().purpose()).await?;
    if let Some(keep) = keep {
        check_kept(&engine, owner, keep).await?;
    }
    let mut told = Told {
        place,
        dry_run: options.revocation.mode() == Mode::Trial,
        owner: owner.to_owned(),
        kept: keep.map(|keep| keep.to_string()),
        ended: None,
        pending: None,
        unreadable: None,
        sessions: None,
        lines: String::new(),
    };
    let settled = match options.revocation.mode() {
        Mode::Trial => {
            told.would_end(&others(&engine, owner, keep).await?);
            told.unreadable = Some(unreadable(&engine, owner, keep).await?);
            Ok(())
        }
        Mode::Earnest => {
            let progress = Progress::waiting(format!("ending sessions of {whose}"));
            let work = async |_: &Progress| end(&engine, owner, keep, &mut told).await;
            revocation::until_ended(progress, work).await?
        }
    };
    options.output.open().write(&told, text)?;
    settled.map(|()| Ending::Done)
}

impl Told {
    fn would_end(&mut self, sessions: &[SessionFacts]) {
        (self.ended, self.pending) = (Some(sessions.len()), Some(0));
        self.sessions = Some(sessions.iter().map(|facts| facts.id().to_string()).collect());
        if !sessions.is_empty() {
            let lines: String = sessions.iter().map(line).collect();
            self.lines = format!("{HEAD}{lines}\n");
        }
    }
}

/// Nothing ends where the session that shall stay is not the owner's: it was mistyped, or is over.
async fn check_kept(engine: &Engine, owner: &str, keep: PublicId) -> Result<(), Failure> {
    match engine.session(keep).await.map_err(Failure::new)? {
        Found::Session(facts) if facts.owner() == Some(owner) => Ok(()),
        Found::Session(_) => {
            Err(Failure::new(format!("{keep} is no session of that owner; nothing was done")))
        }
        _ => Err(Failure::not_found(format!("there is no session {keep}; nothing was done"))),
    }
}

async fn others(
    engine: &Engine,
    owner: &str,
    keep: Option<PublicId>,
) -> Result<Vec<SessionFacts>, Failure> {
    let mut sessions = engine.sessions_of(owner).await.map_err(Failure::new)?;
    sessions.retain(|facts| Some(facts.id()) != keep);
    Ok(sessions)
}

/// How many sessions that the owner's index names cannot be read, so that nobody can tell whose they
/// are.
async fn unreadable(engine: &Engine, owner: &str, keep: Option<PublicId>) -> Result<u64, Failure> {
    let storage = engine.storage();
    let index = storage.owner_index(&OwnerKey::of(owner)).await.map_err(Failure::new)?;
    let mut keys: Vec<_> = index.entries.iter().map(|entry| entry.session).collect();
    keys.retain(|key| Some(key.public_id()) != keep);
    let found = storage.facts(&keys).await.map_err(Failure::new)?;
    Ok(found.iter().filter(|found| matches!(found, Found::Unreadable)).count() as u64)
}

async fn end(
    engine: &Engine,
    owner: &str,
    keep: Option<PublicId>,
    told: &mut Told,
) -> Result<(), Failure> {
    let revoked = match keep {
        Some(keep) => engine.revoke_others(keep).await,
        None => engine.revoke_owner(owner).await.map(Some),
    };
    let revoked = revoked.map_err(|error| {
        Failure::new(format!("not all of them are known to have ended, run it again: {error}"))
    })?;
    let Some(revoked) = revoked else {
        let text = "the session that was to stay is over, so the others were left alone; run it \
                    again without --keep";
        return Err(Failure::new(text));
    };
    told.unreadable = Some(revoked.unreadable as u64);
    let settled = revocation::settle(engine).await;
    (told.ended, told.pending) = match settled {
        Ok(()) => (Some(revoked.ended + revoked.pending), Some(0)),
        Err(_) => (Some(revoked.ended), Some(revoked.pending)),
    };
    let settled = settled.and_then(|()| revocation::all_were_read(revoked.unreadable as u64));
    let Some(keep) = keep else { return settled };
    // Somebody else may have signed in to it since it was looked at.
    match engine.session(keep).await {
        Ok(Found::Session(facts)) if facts.owner() != Some(owner) => Err(Failure::new(format!(
            "the session {keep} is not that owner's any more, so perhaps not all others were ended; \
             run it again without --keep"
        ))),
        _ => settled,
    }
}

fn text(told: &Told) -> String {
    let Told { pending, unreadable, lines, .. } = told;
    let owner = shown(&told.owner);
    let Some(ended) = &told.ended else {
        return format!("nobody knows how many sessions of {owner} have ended\n");
    };
    let sessions = if *ended == 1 { "session" } else { "sessions" };
    let verb = match (told.dry_run, ended) {
        (true, _) => "would end",
        (false, 1) => "has ended",
        (false, _) => "have ended",
    };
    let kept = told.kept.as_ref().map(|kept| format!(", {kept} stays")).unwrap_or_default();
    let left = match pending {
        None | Some(0) => String::new(),
        Some(pending) => format!(", {pending} may still live"),
    };
    let alone = revocation::left_alone(unreadable.unwrap_or(0));
    format!("{lines}{ended} {sessions} of {owner} {verb}{kept}{left}{alone}\n")
}
