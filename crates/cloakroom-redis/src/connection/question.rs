//! [`Question`]: what is sent to the server, and how its answer is awaited.

#[cfg(feature = "tracing")]
use std::borrow::Cow;
use std::time::Duration;

use cloakroom::Operation;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisError, Value};

use super::deadline::Deadline;
use super::watched::Watch;
use super::words::Words;

/// One exchange with the server.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    /// A command.
    Command(&'a Cmd),
    /// A script by its hash; where the server does not know it, by its text.
    Script {
        /// The call by hash.
        by_hash: &'a Cmd,
        /// The script's text.
        text: &'static str,
    },
    /// A write that replicas are to confirm. The answer is an array of the write's and the number of
    /// replicas.
    Durable {
        /// The write.
        command: &'a Cmd,
        /// How many replicas are asked for.
        replicas: u32,
        /// How long the server may wait for them.
        limit: Duration,
    },
    /// Several commands. The answer is an array of theirs, errors among them.
    Pipeline(&'a Pipeline),
    /// A command whose answer does not say what it answers, between two `PING`s that have to answer
    /// with words of their own. The answer is the command's; [`Value::Nil`] where it does not stand in
    /// its place.
    Framed {
        /// The command. It never answers [`Value::Nil`].
        command: &'a Cmd,
        /// The words, which nobody else has drawn.
        words: Words,
    },
}

/// Whether the server has to be told that it is asked instead of the key's owner, because the key is
/// on its way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Owner,
    Importing,
}

/// How often a question was sent. After the second time nobody knows whether the first one has
/// reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Once,
    Twice,
}

/// One question, how it is to be put and until when. It is passed on by reference, for whatever waits
/// for an answer would keep a copy of its own; only a Cluster changes one.
#[derive(Clone, Copy)]
pub(crate) struct Inquiry<'a> {
    pub(crate) question: Question<'a>,
    pub(crate) deadline: Deadline,
    pub(crate) standing: Standing,
    pub(crate) sent: Sent,
    /// Who wants to know over which connection it goes out.
    pub(crate) watch: Option<&'a dyn Watch>,
}

impl<'a> Inquiry<'a> {
    /// A question to the owner of its key that has not been put before.
    pub(crate) fn new(question: Question<'a>, deadline: Deadline) -> Self {
        Self { question, deadline, standing: Standing::Owner, sent: Sent::Once, watch: None }
    }

    /// What is asked for.
    pub(super) fn operation(&self) -> Operation {
        self.deadline.operation()
    }
}

impl Question<'_> {
    /// The command's name, as OpenTelemetry calls the operation of a database. Several commands of one
    /// name are a pipeline of it.
    #[cfg(feature = "tracing")]
    pub(super) fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Command(command)
            | Self::Durable { command, .. }
            | Self::Framed { command, .. } => name(command).into(),
            Self::Script { by_hash, .. } => name(by_hash).into(),
            Self::Pipeline(commands) => {
                let mut names = commands.cmd_iter().map(name);
                let first = names.next().unwrap_or_default();
                match (self.batch_size(), names.all(|name| name == first)) {
                    (None, _) => first.into(),
                    (Some(_), true) => format!("PIPELINE {first}").into(),
                    (Some(_), false) => "PIPELINE".into(),
                }
            }
        }
    }

    /// How many commands there are, where there are several.
    #[cfg(feature = "tracing")]
    pub(super) fn batch_size(&self) -> Option<usize> {
        match self {
            Self::Pipeline(commands) => Some(commands.len()).filter(|count| *count > 1),
            Self::Command(_) | Self::Script { .. } | Self::Durable { .. } | Self::Framed { .. } => {
                None
            }
        }
    }

    /// Sends the question and waits for the answer. What is rare is boxed: it shall take no room in
    /// the future of every command.
    pub(super) async fn put(
        &self,
        connection: &mut MultiplexedConnection,
        standing: Standing,
    ) -> Result<Value, RedisError> {
        match self {
            Self::Command(command) => send(connection, command, standing).await,
            Self::Script { by_hash, text } => match send(connection, by_hash, standing).await {
                // The same connection: another node would not know the script either.
                Err(error) if error.code() == Some("NOSCRIPT") => {
                    let again = async { send(connection, &by_text(by_hash, text), standing).await };
                    Box::pin(again).await
                }
                answer => answer,
            },
            // Those who have written it wait for the replicas afterwards, together with others.
            Self::Durable { command, .. } => send(connection, command, standing).await,
            Self::Pipeline(commands) => {
                let count = commands.len();
                let answers = Box::pin(connection.send_packed_commands(commands, 0, count)).await?;
                Ok(Value::Array(answers))
            }
            Self::Framed { command, words } => {
                Box::pin(send_framed(connection, command, *words, standing)).await
            }
        }
    }
}

