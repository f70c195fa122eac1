//! [`AclRule`]: what a user of the server must be allowed, and nothing else.
//!
//! [`RIGHTS`] is the one list of the commands that this crate sends. Whoever adds a command adds it
//! there; a test lets a user with exactly these rights do everything that a storage does.

mod check;

use std::fmt;

use cloakroom::{ConfigError, ConfigErrorKind};
use sha2::{Digest, Sha256};

use crate::config::{Password, RedisConfig};
use crate::keys::Keys;

pub use check::AclCheck;

/// A command that a user may send, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AclRight {
    /// The command in lower case; a bar stands before a subcommand.
    pub command: &'static str,
    /// What it is for, in a few words.
    pub purpose: &'static str,
}

const fn right(command: &'static str, purpose: &'static str) -> AclRight {
    AclRight { command, purpose }
}

/// What a storage sends to the servers that hold the data. Nobody needs a right for `AUTH`, `HELLO`.
///
/// All of them are known to Redis 6.2 and Valkey 7.2. A rule with a name that a server does not know
/// is refused as a whole.
const RIGHTS: &[AclRight] = &[
    right("ping", "a sign of life"),
    right("time", "the clock by which sessions end"),
    right("role", "whether a server that Sentinels name is the primary"),
    right("info", "version, memory policy, and who is the primary now"),
    right("get", "reads a session"),
    right("set", "writes a session, in the script"),
    right("del", "ends a session"),
    right("eval", "the script, where the server does not know it yet"),
    right("evalsha", "the script that compares and writes"),
    right("exists", "whether there is a session, in the script"),
    right("getrange", "the version of a session, in the script"),
    right("setrange", "renews a session, in the script"),
    right("pexpireat", "when a session ends, in the script"),
    right("zadd", "enters a session into its owner's index, in the script"),
    right("zrange", "finds the sessions of an owner"),
    right("zrem", "takes a session out of its owner's index, in the script"),
    right("scan", "walks over the sessions, for operators"),
    right("strlen", "measures sessions, for operators"),
    right("wait", "how many replicas have confirmed a sign-out"),
    right("asking", "follows a session that a Cluster is moving"),
    right("client|tracking", "has the server call back what a near-cache holds"),
    right("cluster|slots", "which node of a Cluster holds what"),
];

/// Every command that a storage sends to the servers that hold the data.
pub(crate) fn session_rights() -> &'static [AclRight] {
    RIGHTS
}

/// What a storage sends to Sentinels.
const SENTINEL_RIGHTS: &[AclRight] =
    &[right("sentinel|get-master-addr-by-name", "where the primary is")];

/// Stands where the password belongs.
const PLACEHOLDER: &str = ">PASSWORD";

/// What a user of Redis, Valkey or a Sentinel must be allowed, and nothing else.
///
/// It is the same for every version that is supported. As text it is the command that makes the
/// user, with `PASSWORD` where the password belongs. What is made with a password holds its hash only.
///
/// ```
/// use cloakroom_redis::{AclRule, DEFAULT_PREFIX, Password};
///
/// let rule = AclRule::for_sessions("app", DEFAULT_PREFIX)?;
/// assert!(rule.to_string().starts_with(
///     "ACL SETUSER app reset on >PASSWORD resetchannels ~cloakroom:session:* -@all +ping "
/// ));
/// let line = rule.file_line(&Password::from("correct-horse"))?;
/// assert!(line.starts_with("user app reset on #9dca666e") && !line.contains("horse"));
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclRule {
    user: String,
    /// The pattern of the keys that may be touched.
    keys: Option<String>,
    rights: Vec<AclRight>,
}

impl AclRule {
    /// For the application's user on the servers that hold the data, with the storage's prefix.
    ///
    /// # Errors
    /// Where no user can have that name or no storage that prefix.
    pub fn for_sessions(user: &str, prefix: &str) -> Result<Self, ConfigError> {
        let keys = Keys::new(prefix).map_err(|problem| {
            ConfigError::new(ConfigErrorKind::Invalid, problem.field, problem.message)
        })?;
        Self::new(user, Some(keys.pattern_below()), RIGHTS)
    }

