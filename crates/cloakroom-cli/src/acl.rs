//! `cloakroom acl`: prints what a user of the server must be allowed, and nothing else.
//!
//! The rule goes to the standard output, alone, so that it can be piped. What a server says to it
//! goes to the standard error output.

use std::io::{self, Write};
use std::time::Duration;

use clap::ValueEnum;
use cloakroom::ConfigError;
use cloakroom_redis::{AclRule, DEFAULT_PREFIX, RedisConfig};

use crate::failure::Failure;
use crate::output::print;

/// How long a server may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

pub(crate) const EXAMPLES: &str = "\
Examples:
  cloakroom acl --user shop --prefix shop:session: --format aclfile >> users.acl
  cloakroom acl --url redis://localhost:6379";

/// What the rule is for and how it is written.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The name of the application's user
    #[arg(long, default_value = "app")]
    user: String,
    /// What the names of the storage's keys begin with
    #[arg(long, default_value = DEFAULT_PREFIX, conflicts_with = "sentinel")]
    prefix: String,
    /// The number of the database that the sessions lie in
    #[arg(long, default_value_t = 0, conflicts_with = "sentinel")]
    database: u32,
    /// The rule for the user on the Sentinels, instead of the one for the servers with the data
    #[arg(long)]
    sentinel: bool,
    /// How the rule is written
    #[arg(long, value_enum, default_value_t = Format::Setuser)]
    format: Format,
    /// Asks this server whether it knows everything in the rule; changes nothing there
    #[arg(long, value_name = "redis://…")]
    url: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// The command for redis-cli or valkey-cli
    Setuser,
    /// The line for users.acl
    Aclfile,
    /// The line for redis.conf or valkey.conf
    Config,
    /// Without user and password, as hosted services ask for it
    Words,
    /// Each command with what it is for
    List,
}

/// Prints the rule.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let rule = options.rule()?;
    if let Some(url) = &options.url {
        let check = rule.check(&RedisConfig::from_url(url), LIMIT).await?;
        if !check.unknown.is_empty() {
            return Err(Failure::new(check));
        }
        let _ = writeln!(io::stderr(), "{check}");
    }
    let text = match options.format {
        Format::Setuser => rule.to_string(),
        Format::Aclfile => rule.file_line(),
        Format::Config => rule.config_line(),
        Format::Words => rule.access_string(),
        Format::List => list(&rule),
    };
    print(&format!("{text}\n"))
}

impl Options {
    fn rule(&self) -> Result<AclRule, ConfigError> {
        if self.sentinel {
            return AclRule::for_sentinels(&self.user);
        }
        let rule = AclRule::for_sessions(&self.user, &self.prefix)?;
        Ok(if self.database == 0 { rule } else { rule.with_select() })
    }
}

fn list(rule: &AclRule) -> String {
    let width = rule.rights().iter().map(|right| right.command.len()).max().unwrap_or(0);
    let lines = rule.rights().iter().map(|it| format!("{:width$}  {}", it.command, it.purpose));
    lines.collect::<Vec<_>>().join("\n")
}
