//! [`Question`]: what is sent to the server, and how its answer is awaited.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisError, Value};

/// One exchange with the server.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    /// A command.
    Command(&'a Cmd),
    /// A script by its hash; where the server does not know it, by its text.
    Script {
        /// The call by hash.
        by_hash: &'a Cmd,
        /// Makes the call by text.
        by_text: &'a (dyn Fn() -> Cmd + Sync),
    },
    /// Several commands. The answer is an array of theirs, errors among them.
    Pipeline(&'a Pipeline),
}

impl Question<'_> {
    /// Sends the question and waits for the answer.
    pub(super) async fn put(
        self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Value, RedisError> {
        match self {
            Self::Command(command) => send(connection, command).await,
            Self::Script { by_hash, by_text } => match send(connection, by_hash).await {
                // The same connection: another node would not know the script either.
                Err(error) if error.code() == Some("NOSCRIPT") => {
                    send(connection, &by_text()).await
                }
                answer => answer,
            },
            Self::Pipeline(commands) => {
                let answers = connection.send_packed_commands(commands, 0, commands.len()).await?;
                Ok(Value::Array(answers))
            }
        }
    }
}

async fn send(connection: &mut MultiplexedConnection, command: &Cmd) -> Result<Value, RedisError> {
    match connection.send_packed_command(command).await? {
        Value::ServerError(error) => Err(error.into()),
        answer => Ok(answer),
    }
}