#[cfg(feature = "tracing")]
fn name(command: &Cmd) -> &str {
    match command.args_iter().next() {
        Some(redis::Arg::Simple(name)) => str::from_utf8(name).unwrap_or_default(),
        _ => "",
    }
}

/// The same call with the script's text in the place of its hash.
fn by_text(by_hash: &Cmd, text: &str) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(text);
    for argument in by_hash.args_iter().skip(2) {
        // The other kind stands for the cursor of a scan.
        if let redis::Arg::Simple(argument) = argument {
            command.arg(argument);
        }
    }
    command
}

async fn send_framed(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
    words: Words,
    standing: Standing,
) -> Result<Value, RedisError> {
    let (mut all, [before, after]) = (redis::pipe(), words.pings());
    all.add_command(before);
    if standing == Standing::Importing {
        all.cmd("ASKING");
    }
    all.add_command(command.clone()).add_command(after);
    let count = all.len();
    let mut answers = connection.send_packed_commands(&all, 0, count).await?;
    let after = answers.pop().unwrap_or(Value::Nil);
    let answer = answers.pop().unwrap_or(Value::Nil);
    let before = answers.into_iter().next().unwrap_or(Value::Nil);
    // A refused PING as well: it says what the user lacks, or what the server is busy with.
    for answer in [&answer, &before, &after] {
        if let Value::ServerError(error) = answer {
            return Err(error.clone().into());
        }
    }
    Ok(if words.came_back([&before, &after]) { answer } else { Value::Nil })
}

async fn send(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
    standing: Standing,
) -> Result<Value, RedisError> {
    let answer = match standing {
        Standing::Owner => connection.send_packed_command(command).await?,
        Standing::Importing => {
            // In one piece: ASKING holds for the next command on this connection, and nobody
            // else's may come between.
            let mut both = redis::pipe();
            both.cmd("ASKING").add_command(command.clone());
            let answers = Box::pin(connection.send_packed_commands(&both, 1, 1)).await?;
            answers.into_iter().next().unwrap_or(Value::Nil)
        }
    };
    match answer {
        Value::ServerError(error) => Err(error.into()),
        answer => Ok(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_called_by_its_text_with_the_same_arguments() {
        let mut by_hash = redis::cmd("EVALSHA");
        by_hash.arg("0123").arg(1).arg("a key").arg("").arg(b"\0\xff\r\n".as_slice()).arg(17);
        let by_text = by_text(&by_hash, "return 1");
        let arguments = |command: &Cmd| -> Vec<Vec<u8>> {
            let simple = |argument| match argument {
                redis::Arg::Simple(argument) => Vec::from(argument),
                _ => panic!("nothing but arguments"),
            };
            command.args_iter().map(simple).collect()
        };
        let (by_hash, by_text) = (arguments(&by_hash), arguments(&by_text));
        assert_eq!(by_text[..2], [b"EVAL".to_vec(), b"return 1".to_vec()]);
        assert_eq!(by_text[2..], by_hash[2..]);
        assert_eq!(by_text.len(), 7);
    }
}
