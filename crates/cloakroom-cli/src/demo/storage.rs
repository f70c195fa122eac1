//! [`Choice`]: what `--storage` says. The text may hold a password, so no error repeats it.

use cloakroom_redis::{MemoryStorageConfig, RedisStorageConfig, StorageConfig};

use crate::failure::Failure;

/// The storage that was chosen.
pub(super) struct Choice {
    pub(super) config: StorageConfig,
    /// Its name for people, without credentials.
    pub(super) label: String,
}

impl Choice {
    /// Reads the argument.
    pub(super) fn read(argument: &str) -> Result<Self, Failure> {
        if argument == "memory" {
            let config = StorageConfig::Memory(MemoryStorageConfig::default());
            return Ok(Self { config, label: "memory of this process".to_owned() });
        }
        if !argument.contains("://") {
            return Err(Failure::new(
                "--storage is neither `memory` nor a Redis URL; write for example \
                 --storage redis://localhost:6379",
            ));
        }
        let mut config = RedisStorageConfig::default();
        config.url = argument.to_owned();
        let label = format!("Redis at {}", config.server().place()?);
        Ok(Self { config: StorageConfig::Redis(config), label })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_never_shows_the_credentials() {
        for (url, shown) in [
            ("redis://localhost:6379", "localhost:6379"),
            ("rediss://user:secret@cache.example:6380/3", "cache.example:6380, database 3"),
            ("redis://:s%40cret@[::1]:6379?protocol=resp3", "[::1]:6379"),
            ("unix:///run/redis.sock?pass=secret", "/run/redis.sock"),
        ] {
            let choice = Choice::read(url).map_err(|it| it.to_string()).unwrap();
            assert_eq!(choice.label, format!("Redis at {shown}"));
        }
    }

    #[test]
    fn another_scheme_is_refused_without_being_repeated() {
        let refused = Choice::read("http://user:secret@localhost").err().map(|it| it.to_string());
        assert!(refused.is_some_and(|line| line.contains("Redis URL") && !line.contains("secret")));
    }
}
