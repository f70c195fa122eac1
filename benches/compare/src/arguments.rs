//! [`Arguments`]: what every application of the comparison is told at its start. A word too many is
//! an error, so that nobody measures something else than what was asked for.

use crate::Failure;

/// `PORT REDIS_URL`, and for Cloakroom's applications perhaps `near-cache`.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// The port of 127.0.0.1 to listen on.
    pub port: u16,
    /// The server that keeps the sessions.
    pub redis_url: String,
    /// Where sessions are read from.
    pub reads: Reads,
}

/// Where an application reads sessions from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// From Redis, each time.
    Redis,
    /// From a copy in the process that Redis keeps fresh.
    NearCache,
}

impl Arguments {
    /// The words of the command line, for an application without a near-cache.
    ///
    /// # Errors
    /// Where there are other words than a port and a URL.
    pub fn read() -> Result<Self, Failure> {
        let arguments = Self::read_with_near_cache()?;
        if arguments.reads == Reads::NearCache {
            return Err("this library has no near-cache".into());
        }
        Ok(arguments)
    }

    /// The words of the command line, for an application that may have a near-cache.
    ///
    /// # Errors
    /// Where there are other words than a port, a URL and perhaps `near-cache`.
    pub fn read_with_near_cache() -> Result<Self, Failure> {
        let words: Vec<String> = std::env::args().skip(1).collect();
        Self::parse(&words)
    }

    fn parse(words: &[String]) -> Result<Self, Failure> {
        let (port, redis_url, reads) = match words {
            [port, url] => (port, url, Reads::Redis),
            [port, url, word] if word == "near-cache" => (port, url, Reads::NearCache),
            _ => return Err("usage: compare-LIBRARY PORT REDIS_URL".into()),
        };
        let port = port.parse().map_err(|_| format!("`{port}` is no port"))?;
        Ok(Self { port, redis_url: redis_url.clone(), reads })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(words: &str) -> Result<Arguments, Failure> {
        Arguments::parse(&words.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_word_that_is_not_understood_is_refused() {
        let arguments = parse("8080 redis://localhost").unwrap();
        assert_eq!((arguments.port, arguments.reads), (8080, Reads::Redis));
        assert_eq!(parse("8080 redis://localhost near-cache").unwrap().reads, Reads::NearCache);
        assert!(parse("8080 redis://localhost nearcache").is_err());
        assert!(parse("http redis://localhost").is_err());
        assert!(parse("8080").is_err());
    }
}
