//! `cloakroom completions`: prints what lets a shell complete these commands.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::print;

pub(crate) const EXAMPLES: &str = "\
Examples:
  cloakroom completions bash > ~/.local/share/bash-completion/completions/cloakroom
  cloakroom completions zsh > ~/.zfunc/_cloakroom
  cloakroom completions fish > ~/.config/fish/completions/cloakroom.fish";

/// Which shell it is for.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "cloakroom", &mut script);
    print(&String::from_utf8_lossy(&script))
}
