//! Which commands a request sends, told apart from those that its scripts run inside of the server.
//! The server's counters do not tell them apart, its `MONITOR` does.

use std::collections::BTreeMap;

use cloakroom_compare::Failure;
use cloakroom_testkit::RedisServer;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::PATIENCE;
use crate::node::Node;
use crate::visitor::Visitor;

/// The word by which the end of the requests is seen among the commands.
const END: &str = "end-of-requests";

/// Commands per request, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Commands {
    /// Sent by the application.
    pub sent: BTreeMap<String, f64>,
    /// Run by scripts.
    pub inside: BTreeMap<String, f64>,
}

impl Commands {
    /// All that the application sends.
    pub fn sent_in_all(&self) -> f64 {
        self.sent.values().sum()
    }

    /// All that scripts run.
    pub fn inside_in_all(&self) -> f64 {
        self.inside.values().sum()
    }

    /// One request per visitor, one after the other.
    pub async fn watch(
        server: &RedisServer,
        node: &Node,
        visitors: &[Visitor],
        path: &str,
    ) -> Result<Self, Failure> {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", server.port())).await?);
        stream.write_all(b"MONITOR\r\n").await?;
        let mut line = String::new();
        timeout(PATIENCE, stream.read_line(&mut line)).await??;
        for visitor in visitors {
            visitor.peek(node, path).await;
        }
        server.ask(["ECHO", END]).await?;
        let mut commands = Self::default();
        let share = 1.0 / visitors.len() as f64;
        loop {
            line.clear();
            if timeout(PATIENCE, stream.read_line(&mut line)).await?? == 0 || line.contains(END) {
                return Ok(commands);
            }
            commands.note(&line, share);
        }
    }

    /// A line is `+TIME [DATABASE SENDER] "COMMAND" "ARGUMENT" …`.
    fn note(&mut self, line: &str, share: f64) {
        let Some((head, command)) = line.split_once("] \"") else { return };
        let sender = head.rsplit(' ').next().unwrap_or_default();
        let name = command.split('"').next().unwrap_or_default().to_uppercase();
        match sender {
            "lua" => *self.inside.entry(name).or_default() += share,
            // The driver's own questions come through the socket.
            _ if sender.starts_with("unix:") => {}
            _ => *self.sent.entry(name).or_default() += share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_runs_is_told_apart_from_what_was_sent() {
        let mut commands = Commands::default();
        for line in [
            "+1700000000.1 [0 127.0.0.1:4242] \"evalsha\" \"0a\" \"1\" \"key] \\\"x\"",
            "+1700000000.2 [0 lua] \"GET\" \"key\"",
            "+1700000000.3 [0 lua] \"SET\" \"key\" \"value\"",
            "+1700000000.4 [0 unix:/tmp/redis.sock] \"INFO\"",
        ] {
            commands.note(line, 0.5);
        }
        assert_eq!(commands.sent, BTreeMap::from([("EVALSHA".to_owned(), 0.5)]));
        assert_eq!(commands.inside_in_all(), 1.0);
    }
}
