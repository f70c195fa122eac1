//! What the server has done so far, read from its `INFO`; two readings make the work in between.

use std::collections::BTreeMap;
use std::time::Duration;

use cloakroom_compare::Failure;
use cloakroom_testkit::RedisServer;

/// The server's counters at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Calls of each command, those inside of scripts included.
    pub calls: BTreeMap<String, u64>,
    /// Bytes in both directions.
    pub bytes: u64,
    pub cpu: Duration,
}

impl Reading {
    pub async fn take(server: &RedisServer) -> Result<Self, Failure> {
        let mut text = String::new();
        for section in ["commandstats", "stats", "cpu"] {
            text += &server.ask(["INFO", section]).await?.text();
            text.push('\n');
        }
        Ok(Self::read(&text))
    }

    fn read(info: &str) -> Self {
        let mut reading = Self::default();
        for (name, value) in info.lines().filter_map(|line| line.trim().split_once(':')) {
            if let Some(command) = name.strip_prefix("cmdstat_") {
                let calls = value.strip_prefix("calls=").and_then(|rest| rest.split(',').next());
                let calls = calls.and_then(|calls| calls.parse().ok()).unwrap_or(0);
                reading.calls.insert(command.to_owned(), calls);
            }
            match name {
                "total_net_input_bytes" | "total_net_output_bytes" => {
                    reading.bytes += value.parse().unwrap_or(0);
                }
                "used_cpu_user" | "used_cpu_sys" => {
                    let seconds = value.parse().unwrap_or(0.0);
                    reading.cpu += Duration::try_from_secs_f64(seconds).unwrap_or_default();
                }
                _ => {}
            }
        }
        reading
    }

    /// What was done between an earlier reading and this one.
    pub fn since(&self, earlier: &Self) -> Self {
        let calls = self.calls.iter().map(|(command, calls)| {
            let before = earlier.calls.get(command).copied().unwrap_or(0);
            (command.clone(), calls.saturating_sub(before))
        });
        Self {
            calls: calls.filter(|(command, calls)| *calls > 0 && command != "info").collect(),
            bytes: self.bytes.saturating_sub(earlier.bytes),
            cpu: self.cpu.saturating_sub(earlier.cpu),
        }
    }

    /// All calls together.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_between_two_readings_leaves_out_the_reading_itself() {
        let before = "cmdstat_get:calls=5,usec=1\r\ncmdstat_info:calls=1\r\n\
                      total_net_input_bytes:100\r\nused_cpu_user:1.5\r\n";
        let after = "cmdstat_get:calls=9,usec=1\r\ncmdstat_set:calls=2\r\ncmdstat_info:calls=4\r\n\
                     total_net_input_bytes:150\r\ntotal_net_output_bytes:7\r\nused_cpu_user:1.75\r\n";
        let work = Reading::read(after).since(&Reading::read(before));
        let calls = [("get".to_owned(), 4), ("set".to_owned(), 2)];
        assert_eq!(work.calls, BTreeMap::from(calls));
        assert_eq!((work.total(), work.bytes), (6, 57));
        assert_eq!(work.cpu, Duration::from_millis(250));
    }
}
