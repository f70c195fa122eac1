//! [`Filter`]: which sessions a list shows. All that is said has to be true of one.

use std::time::Duration;

use cloakroom::SessionFacts;

/// Which sessions.
#[derive(Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Which sessions")]
pub(super) struct Filter {
    /// Those of this owner, without a look at any others
    #[arg(long)]
    pub(super) owner: Option<String>,
    /// Those in which somebody is signed in
    #[arg(long)]
    pub(super) signed_in: bool,
    /// Those in which nobody is signed in
    #[arg(long, conflicts_with_all = ["owner", "signed_in"])]
    pub(super) anonymous: bool,
    /// Those that were created so long ago or earlier, such as 2h
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(super) older_than: Option<Duration>,
    /// Those that were created later than so long ago
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(super) younger_than: Option<Duration>,
    /// Those that nobody has used for so long
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(super) idle_for: Option<Duration>,
}

impl Filter {
    /// Whose sessions, where they are one owner's.
    pub(super) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// Whether a session is one of those; that it is the owner's is known already.
    pub(super) fn accepts(&self, facts: &SessionFacts) -> bool {
        let is_signed_in = facts.owner().is_some();
        (is_signed_in || !self.signed_in)
            && !(is_signed_in && self.anonymous)
            && self.older_than.is_none_or(|least| facts.is_older_than(least))
            && self.younger_than.is_none_or(|most| !facts.is_older_than(most))
            && self.idle_for.is_none_or(|least| facts.idle() >= least)
    }
}
