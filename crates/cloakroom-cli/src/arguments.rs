//! [`Arguments`]: all commands, and what `--help` says before one is chosen.

use clap::{Parser, Subcommand};

use crate::{
    acl, admin, bench, completions, demo, doctor, import, list, revoke, revoke_before,
    revoke_owner, show, stats,
};

/// The commands in sections; clap itself knows one list only. A test holds that none is missing.
const HELP: &str = "\
{about-with-newline}
{usage-heading} {usage}

Look at sessions:
  stats          Count the sessions, and what they take
  list           List sessions: all, an owner's, or those that are old or unused
  show           Show what may be seen of one session, never its values

End sessions:
  revoke         End sessions by their ids
  revoke-owner   End all sessions of an owner, or all but one
  revoke-before  End every session that was created before a moment

Look at an installation:
  doctor         Examine the servers that sessions lie on, and say what to do about them
  bench          Measure for some seconds what this installation can do
  admin          Serve the page for operators: who is signed in, and a way to end sessions

Set one up:
  import         Take the sessions of another library into Redis or Valkey
  acl            Print what a user of Redis or Valkey must be allowed, and nothing else
  completions    Print what lets a shell complete these commands

Try it out:
  demo           Serve a small web application that shows what the library does

Options:
{options}{after-help}";

const EXAMPLES: &str = "\
Examples:
  cloakroom demo
  cloakroom doctor --url redis://localhost:6379
  cloakroom list --owner ann@example.org
  CLOAKROOM_REDIS_URL=redis://localhost:6379 cloakroom bench --seconds 10
  cloakroom acl --user shop --prefix shop:session:

Where the sessions are is read from --url, else the file that --config names, else
CLOAKROOM_REDIS_URL, else the file that CLOAKROOM_REDIS_CONFIG names, else it is
redis://localhost:6379. A password belongs into CLOAKROOM_REDIS_PASSWORD or the file: others on this
machine can read a command line.

`cloakroom COMMAND --help` says more of each.";

/// Server-side web sessions that lose nothing.
#[derive(Parser)]
#[command(
    name = "cloakroom",
    version,
    help_template = HELP,
    after_help = EXAMPLES,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve a small web application that shows what the library does
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::Options),
    /// Examine the servers that sessions lie on, and say what to do about them
    ///
    /// It changes nothing: no setting, and no data but one session of its own on each primary, which
    /// it removes. Whatever the user may not ask is reported as hidden.
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::Options),
    /// Count the sessions, and what they take
    #[command(after_help = stats::EXAMPLES)]
    Stats(stats::Options),
    /// List sessions: all, an owner's, or those that are old or unused
    #[command(after_help = list::EXAMPLES)]
    List(list::Options),
    /// Show what may be seen of one session, never its values
    #[command(after_help = show::EXAMPLES)]
    Show(show::Options),
    /// End sessions by their ids
    ///
    /// Their tickets open nothing any more, on any node.
    #[command(after_help = revoke::EXAMPLES)]
    Revoke(revoke::Options),
    /// End all sessions of an owner, or all but one
    #[command(after_help = revoke_owner::EXAMPLES)]
    RevokeOwner(revoke_owner::Options),
    /// End every session that was created before a moment
    #[command(after_help = revoke_before::EXAMPLES)]
    RevokeBefore(revoke_before::Options),
    /// Measure for some seconds what this installation can do
    ///
    /// It makes sessions of its own below the prefix, reads, writes and ends them as fast as it can,
    /// and removes what it has made. Other users of the server feel it.
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::Options),
    /// Take the sessions of another library into Redis or Valkey
    ///
    /// It reads the other library's keys and leaves them alone. What is there already stays as it is,
    /// so an import can be repeated, and one that was stopped can go on.
    #[command(after_help = import::EXAMPLES)]
    Import(import::Options),
    /// Serve the page for operators: who is signed in, and a way to end sessions
    ///
    /// It speaks plain HTTP with this machine only, or HTTPS with others through a proxy. Everything
    /// that is done with it stands in its audit trail.
    #[command(after_help = admin::EXAMPLES)]
    Admin(admin::Options),
    /// Print what a user of Redis or Valkey must be allowed, and nothing else
    #[command(after_help = acl::EXAMPLES)]
    Acl(acl::Options),
    /// Print what lets a shell complete these commands
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Options),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_example_of_the_help_is_understood() {
        let command = Arguments::command();
        let all = command.get_subcommands().chain([&command]);
        let text = |it: &clap::Command| it.get_after_help().unwrap().to_string();
        // A line that ends in a backslash goes on in the next one.
        let texts: Vec<_> = all.map(|it| text(it).replace("\\\n", "")).collect();
        let mut count = 0;
        for line in texts.iter().flat_map(|text| text.lines()) {
            let Some(example) = line.strip_prefix("  ") else { continue };
            for part in example.split(['|', '>']) {
                let words: Vec<_> = part.split_whitespace().collect();
                let Some(at) = words.iter().position(|it| *it == "cloakroom") else { continue };
                // What `xargs` adds is an id.
                let added = words.contains(&"xargs").then(|| "0".repeat(32));
                let words = words[at..].iter().copied().chain(added.as_deref());
                let parsed = Arguments::try_parse_from(words);
                assert!(parsed.is_ok(), "{example}: {}", parsed.err().unwrap());
                count += 1;
            }
        }
        assert!(count > 25, "{count}");
    }

    #[test]
    fn every_command_stands_in_a_section_with_its_own_first_line() {
        let lines: Vec<_> = HELP.lines().map(str::trim).collect();
        for command in Arguments::command().get_subcommands() {
            let about = command.get_about().unwrap().to_string();
            let has = lines.iter().any(|line| {
                line.split_once(' ')
                    .is_some_and(|(name, rest)| name == command.get_name() && rest.trim() == about)
            });
            assert!(has, "{}: {about}", command.get_name());
        }
    }
}
