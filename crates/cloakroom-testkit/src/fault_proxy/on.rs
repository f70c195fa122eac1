//! [`On`] and [`Times`]: which commands a rule is for, and how often it strikes.

use super::chance::Chance;
use super::scope::Scope;

/// What a client sends before its first real command.
const HANDSHAKE: [&str; 6] = ["HELLO", "AUTH", "SELECT", "CLIENT", "READONLY", "READWRITE"];

/// The commands with which a program changes data, scripts included.
const WRITES: [&str; 30] = [
    "SET",
    "DEL",
    "UNLINK",
    "EVAL",
    "EVALSHA",
    "FCALL",
    "GETSET",
    "GETDEL",
    "GETEX",
    "SETEX",
    "PSETEX",
    "SETNX",
    "SETRANGE",
    "APPEND",
    "INCR",
    "DECR",
    "EXPIRE",
    "PEXPIRE",
    "EXPIREAT",
    "PEXPIREAT",
    "PERSIST",
    "HSET",
    "HDEL",
    "SADD",
    "SREM",
    "ZADD",
    "ZREM",
    "RENAME",
    "MSET",
    "EXEC",
];

/// The commands that a rule is for.
///
/// Names do not depend on upper and lower case. A command of two words, such as `SCRIPT LOAD`, has
/// the name of the first.
#[derive(Clone, Debug)]
pub struct On {
    names: Names,
    argument: Option<Vec<u8>>,
    scope: Scope,
}

#[derive(Clone, Debug)]
enum Names {
    Only(Vec<String>),
    AllBut(Vec<String>),
}

impl On {
    /// Every command, also those of the handshake.
    pub fn every_command() -> Self {
        Self::all_but(Vec::<String>::new())
    }

    /// Every command but those with which a client opens a connection: `HELLO`, `AUTH`, `SELECT`,
    /// `CLIENT`, `READONLY`, `READWRITE`.
    pub fn all_but_the_handshake() -> Self {
        Self::all_but(HANDSHAKE)
    }

    /// The usual commands that change data, and all scripts that may, `EXEC` included.
    pub fn writes() -> Self {
        Self::commands(WRITES)
    }

    /// These commands.
    pub fn commands(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self::of(Names::Only(upper(names)))
    }

    /// Every command but these.
    pub fn all_but(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self::of(Names::AllBut(upper(names)))
    }

    /// Of those only the ones that have this argument, such as one key or one script's digest.
    #[must_use]
    pub fn with_argument(self, argument: impl Into<Vec<u8>>) -> Self {
        Self { argument: Some(argument.into()), ..self }
    }

    /// Of those only the ones on these connections. Which are meant is settled when the rule is
    /// made; without this word it is all of them.
    #[must_use]
    pub fn over(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    pub(super) fn scope(&self) -> Scope {
        self.scope
    }

    pub(super) fn matches(&self, name: &str, words: &[&[u8]]) -> bool {
        let named = match &self.names {
            Names::Only(names) => names.iter().any(|one| one == name),
            Names::AllBut(names) => names.iter().all(|one| one != name),
        };
        let argument = self.argument.as_deref();
        named && argument.is_none_or(|argument| words.iter().skip(1).any(|word| *word == argument))
    }

    fn of(names: Names) -> Self {
        Self { names, argument: None, scope: Scope::All }
    }
}

fn upper(names: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    names.into_iter().map(|name| name.as_ref().to_ascii_uppercase()).collect()
}

/// How often a rule strikes, counted over the commands that it is for, in the order in which they
/// come to the proxy. Commands that an older rule has struck do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Times {
    /// Each time, until the rule is cleared.
    UntilCleared,
    /// The first time and never again.
    Once,
    /// The next so many times.
    Next(u64),
    /// Only the n-th time, counted from 1.
    Nth(u64),
    /// Every n-th time: with 3, the third, the sixth and so on. 0 means never.
    EveryNth(u64),
    /// By chance, in so many of a hundred cases. The same seed makes the same choices.
    Percent {
        /// 0 is never, 100 and more is always.
        of_100: u8,
        /// Where the random numbers begin.
        seed: u64,
    },
}

/// The state of a rule's [`Times`].
#[derive(Clone, Debug)]
pub(super) struct Strikes {
    times: Times,
    matched: u64,
    chance: Chance,
}

impl Strikes {
    pub(super) fn new(times: Times) -> Self {
        let seed = if let Times::Percent { seed, .. } = times { seed } else { 0 };
        Self { times, matched: 0, chance: Chance::new(seed) }
    }

    /// Counts one more command, and says whether it is struck.
    pub(super) fn strike(&mut self) -> bool {
        self.matched += 1;
        match self.times {
            Times::UntilCleared => true,
            Times::Once => self.matched == 1,
            Times::Next(times) => self.matched <= times,
            Times::Nth(number) => self.matched == number,
            Times::EveryNth(number) => number > 0 && self.matched.is_multiple_of(number),
            Times::Percent { of_100, .. } => self.chance.next() * 100.0 < f64::from(of_100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(times: Times) -> Vec<u64> {
        let mut strikes = Strikes::new(times);
        (1..=9).filter(|_| strikes.strike()).collect()
    }

    #[test]
    fn a_rule_strikes_as_often_as_it_says() {
        assert_eq!(struck(Times::UntilCleared).len(), 9);
        assert_eq!(struck(Times::Once), [1]);
        assert_eq!(struck(Times::Next(2)), [1, 2]);
        assert_eq!(struck(Times::Nth(4)), [4]);
        assert_eq!(struck(Times::EveryNth(4)), [4, 8]);
        assert!(struck(Times::EveryNth(0)).is_empty());
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed_and_near_its_share() {
        let run = |seed| {
            let mut strikes = Strikes::new(Times::Percent { of_100: 30, seed });
            (0..10_000).map(|_| strikes.strike()).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let struck = run(1).into_iter().filter(|struck| *struck).count();
        assert!((2_800..3_200).contains(&struck), "{struck}");
        assert_eq!(self::struck(Times::Percent { of_100: 100, seed: 1 }).len(), 9);
        assert!(self::struck(Times::Percent { of_100: 0, seed: 1 }).is_empty());
    }

    #[test]
    fn commands_are_chosen_by_name_and_argument() {
        let words = |text: &'static str| text.split(' ').map(str::as_bytes).collect::<Vec<_>>();
        assert!(On::commands(["get"]).matches("GET", &words("get a")));
        assert!(!On::commands(["GET"]).matches("SET", &words("SET a 1")));
        assert!(On::writes().matches("SET", &words("SET a 1")));
        assert!(!On::writes().matches("GET", &words("GET a")));
        assert!(!On::all_but_the_handshake().matches("HELLO", &words("HELLO 3")));
        let only = On::every_command().with_argument("a");
        assert!(only.matches("GET", &words("GET a")) && !only.matches("A", &words("a b")));
    }
}