    /// The same for the database that a configuration names.
    ///
    /// # Errors
    /// As [`AclRule::for_sessions`], and where the configuration makes no sense.
    pub fn for_server(user: &str, prefix: &str, server: &RedisConfig) -> Result<Self, ConfigError> {
        let rule = Self::for_sessions(user, prefix)?;
        Ok(if server.database_number()? == 0 { rule } else { rule.with_select() })
    }

    /// For the application's user on the Sentinels.
    ///
    /// # Errors
    /// Where no user can have that name.
    pub fn for_sentinels(user: &str) -> Result<Self, ConfigError> {
        Self::new(user, None, SENTINEL_RIGHTS)
    }

    /// The same for sessions in another database than number 0.
    #[must_use]
    pub fn with_select(mut self) -> Self {
        let select = right("select", "the database that the sessions lie in");
        if !self.rights.contains(&select) {
            self.rights.push(select);
        }
        self
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The commands that are allowed, each with what it is for.
    pub fn rights(&self) -> &[AclRight] {
        &self.rights
    }

    /// The command for `redis-cli` or `valkey-cli`, with the hash of a password.
    ///
    /// # Errors
    /// Where the password cannot be read.
    pub fn command(&self, password: &Password) -> Result<String, ConfigError> {
        Ok(self.command_with(&hash_word(password)?))
    }

    /// The line for the server's `users.acl`, with the hash of a password.
    ///
    /// # Errors
    /// Where the password cannot be read.
    pub fn file_line(&self, password: &Password) -> Result<String, ConfigError> {
        Ok(format!("user {} {}", self.user, self.words(&hash_word(password)?, str::to_owned)))
    }

    /// The line for the server's `redis.conf` or `valkey.conf`, with the hash of a password.
    ///
    /// # Errors
    /// Where the password cannot be read.
    pub fn config_line(&self, password: &Password) -> Result<String, ConfigError> {
        let words = self.words(&hash_word(password)?, quoted);
        Ok(format!("user {} {words}", quoted(&self.user)))
    }

    /// The rights alone, without user and password, as hosted services ask for them.
    pub fn access_string(&self) -> String {
        let keys = self.keys.as_ref().map(|keys| format!("~{keys} ")).unwrap_or_default();
        format!("on {keys}-@all {}", self.allowed())
    }

    fn new(user: &str, keys: Option<String>, rights: &[AclRight]) -> Result<Self, ConfigError> {
        let is_plain = |it: char| !it.is_control() && !it.is_whitespace();
        if user.is_empty() || user.len() > 128 || !user.chars().all(is_plain) {
            let message = "a user's name has 1 to 128 bytes without spaces, for example app";
            return Err(ConfigError::new(ConfigErrorKind::Invalid, "user", message));
        }
        Ok(Self { user: user.to_owned(), keys, rights: rights.to_vec() })
    }

    fn command_with(&self, password: &str) -> String {
        format!("ACL SETUSER {} {}", quoted(&self.user), self.words(password, quoted))
    }

    /// What the user had before is gone: passwords, too.
    fn words(&self, password: &str, write: impl Fn(&str) -> String) -> String {
        let keys = self.keys.as_ref().map(|keys| format!("~{keys}"));
        let keys = keys.map(|keys| format!("{} ", write(&keys))).unwrap_or_default();
        format!("reset on {password} resetchannels {keys}-@all {}", self.allowed())
    }

    fn allowed(&self) -> String {
        let words: Vec<_> = self.rights.iter().map(|right| format!("+{}", right.command)).collect();
        words.join(" ")
    }
}

impl fmt::Display for AclRule {
    /// The command for `redis-cli` or `valkey-cli`, with `PASSWORD` where the password belongs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command_with(PLACEHOLDER))
    }
}

/// The word of a rule that lets in whoever knows the password.
fn hash_word(password: &Password) -> Result<String, ConfigError> {
    let password = password.fetch("password").map_err(|problem| {
        ConfigError::new(ConfigErrorKind::Invalid, problem.field, problem.message)
    })?;
    let hash = Sha256::digest(password.reveal());
    Ok(hash.iter().fold("#".to_owned(), |word, byte| format!("{word}{byte:02x}")))
}

/// As the server's command line and configuration files read a word: quotes begin a string.
fn quoted(word: &str) -> String {
    if !word.contains(['"', '\'']) {
        return word.to_owned();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}
