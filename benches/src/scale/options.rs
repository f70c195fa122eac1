//! [`Options`]: what the command line asks for.

use std::time::Duration;

use super::Topology;

/// How `scripts/scale` is called.
pub const USAGE: &str = "\
scripts/scale [--sessions N] [--seconds S] [--rounds R] [--servers standalone|cluster|all]

  --sessions N   how many sessions are alive (default 1000000; at least 1000)
  --seconds S    how long a round lasts (default 3)
  --rounds R     how many rounds each number of processes has (default 5)
  --servers K    on one server, a Cluster of three primaries, or first on one and then on the other
                 (default all)

scripts/scale --sessions 20000 --seconds 1 --rounds 1   shows in a minute and a half that it works";

/// The extent of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many sessions are alive.
    pub sessions: usize,
    /// How long a round lasts.
    pub round: Duration,
    /// How many rounds each number of processes has.
    pub rounds: usize,
    /// What servers it runs on, in turn.
    pub topologies: Vec<Topology>,
}

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// What to tell somebody who called it in another way.
    pub fn read(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            sessions: 1_000_000,
            round: Duration::from_secs(3),
            rounds: 5,
            topologies: Topology::ALL.to_vec(),
        };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(name) = words.next() {
            let value = words.next().unwrap_or_default();
            let refused = || format!("{name} {value}\n\n{USAGE}");
            let number = value.parse::<usize>().ok().filter(|number| *number > 0);
            let number = || number.ok_or_else(refused);
            match (name, value) {
                ("--sessions", _) => options.sessions = number()?.max(1_000),
                ("--seconds", _) => options.round = Duration::from_secs(number()? as u64),
                ("--rounds", _) => options.rounds = number()?,
                ("--servers", "standalone") => options.topologies = vec![Topology::Standalone],
                ("--servers", "cluster") => options.topologies = vec![Topology::Cluster],
                ("--servers", "all") => options.topologies = Topology::ALL.to_vec(),
                _ => return Err(refused()),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::read(&words)
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let options = read("--sessions 20000 --servers cluster").unwrap();
        assert_eq!((options.sessions, options.rounds), (20_000, 5));
        assert_eq!(options.topologies, [Topology::Cluster]);
    }

    #[test]
    fn what_makes_no_sense_is_answered_with_the_usage() {
        for line in ["--sessions", "--sessions many", "--rounds 0", "--servers two", "--help"] {
            assert!(read(line).unwrap_err().ends_with(USAGE), "{line}");
        }
    }
}
