//! What the figures were measured on: machine, server and versions.

use cloakroom_compare::{Failure, workers};
use cloakroom_testkit::RedisServer;
use serde::Serialize;

const LOCK_FILE: &str = include_str!("../../../Cargo.lock");

/// Whose versions are told.
const PACKAGES: [&str; 13] = [
    "cloakroom",
    "tower-sessions",
    "tower-sessions-redis-store",
    "axum_session",
    "axum_session_redispool",
    "ruts",
    "deadpool-redis",
    "actix-session",
    "axum",
    "actix-web",
    "redis",
    "fred",
    "tokio",
];

/// Where and with what the comparison ran.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    pub processor: String,
    pub cores: usize,
    pub server: String,
    /// Worker threads of each application.
    pub workers: usize,
    /// `NAME VERSION` of each library.
    pub packages: Vec<String>,
}

impl Setting {
    pub fn here() -> Result<Self, Failure> {
        let description = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = description.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.and_then(|rest| rest.split_once(':')).map(|(_, name)| name.trim());
        Ok(Self {
            processor: model.unwrap_or(std::env::consts::ARCH).to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            server: String::new(),
            workers: workers(),
            packages: PACKAGES.iter().flat_map(|name| versions(LOCK_FILE, name)).collect(),
        })
    }

    /// Asks the server what it is.
    pub async fn note_server(&mut self, server: &RedisServer) -> Result<(), Failure> {
        let valkey = server.info("server", "valkey_version").await?;
        let redis = server.info("server", "redis_version").await?;
        self.server =
            if valkey.is_empty() { format!("Redis {redis}") } else { format!("Valkey {valkey}") };
        Ok(())
    }
}

/// Each version of a package in a lock file; there may be several.
fn versions(lock_file: &str, name: &str) -> Vec<String> {
    let heading = format!("name = \"{name}\"");
    let mut lines = lock_file.lines();
    let mut found = Vec::new();
    while lines.any(|line| line == heading) {
        let version = lines.next().and_then(|line| line.strip_prefix("version = \""));
        found.extend(version.map(|version| format!("{name} {}", version.trim_end_matches('"'))));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_versions_of_a_package_are_found_and_no_others() {
        let lock_file = "[[package]]\nname = \"redis\"\nversion = \"0.32.7\"\n\n[[package]]\n\
                         name = \"redis\"\nversion = \"1.8.1\"\n\n[[package]]\n\
                         name = \"redis_pool\"\nversion = \"0.10.1\"\n";
        assert_eq!(versions(lock_file, "redis"), ["redis 0.32.7", "redis 1.8.1"]);
        assert!(versions(lock_file, "fred").is_empty());
        for package in PACKAGES {
            assert!(!versions(LOCK_FILE, package).is_empty(), "{package}");
        }
    }
}
