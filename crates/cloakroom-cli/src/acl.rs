//! `cloakroom acl`: prints what a user of the server must be allowed, and nothing else.
//!
//! The rule goes to the standard output, alone, so that it can be piped. What a server says to it
//! goes to the standard error output.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use cloakroom::ConfigError;
use cloakroom_redis::{AclRule, Password};

use crate::failure::Failure;
use crate::installation::{self, Installation};
use crate::output::{print, remark};

/// How long a server may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

pub(crate) const EXAMPLES: &str = "\
No password is printed: the rule holds the hash of the one in --password-file, or, as a command,
PASSWORD in its place.

Examples:
  cloakroom acl --url redis://localhost:6379
  cloakroom acl --user shop --prefix shop:session:
  cloakroom acl --config session.toml --password-file secret --format aclfile >> users.acl";

/// What the rule is for and how it is written.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The name of the application's user
    #[arg(long, default_value = "app")]
    user: String,
    /// The file with the password of the user, of which the rule holds the hash
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The number of the database that the sessions lie in [default: what the configuration says]
    #[arg(long, value_name = "N", conflicts_with = "sentinel")]
    database: Option<u32>,
    /// The rule for the user on the Sentinels, instead of the one for the servers with the data
    #[arg(long, conflicts_with = "prefix")]
    sentinel: bool,
    /// How the rule is written
    #[arg(long, value_enum, default_value_t = Format::Setuser)]
    format: Format,
    /// Ask the server whether it knows everything in the rule, and change nothing there; --url does
    /// so too
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    installation: installation::Options,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
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
    let installation = options.installation.resolve()?;
    let rule = options.rule(&installation)?;
    let text = options.written(&rule)?;
    if options.check || options.installation.has_url() {
        let check = rule.check(&installation.config.server(), LIMIT).await?;
        if !check.unknown.is_empty() {
            return Err(Failure::new(check));
        }
        remark(&check.to_string());
    }
    if options.password_file.is_none() && options.format == Format::Setuser {
        remark(
            "put a password in the place of PASSWORD, or name a file that holds it with \
                --password-file",
        );
    }
    print(&format!("{text}\n"))
}

impl Options {
    fn rule(&self, installation: &Installation) -> Result<AclRule, ConfigError> {
        if self.sentinel {
            return AclRule::for_sentinels(&self.user);
        }
        let (user, config) = (&self.user, &installation.config);
        match self.database {
            None => AclRule::for_server(user, &config.prefix, &config.server()),
            Some(0) => AclRule::for_sessions(user, &config.prefix),
            Some(_) => AclRule::for_sessions(user, &config.prefix).map(AclRule::with_select),
        }
    }

    fn written(&self, rule: &AclRule) -> Result<String, Failure> {
        let password = self.password_file.as_deref().map(Password::file);
        Ok(match (self.format, password) {
            (Format::Setuser, None) => rule.to_string(),
            (Format::Setuser, Some(password)) => rule.command(&password)?,
            (Format::Aclfile, Some(password)) => rule.file_line(&password)?,
            (Format::Config, Some(password)) => rule.config_line(&password)?,
            (Format::Aclfile | Format::Config, None) => {
                return Err(Failure::misused(
                    "a line of a file needs the user's password, of which it holds the hash; name \
                     the file that it is in with --password-file",
                ));
            }
            (Format::Words, None) => rule.access_string(),
            (Format::List, None) => list(rule),
            (Format::Words | Format::List, Some(_)) => {
                return Err(Failure::misused(
                    "this form has no password; leave out --password-file",
                ));
            }
        })
    }
}

fn list(rule: &AclRule) -> String {
    let width = rule.rights().iter().map(|right| right.command.len()).max().unwrap_or(0);
    let lines = rule.rights().iter().map(|it| format!("{:width$}  {}", it.command, it.purpose));
    lines.collect::<Vec<_>>().join("\n")
}
