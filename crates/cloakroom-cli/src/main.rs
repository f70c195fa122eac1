//! The command `cloakroom`: reads its arguments and answers with an exit code.
//!
//! A mistake of the user is one line on the standard error output and exit code 1.

mod acl;
mod admin;
mod demo;
mod failure;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Server-side web sessions that lose nothing.
#[derive(Parser)]
#[command(name = "cloakroom", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a small web application that shows what the library does
    Demo(demo::Options),
    /// Print what a user of Redis or Valkey must be allowed, and nothing else
    Acl(acl::Options),
    /// Serve the page for operators: who is signed in, and a way to end sessions
    Admin(admin::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo(options) => demo::run(options).await,
        Command::Acl(options) => acl::run(options).await,
        Command::Admin(options) => admin::run(options).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to be told where even this output is closed.
            let _ = writeln!(std::io::stderr(), "cloakroom: {failure}");
            ExitCode::FAILURE
        }
    }
}
