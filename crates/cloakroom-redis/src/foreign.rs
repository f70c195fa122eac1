//! [`ForeignKeys`]: reads what another library keeps on a server. For migrations only: no storage of
//! ours ever looks at a key outside of its prefix.
//!
//! A walk goes over one server after the other, each with `SCAN` and one round under the command
//! timeout. It writes nothing and removes nothing. What it sends stands in [`FOREIGN_RIGHTS`], and
//! not in [`AclRule`](crate::AclRule): an application's user must not read what is not its own, so
//! a migration needs a user of its own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use cloakroom::{ConfigError, ConfigErrorKind, Operation, StorageError, Timestamp};
use futures_util::future::try_join;
use redis::{Cmd, Value};

use crate::config::RedisConfig;
use crate::connection::{Question, Servers};
use crate::error::unexpected;
use crate::inspect::{done, runs};
use crate::keys::escaped;
use crate::records::command;
use crate::storage::RedisSessionStorage;

/// What a walk sends, beside what every connection sends (`ping`, `time`, `role`, `info`; in a Cluster
/// `asking` and `cluster|slots`). The user needs these for the keys of the other library, and
/// nothing else.
pub const FOREIGN_RIGHTS: [&str; 5] = ["scan", "getrange", "hgetall", "memory|usage", "pttl"];

/// The longest string that is read: 1 MiB. A hash is read where it takes no more of the server's
/// memory.
pub const FOREIGN_VALUE_LIMIT: usize = 1024 * 1024;

/// How many keys the server looks at per round.
const COUNT: usize = 1000;

/// How many connections a walk opens.
const CONNECTIONS: usize = 2;

/// Walks over the keys of another library.
///
/// ```no_run
/// # // Needs a server: the crate's tests run the same against one that they start.
/// # async fn walk() -> Result<(), Box<dyn std::error::Error>> {
/// use cloakroom_redis::{ForeignCursor, ForeignKeys, RedisConfig};
///
/// let keys = ForeignKeys::connect(RedisConfig::default(), "sess:", None).await?;
/// let mut cursor = Some(ForeignCursor::start());
/// while let Some(at) = cursor {
///     let page = keys.page(&at).await?;
///     println!("{} keys", page.names.len());
///     cursor = page.next;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ForeignKeys {
    storage: RedisSessionStorage,
    pattern: String,
}

/// How far a walk has come. As text it can be kept and given to another walk.
///
/// It is good for as long as the servers' processes live: after a restart or a failover it means
/// nothing, and whoever goes on from it begins anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignCursor {
    /// The server; empty for the first one.
    node: String,
    position: u64,
    /// Which runs of which servers the walk began on.
    runs: String,
}

/// A text is no [`ForeignCursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCursor;

/// What one round has found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ForeignPage {
    /// The names of the keys. A key that is there all the time is found at least once, in rare cases
    /// twice.
    pub names: Vec<Vec<u8>>,
    /// Where to go on; `None` at the end.
    pub next: Option<ForeignCursor>,
    /// Whether the cursor was of servers that are not what they were, so that this is the first round
    /// of a new walk.
    pub began_anew: bool,
    /// How much of the walk is done, from 0 to 1; a guess.
    pub done: f64,
}

/// What lies under a foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForeignValue {
    /// Nothing any more.
    Gone,
    /// A string of up to [`FOREIGN_VALUE_LIMIT`].
    Text(Bytes),
    /// Something that is longer.
    TooLong,
    /// A hash: its fields and their values.
    Hash(Vec<(Bytes, Bytes)>),
    /// Something of another type than was asked for.
    OtherType,
}

/// A foreign key's value and how long it has left; `None` where it does not expire.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForeignEntry {
    /// The value.
    pub value: ForeignValue,
    /// How long the key has left.
    pub time_left: Option<Duration>,
    /// The server's clock when this was read.
    pub as_of: Timestamp,
}

impl ForeignKeys {
    /// Connects to the server, Sentinels or Cluster that the other library uses, for the keys whose
    /// names begin with `prefix` and, if a number is given, have so many bytes behind it.
    ///
    /// # Errors
    /// [`ConfigError`] where the configuration makes no sense or the server cannot be reached.
    pub async fn connect(
        server: RedisConfig,
        prefix: &str,
        behind: Option<usize>,
    ) -> Result<Self, ConfigError> {
        let rest = behind.map_or_else(|| "*".to_owned(), |bytes| "?".repeat(bytes));
        let pattern = escaped(prefix) + &rest;
        let builder = RedisSessionStorage::builder().server(server).pool_size(CONNECTIONS);
        Ok(Self { storage: builder.build().await?, pattern })
    }

    /// One round of the walk.
    ///
    /// # Errors
    /// [`StorageError`] where the server could not say within the command timeout; the same cursor may
    /// be asked for again.
    pub async fn page(&self, cursor: &ForeignCursor) -> Result<ForeignPage, StorageError> {
        let servers = self.servers();
        let mut nodes: Vec<_> = servers.all(OPERATION)?.into_iter().collect();
        nodes.sort_by_key(|node| node.address());
        let runs = runs(&nodes);
        let at = nodes.iter().position(|node| *node.address() == *cursor.node);
        let place = at.filter(|_| cursor.runs == runs).map(|at| (at, cursor.position));
        let (at, position) = place.unwrap_or_default();
        let node = nodes.get(at).ok_or_else(|| unexpected(OPERATION))?;
        let mut scan = redis::cmd("SCAN");
        scan.arg(position).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(COUNT);
        let answer = node.ask_here(Question::Command(&scan), servers.deadline(OPERATION)).await?;
        let (position, names): (u64, Vec<Vec<u8>>) =
            redis::from_redis_value(answer).map_err(|_| unexpected(OPERATION))?;
        let done = done(at, position, nodes.len());
        let next_node = if position == 0 { nodes.get(at + 1) } else { Some(node) };
        let next = next_node.map(|node| {
            let node = node.address().as_ref().to_owned();
            ForeignCursor { node, position, runs }
        });
        let began_anew = place.is_none() && *cursor != ForeignCursor::start();
        Ok(ForeignPage { names, next, began_anew, done })
    }

