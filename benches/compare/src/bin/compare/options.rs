//! [`Options`]: what of the comparison is run, and how long.

use std::path::PathBuf;

use crate::contestant::{self, Contestant};

/// The text of `--help`.
pub const HELP: &str = "\
Usage: scripts/compare [OPTIONS]

Starts a private Redis, drives one small application per session library against it, and prints the
figures as Markdown. Everything takes about 15 minutes once the applications are built.

  --only NAMES      only these, separated by commas (`--list` names them all); what a ratio is
                    against has to be among them
  --rows ROWS       speed, correctness or all; default all
  --rounds N        how often each of them is measured; default 5
  --seconds N       how long each measurement takes; default 3
  --json FILE       where the figures go as JSON; default target/compare.json in benches/compare
  --list            names the libraries
  --help            this

CLOAKROOM_COMPARE_REDIS   the redis-server program to start; ruts needs Redis 7.4 or later
COMPARE_WORKERS           worker threads of each application; default 1";

/// What the command line asks for.
#[derive(Debug)]
pub enum Wanted {
    Run(Options),
    Help,
    List,
}

#[derive(Debug)]
pub struct Options {
    pub contestants: Vec<Contestant>,
    pub rows: Rows,
    pub rounds: usize,
    pub seconds: u64,
    pub json: PathBuf,
}

/// Which rows of the tables are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    Speed,
    Correctness,
    All,
}

impl Rows {
    pub fn speed(self) -> bool {
        self != Self::Correctness
    }

    pub fn correctness(self) -> bool {
        self != Self::Speed
    }
}

impl Options {
    pub fn read() -> Result<Wanted, String> {
        Self::parse(std::env::args().skip(1))
    }

    fn parse(mut words: impl Iterator<Item = String>) -> Result<Wanted, String> {
        let json = beside_the_programs().unwrap_or_else(|| PathBuf::from("compare.json"));
        let contestants = contestant::ALL.to_vec();
        let mut options = Self { contestants, rows: Rows::All, rounds: 5, seconds: 3, json };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--help" => return Ok(Wanted::Help),
                "--list" => return Ok(Wanted::List),
                _ => {}
            }
            let value = words.next().ok_or_else(|| format!("{word} is no option with a value"))?;
            match word.as_str() {
                "--only" => options.contestants = named(&value)?,
                "--rows" => options.rows = rows(&value)?,
                "--rounds" => options.rounds = number(&word, &value)?,
                "--seconds" => options.seconds = number(&word, &value)? as u64,
                "--json" => options.json = value.into(),
                _ => return Err(format!("there is no option {word}")),
            }
        }
        Ok(Wanted::Run(options))
    }
}

/// `target/compare.json`, where this program is `target/release/compare`.
fn beside_the_programs() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.parent()?.join("compare.json"))
}

fn named(names: &str) -> Result<Vec<Contestant>, String> {
    let find = |name: &str| {
        let found = contestant::ALL.iter().find(|contestant| contestant.name == name);
        found.copied().ok_or_else(|| format!("there is no library {name}"))
    };
    names.split(',').map(|name| find(name.trim())).collect()
}

fn rows(value: &str) -> Result<Rows, String> {
    match value {
        "speed" => Ok(Rows::Speed),
        "correctness" => Ok(Rows::Correctness),
        "all" => Ok(Rows::All),
        _ => Err("--rows is speed, correctness or all".to_owned()),
    }
}

fn number(word: &str, value: &str) -> Result<usize, String> {
    let number = value.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| format!("{word} takes a number above 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Wanted, String> {
        Options::parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        let Ok(Wanted::Run(options)) = parse("--only none,ruts --rows speed --rounds 2") else {
            panic!("these are options");
        };
        assert_eq!(options.contestants.len(), 2);
        assert_eq!((options.rows, options.rounds, options.seconds), (Rows::Speed, 2, 3));
        assert!(matches!(parse("--rounds 2 --help"), Ok(Wanted::Help)));
        for wrong in ["--only nobody", "--rows none", "--rounds 0", "--rounds", "speed", "--x 1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
