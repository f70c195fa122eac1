//! The command `cloakroom`: reads its arguments and answers with an exit code.
//!
//! ```text
//! arguments.rs  all commands and their help    installation.rs  where the sessions are
//! output.rs     text for people, or JSON       table.rs         figures in columns
//! progress.rs   what goes on, on a terminal    consent.rs       the question before what is felt
//! failure.rs    why it failed, in one line     ending.rs        exit codes
//! misuse.rs     arguments that make no sense
//! walk.rs       over all sessions, in steps    revocation.rs    what all that end sessions share
//! identity.rs   ids of sessions                cutoff.rs        moments that have passed
//! description.rs  what is told of a session    shown.rs         what visitors have written
//! metrics.rs    the page that Prometheus reads
//! ```
//!
//! Each command has a file or folder of its own. A mistake of the user is one line on the standard
//! error output.

mod acl;
mod admin;
mod arguments;
mod bench;
mod completions;
mod consent;
mod cutoff;
mod demo;
mod description;
mod doctor;
mod ending;
mod failure;
mod identity;
mod import;
mod installation;
mod list;
mod metrics;
mod misuse;
mod output;
mod progress;
mod revocation;
mod revoke;
mod revoke_before;
mod revoke_owner;
mod show;
mod shown;
mod signals;
mod span;
mod stats;
mod table;
mod walk;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use ending::Ending;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments =
        Arguments::try_parse().unwrap_or_else(|error| misuse::without_values(error).exit());
    let done = match arguments.command {
        Command::Demo(options) => demo::run(options).await.map(|()| Ending::Done),
        Command::Doctor(options) => doctor::run(options).await,
        Command::Stats(options) => stats::run(options).await,
        Command::List(options) => list::run(options).await,
        Command::Show(options) => show::run(options).await,
        Command::Revoke(options) => revoke::run(options).await,
        Command::RevokeOwner(options) => revoke_owner::run(options).await,
        Command::RevokeBefore(options) => revoke_before::run(options).await,
        Command::Bench(options) => bench::run(options).await.map(|()| Ending::Done),
        Command::Import(options) => import::run(options).await,
        Command::Admin(options) => admin::run(options).await.map(|()| Ending::Done),
        Command::Acl(options) => acl::run(options).await.map(|()| Ending::Done),
        Command::Completions(options) => completions::run(&options).map(|()| Ending::Done),
    };
    done.unwrap_or_else(|failure| {
        // Nobody is left to be told where even this output is closed.
        let _ = writeln!(std::io::stderr(), "cloakroom: {failure}");
        failure.ending()
    })
    .into()
}