    /// Reads a string.
    ///
    /// # Errors
    /// [`StorageError`] where the server could not say.
    pub async fn text(&self, name: &[u8]) -> Result<ForeignEntry, StorageError> {
        let mut get = command("GETRANGE", name);
        get.arg(0).arg(FOREIGN_VALUE_LIMIT);
        let (value, life) = try_join(self.ask(name, get), self.life(name)).await?;
        let value = match value {
            Value::BulkString(bytes) if bytes.len() > FOREIGN_VALUE_LIMIT => ForeignValue::TooLong,
            Value::BulkString(bytes) => ForeignValue::Text(bytes.into()),
            Value::Nil => ForeignValue::OtherType,
            _ => return Err(unexpected(OPERATION)),
        };
        self.entry(name, value, life)
    }

    /// Reads a hash, unless it takes more memory than [`FOREIGN_VALUE_LIMIT`]: neither this program
    /// nor the server shall hold many of them at once.
    ///
    /// # Errors
    /// [`StorageError`] where the server could not say.
    pub async fn hash(&self, name: &[u8]) -> Result<ForeignEntry, StorageError> {
        let mut usage = redis::cmd("MEMORY");
        usage.arg("USAGE").arg(name).arg("SAMPLES").arg(0);
        match self.ask(name, usage).await? {
            Value::Int(bytes) if bytes > FOREIGN_VALUE_LIMIT as i64 => {
                return self.entry(name, ForeignValue::TooLong, self.life(name).await?);
            }
            Value::Int(_) => {}
            Value::Nil => return self.entry(name, ForeignValue::Gone, Life::Over),
            _ => return Err(unexpected(OPERATION)),
        }
        let get = command("HGETALL", name);
        let (value, life) = try_join(self.ask(name, get), self.life(name)).await?;
        let value = match value {
            Value::Nil => ForeignValue::OtherType,
            value => {
                let pairs: Vec<(Vec<u8>, Vec<u8>)> =
                    redis::from_redis_value(value).map_err(|_| unexpected(OPERATION))?;
                let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
                ForeignValue::Hash(pairs.collect())
            }
        };
        self.entry(name, value, life)
    }

    fn entry(
        &self,
        name: &[u8],
        value: ForeignValue,
        life: Life,
    ) -> Result<ForeignEntry, StorageError> {
        let as_of = self.servers().now(name).ok_or_else(|| unexpected(OPERATION))?;
        let (value, time_left) = match life {
            Life::Over => (ForeignValue::Gone, None),
            Life::Endless => (value, None),
            Life::Left(left) => (value, Some(left)),
        };
        Ok(ForeignEntry { value, time_left, as_of })
    }

    async fn life(&self, name: &[u8]) -> Result<Life, StorageError> {
        match self.ask(name, command("PTTL", name)).await? {
            Value::Int(-2) => Ok(Life::Over),
            Value::Int(-1) => Ok(Life::Endless),
            Value::Int(left) => Ok(Life::Left(Duration::from_millis(left.unsigned_abs()))),
            _ => Err(unexpected(OPERATION)),
        }
    }

    /// What is of another type than the command expects is `Nil`.
    async fn ask(&self, name: &[u8], command: Cmd) -> Result<Value, StorageError> {
        let answer = self.servers().ask(name, OPERATION, Question::Command(&command)).await;
        match answer {
            Ok(answer) => Ok(answer.value),
            Err(error) if *error.kind() == cloakroom::StorageErrorKind::Corrupt => Ok(Value::Nil),
            Err(error) => Err(error),
        }
    }

    fn servers(&self) -> &Servers {
        self.storage.servers()
    }
}

/// Under which timeout and name a walk asks: it is no operation of a request.
const OPERATION: Operation = Operation::Stats;

enum Life {
    Over,
    Endless,
    Left(Duration),
}

impl ForeignCursor {
    /// The beginning of a walk.
    pub fn start() -> Self {
        Self::default()
    }
}

impl fmt::Display for ForeignCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}#{}", self.position, self.node, self.runs)
    }
}

impl FromStr for ForeignCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (position, rest) = text.split_once('@').ok_or(BadCursor)?;
        let (node, runs) = rest.rsplit_once('#').ok_or(BadCursor)?;
        let position = position.parse().map_err(|_| BadCursor)?;
        Ok(Self { node: node.to_owned(), position, runs: runs.to_owned() })
    }
}

impl fmt::Display for BadCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cursor is what an earlier walk has printed, for example 5120@localhost:6379#1f0c77a2")
    }
}

impl std::error::Error for BadCursor {}

impl From<BadCursor> for ConfigError {
    fn from(error: BadCursor) -> Self {
        Self::new(ConfigErrorKind::Invalid, "cursor", error.to_string())
    }
}
