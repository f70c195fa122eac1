//! The command `cloakroom`: reads its arguments and answers with an exit code.
//!
//! ```text
//! arguments.rs  all commands and their help    installation.rs  where the sessions are
//! output.rs     text for people, or JSON       table.rs         figures in columns
//! progress.rs   what goes on, on a terminal    consent.rs       the question before what is felt
//! failure.rs    why it failed, in one line     ending.rs        exit codes
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
mod demo;
mod doctor;
mod ending;
mod failure;
mod import;
mod installation;
mod output;
mod progress;
mod signals;
mod table;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use ending::Ending;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo(options) => demo::run(options).await.map(|()| Ending::Done),
        Command::Doctor(options) => doctor::run(options).await,
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
