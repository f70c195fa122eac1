//! `cloakroom show`: what may be seen of one session. Never its values.

use cloakroom::Found;

use crate::description::{self, Description};
use crate::ending::Ending;
use crate::failure::Failure;
use crate::installation::Purpose;
use crate::output::Format;
use crate::{identity, installation, output};

pub(crate) const EXAMPLES: &str = "\
Exit codes:
  0  here it is
  1  the storage could not say, or what is stored there is no session
  5  there is no such session

Examples:
  cloakroom show 5c1f0e9d8b7a69584736251403f2e1d0
  cloakroom show 5c1f0e9d8b7a69584736251403f2e1d0 --json";

/// Which session.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The session's id, as `list` and the application's logs show it
    id: String,
    #[command(flatten)]
    installation: installation::Options,
    #[command(flatten)]
    output: output::Options,
}

/// Shows it.
pub(crate) async fn run(options: Options) -> Result<Ending, Failure> {
    let id = identity::read(&options.id)?;
    let engine = options.installation.resolve()?.engine(Purpose::Look).await?;
    match engine.session(id).await.map_err(Failure::new)? {
        Found::Session(facts) => {
            let mut output = options.output.open();
            match output.format() {
                Format::People => output::print(&description::text(&facts))?,
                Format::Machines => output.write(&Description::from(&facts), |_| String::new())?,
            }
            Ok(Ending::Done)
        }
        Found::Nothing | Found::Over(_) | Found::Ending => {
            Err(Failure::not_found(format!("there is no session {id}")))
        }
        Found::Unreadable => {
            Err(Failure::new(format!("what is stored as {id} is no session, or is damaged")))
        }
    }
}
