//! The overview's figures: what is known already, and one small question to the storage where nobody
//! else's questions are seen.

use std::time::Duration;

use cloakroom::{Clock, SessionKey, StorageErrorKind, SystemClock};
use tokio::time::Instant;

use crate::app::App;
use crate::figures::Figures;
use crate::observer::Seen;

/// How long an overview waits for the storage's answer.
const LIMIT: Duration = Duration::from_secs(2);

/// Why a question of the page's own was not answered.
struct Silence {
    why: String,
    is_refused: bool,
}

impl App {
    /// All figures at this moment.
    pub(crate) async fn figures(&self) -> Figures {
        let census = self.census.look(self.engine.storage());
        let hears_others = self.observer.as_ref().is_some_and(|it| it.seen() == Seen::Application);
        let probe = if hears_others { None } else { Some(self.probe().await) };
        let health = self.engine.health();
        let mut figures = Figures::of(SystemClock.now(), health, self.observer.as_ref(), census);
        match probe {
            Some(Ok(took)) => figures.probe_us = u64::try_from(took.as_micros()).ok(),
            Some(Err(Silence { why, is_refused })) => {
                figures.probe_error = Some(why);
                figures.is_refused = is_refused;
            }
            None => {}
        }
        figures
    }

    /// Asks for a session that is not there.
    async fn probe(&self) -> Result<Duration, Silence> {
        let nobody = SessionKey::from_name("the question of an overview").public_id();
        let start = Instant::now();
        match tokio::time::timeout(LIMIT, self.engine.session(nobody)).await {
            Ok(Ok(_)) => Ok(start.elapsed()),
            Ok(Err(error)) => Err(Silence {
                why: error.to_string(),
                is_refused: *error.kind() == StorageErrorKind::Denied,
            }),
            Err(_) => {
                Err(Silence { why: format!("no answer within {LIMIT:?}"), is_refused: false })
            }
        }
    }
}
