//! [`Choice`]: what `--storage` says. The text may hold a password, so no error repeats it.

use cloakroom_redis::{MemoryStorageConfig, RedisStorageConfig, StorageConfig};

use super::Failure;

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
        let place = match argument.split_once("://") {
            Some(("redis" | "rediss", rest)) => host(rest),
            Some(("unix" | "redis+unix", _)) => "a local socket",
            _ => {
                let message = "--storage is neither `memory` nor a Redis URL; write for example \
                               --storage redis://localhost:6379";
                return Err(Failure(message.to_owned()));
            }
        };
        let label = format!("Redis at {place}");
        let mut config = RedisStorageConfig::default();
        config.url = argument.to_owned();
        Ok(Self { config: StorageConfig::Redis(config), label })
    }
}

/// Host and port of what follows a URL's scheme (RFC 3986, 3.2).
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_never_shows_the_credentials() {
        for (rest, shown) in [
            ("localhost:6379", "localhost:6379"),
            ("user:secret@cache.example:6380/3", "cache.example:6380"),
            (":s@cret@[::1]:6379?protocol=resp3", "[::1]:6379"),
        ] {
            assert_eq!(host(rest), shown);
        }
    }

    #[test]
    fn another_scheme_is_refused_without_being_repeated() {
        let refused = Choice::read("http://user:secret@localhost").err().map(|it| it.to_string());
        assert!(refused.is_some_and(|line| line.contains("Redis URL") && !line.contains("secret")));
    }
}
