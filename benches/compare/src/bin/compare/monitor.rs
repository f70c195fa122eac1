//! Which commands a request sends, told apart from those that its scripts run inside of the server.
//! The server's counters do not tell them apart, its `MONITOR` does.

use std::collections::{BTreeMap, BTreeSet};

use cloakroom_compare::Failure;
use cloakroom_testkit::RedisServer;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::PATIENCE;
use crate::figures::median;
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
        self.sent.values().fold(0.0, |sum, count| sum + count)
    }

    /// All that scripts run.
    pub fn inside_in_all(&self) -> f64 {
        self.inside.values().fold(0.0, |sum, count| sum + count)
    }

    /// One request per visitor, one after the other; the median of each command, so that a heartbeat
    /// that comes in between is not counted.
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
        let mut requests = Vec::with_capacity(visitors.len());
        for visitor in visitors {
            visitor.peek(node, path).await;
            server.ask(["ECHO", END]).await?;
            let mut commands = Self::default();
            loop {
                line.clear();
                let length = timeout(PATIENCE, stream.read_line(&mut line)).await??;
                if length == 0 || line.contains(END) {
                    break;
                }
                commands.note(&line);
            }
            requests.push(commands);
        }
        Ok(Self::middle(&requests))
    }

    /// What the request in the middle sends.
    fn middle(requests: &[Self]) -> Self {
        let middle = |part: fn(&Self) -> &BTreeMap<String, f64>| {
            let names: BTreeSet<_> =
                requests.iter().flat_map(|request| part(request).keys()).collect();
            let counts = names.into_iter().filter_map(|name| {
                let counts = requests.iter().map(|request| part(request).get(name).copied());
                let count = median(counts.map(Option::unwrap_or_default))?;
                Some((name.clone(), count))
            });
            counts.filter(|(_, count)| *count > 0.0).collect()
        };
        Self { sent: middle(|request| &request.sent), inside: middle(|request| &request.inside) }
    }

    /// A line is `+TIME [DATABASE SENDER] "COMMAND" "ARGUMENT" …`.
    fn note(&mut self, line: &str) {
        let Some((head, command)) = line.split_once("] \"") else { return };
        let sender = head.rsplit(' ').next().unwrap_or_default();
        let name = command.split('"').next().unwrap_or_default().to_uppercase();
        match sender {
            "lua" => *self.inside.entry(name).or_default() += 1.0,
            // The driver's own questions come through the socket.
            _ if sender.starts_with("unix:") => {}
            _ => *self.sent.entry(name).or_default() += 1.0,
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
            commands.note(line);
        }
        assert_eq!(commands.sent, BTreeMap::from([("EVALSHA".to_owned(), 1.0)]));
        assert_eq!(commands.inside_in_all(), 2.0);

        let mut with_heartbeat = commands.clone();
        with_heartbeat.note("+1700000000.5 [0 127.0.0.1:4242] \"PING\"");
        let middle = Commands::middle(&[commands.clone(), with_heartbeat, commands.clone()]);
        assert_eq!(middle, commands);
        assert_eq!(Commands::middle(&[]).sent_in_all(), 0.0);
    }
}
