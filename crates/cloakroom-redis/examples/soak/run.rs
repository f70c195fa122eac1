//! [`run`]: one topology from the start of its servers to the verdict.

use std::fmt;
use std::io;
use std::time::Duration;

use cloakroom::ConfigError;
use tokio::time::Instant;

use crate::arguments::Arguments;
use crate::dice::Dice;
use crate::events::Events;
use crate::nodes;
use crate::report;
use crate::round::Round;
use crate::topology::Topology;

/// The longest history.
const ROUND: Duration = Duration::from_secs(10 * 60);

/// What is left after the last round is not worth another one.
const SHORTEST: Duration = Duration::from_secs(30);

/// Whether every invariant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Yes,
    No,
}

/// Why there is no verdict.
#[derive(Debug)]
pub(crate) enum Failure {
    Servers(io::Error),
    Nodes(ConfigError),
}

/// Runs one topology for as long as the arguments say.
pub(crate) async fn run<T: Topology>(arguments: &Arguments) -> Result<Holds, Failure> {
    let servers = T::start().await?;
    let events = Events::default();
    let nodes = nodes::start(&servers, &events).await?;
    report::head(&servers, arguments).await?;
    let end = Instant::now() + arguments.length;
    let (mut holds, mut held, mut operations) = (Holds::Yes, None, 0);
    let mut dice = Dice::new(arguments.seed);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let length = if left < ROUND + ROUND / 2 { left } else { ROUND };
        let dice = Dice::new(dice.roll());
        let round = Round::play(&servers, &nodes, length, dice, &arguments.fault, held).await?;
        held = Some(round.held);
        report::round(&round, &events);
        operations += round.summary.operations();
        if !round.holds() {
            holds = Holds::No;
        }
        if end < Instant::now() + SHORTEST {
            report::end::<T>(operations, holds);
            return Ok(holds);
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Servers(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Nodes(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Servers(error) => write!(f, "the servers failed: {error}"),
            Self::Nodes(error) => write!(f, "the application nodes failed: {error}"),
        }
    }
}
