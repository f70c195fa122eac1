//! [`Gauge`]: what the servers say about themselves at one moment, added up over all of them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Fleet;

/// The commands that a request may send, as the statistics name them.
const ASKED: [&str; 4] = ["cmdstat_get", "cmdstat_evalsha", "cmdstat_eval", "cmdstat_del"];
const LIMIT: Duration = Duration::from_secs(10);

/// One look at all servers.
#[derive(Clone, Debug, Default)]
pub struct Gauge {
    /// Bytes allocated.
    pub memory: f64,
    /// Bytes that the processes take from the operating system.
    pub resident: f64,
    /// Processor time.
    pub cpu: Duration,
    /// Commands of requests.
    pub asked: f64,
    /// Bytes that came in and went out.
    pub traffic: f64,
    /// Keys, those that have expired and are not removed yet as well.
    pub keys: f64,
    /// The longest that a server stood still to fork, the last time.
    pub fork: Duration,
    /// Bytes that were copied because they were written while that was done last.
    pub copied: f64,
    /// Servers that write all their data to the disk.
    pub saving: f64,
    /// The commands of requests by server.
    pub asked_each: Vec<f64>,
    /// Connections of clients, this look's own as well.
    pub clients: f64,
    /// Bytes allocated for them.
    pub client_memory: f64,
}

impl Gauge {
    /// Asks all servers.
    pub async fn read(fleet: &Fleet) -> Self {
        let mut sum = Self::default();
        for server in fleet.servers() {
            let info = server.ask(["INFO", "all"]).await.expect("the server answers").text();
            sum.add(&Info::parse(&info));
        }
        sum
    }

    /// The same when all applications have closed their connections, whose buffers are not measured.
    pub async fn at_rest(fleet: &Fleet) -> Self {
        let end = Instant::now() + LIMIT;
        loop {
            let gauge = Self::read(fleet).await;
            if gauge.clients <= fleet.servers().len() as f64 {
                return gauge;
            }
            assert!(Instant::now() < end, "somebody is still connected");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn add(&mut self, info: &Info) {
        let asked: f64 = ASKED.iter().map(|command| info.number(command)).sum();
        let cpu = info.number("used_cpu_user") + info.number("used_cpu_sys");
        let fork = Duration::from_micros(info.number("latest_fork_usec") as u64);
        self.memory += info.number("used_memory");
        self.resident += info.number("used_memory_rss");
        self.cpu += Duration::from_secs_f64(cpu);
        self.asked += asked;
        self.asked_each.push(asked);
        self.traffic +=
            info.number("total_net_input_bytes") + info.number("total_net_output_bytes");
        self.clients += info.number("connected_clients");
        self.client_memory += info.number("mem_clients_normal");
        self.keys += info.number("db0");
        self.fork = self.fork.max(fork);
        self.copied += info.number("aof_last_cow_size");
        self.saving += info.number("aof_rewrite_in_progress");
    }
}

/// The fields of one `INFO`. Of a field that holds several values the first one is taken.
struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    fn parse(text: &'a str) -> Self {
        let lines = text.lines().filter_map(|line| line.trim_end().split_once(':'));
        Self(lines.map(|(name, value)| (name, first(value))).collect())
    }

    /// Zero where there is no such field.
    fn number(&self, name: &str) -> f64 {
        self.0.get(name).and_then(|value| value.parse().ok()).unwrap_or(0.0)
    }
}

fn first(value: &str) -> &str {
    let value = value.split(',').next().unwrap_or(value);
    value.split_once('=').map_or(value, |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_fields_and_the_first_of_several_are_read() {
        let text = "# Memory\r\nused_memory:12\r\ncmdstat_get:calls=7,usec=3\r\n\
                    db0:keys=5,expires=4,avg_ttl=1\r\n";
        let info = Info::parse(text);
        let names = ["used_memory", "cmdstat_get", "db0", "absent"];
        assert_eq!(names.map(|name| info.number(name)), [12.0, 7.0, 5.0, 0.0]);
    }
}
