//! [`Facts`]: what a server tells about itself, by the names that it uses for it.

use std::collections::HashMap;
use std::time::Duration;

use redis::Cmd;

use super::line::{Line, Silence};
use crate::server_info::ServerInfo;

/// The settings that are looked at. Older servers tell one at a time.
const SETTINGS: [&str; 11] = [
    "save",
    "appendfsync",
    "stop-writes-on-bgsave-error",
    "maxclients",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "bind",
    "protected-mode",
    "timeout",
    "tcp-keepalive",
    "disable-thp",
];

/// What `INFO` or `CONFIG GET` has told.
#[derive(Debug, Default)]
pub(super) struct Facts {
    told: HashMap<String, String>,
    /// What the storage itself would read out of it.
    pub(super) about: ServerInfo,
}

impl Facts {
    /// Asks for everything that `INFO` tells without being asked for a section.
    pub(super) async fn info(line: &mut Line) -> Result<Self, Silence> {
        let answer = line.ask(&ServerInfo::ask()).await?;
        let text: String = redis::from_redis_value(answer).unwrap_or_default();
        Ok(Self::parse(&text))
    }

    /// Asks for settings. A server whose owner has taken the command away hides them as well.
    pub(super) async fn settings(line: &mut Line) -> Result<Self, Silence> {
        let mut told = HashMap::new();
        for name in SETTINGS {
            let answer = match line.ask(&config_get(name)).await {
                Err(Silence::Refused(error)) if told.is_empty() => {
                    return Err(Silence::Hidden(error));
                }
                answer => answer?,
            };
            let pairs: HashMap<String, String> =
                redis::from_redis_value(answer).unwrap_or_default();
            told.extend(pairs);
        }
        Ok(Self { told, about: ServerInfo::default() })
    }

    /// Reads lines of `name:value`.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.lines().filter_map(|line| line.trim_end().split_once(':'));
        let told = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { told, about: ServerInfo::parse(text) }
    }

    /// What stands under a name; `None` where nothing is told.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.told.get(name).map(String::as_str)
    }

    /// The same as a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.trim().parse().ok()
    }

    /// The same where a text counts as nothing.
    pub(super) fn count(&self, name: &str) -> u64 {
        self.number(name).unwrap_or(0)
    }
}

fn config_get(name: &str) -> Cmd {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg(name);
    command
}

/// A size as people write it.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{amount:.1} {}", UNITS[unit]) }
}

/// A time as people write it.
pub(super) fn time(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..1_000 => format!("{micros} µs"),
        micros @ 1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        micros => format!("{:.1} s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_the_unit_that_people_use() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(5 << 30), "5.0 GiB");
    }

    #[test]
    fn a_time_has_the_unit_that_people_use() {
        let shown = [80, 5_006, 1_250_000].map(|micros| time(Duration::from_micros(micros)));
        assert_eq!(shown, ["80 µs", "5.0 ms", "1.2 s"]);
    }

    #[test]
    fn what_is_not_told_is_nothing() {
        let facts = Facts::parse("# Memory\r\nused_memory:12\r\nmaxmemory_policy:noeviction\r\n");
        assert_eq!(facts.number("used_memory"), Some(12));
        assert_eq!(facts.text("maxmemory_policy"), Some("noeviction"));
        assert_eq!((facts.number("maxmemory"), facts.count("evicted_keys")), (None, 0));
    }
}
