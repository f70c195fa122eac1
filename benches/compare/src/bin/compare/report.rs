//! [`Report`]: everything that a run has found out, as it goes into the JSON file.

use std::collections::BTreeMap;

use cloakroom_compare::Failure;
use cloakroom_testkit::RedisServer;
use serde::Serialize;

use crate::contestant::Contestant;
use crate::correctness::Correctness;
use crate::machine::Setting;
use crate::options::Options;
use crate::speed::{Measured, Memory, Route};
use crate::table;
use crate::targets::{self, Verdict};

/// The findings of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub setting: Setting,
    pub rounds: usize,
    pub seconds: u64,
    pub libraries: Vec<Library>,
    pub targets: Vec<Verdict>,
}

/// The findings about one application.
#[derive(Clone, Debug, Serialize)]
pub struct Library {
    pub name: &'static str,
    /// The application on the same framework that has no session.
    pub bare: &'static str,
    /// Why it did not take part.
    pub absent: Option<String>,
    pub speed: BTreeMap<Route, Measured>,
    pub memory: Option<Memory>,
    pub correctness: Option<Correctness>,
    /// What must not happen while the speed is measured.
    pub troubles: Vec<String>,
    #[serde(skip)]
    contestant: Contestant,
}

impl Report {
    pub fn new(options: &Options) -> Result<Self, Failure> {
        Ok(Self {
            setting: Setting::here()?,
            rounds: options.rounds,
            seconds: options.seconds,
            libraries: options.contestants.iter().map(|&contestant| contestant.into()).collect(),
            targets: Vec::new(),
        })
    }

    pub async fn note_server(&mut self, server: &RedisServer) -> Result<(), Failure> {
        self.setting.note_server(server).await
    }

    /// What is known of a contestant.
    pub fn library(&mut self, contestant: Contestant) -> &mut Library {
        let place = self.libraries.iter().position(|library| library.contestant == contestant);
        let place = place.unwrap_or_else(|| {
            self.libraries.push(contestant.into());
            self.libraries.len() - 1
        });
        &mut self.libraries[place]
    }

    pub fn find(&self, name: &str) -> Option<&Library> {
        self.libraries.iter().find(|library| library.name == name)
    }

    pub fn has_speed(&self) -> bool {
        self.libraries.iter().any(|library| !library.speed.is_empty())
    }

    /// Compares the findings with the bars.
    pub fn judge(&mut self) {
        self.targets = targets::judge(self);
    }

    /// Whether the figures may be believed: everybody answered everything.
    pub fn is_sound(&self) -> bool {
        self.libraries.iter().all(|library| library.troubles.is_empty())
    }

    pub fn markdown(&self) -> String {
        table::markdown(self)
    }

    pub fn json(&self) -> Result<String, Failure> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl Library {
    pub fn measured(&mut self, route: Route) -> &mut Measured {
        self.speed.entry(route).or_default()
    }

    /// The requests per second of each round; empty where it was not measured.
    pub fn rates(&self, route: Route) -> &[f64] {
        self.speed.get(&route).map_or(&[], |measured| &measured.requests_per_second)
    }

    pub fn trouble(&mut self, trouble: String) {
        self.troubles.push(trouble);
    }

    pub fn is_cloakroom(&self) -> bool {
        self.name.starts_with("cloakroom")
    }

    pub fn has_near_cache(&self) -> bool {
        !self.contestant.words.is_empty()
    }
}

impl From<Contestant> for Library {
    fn from(contestant: Contestant) -> Self {
        Self {
            name: contestant.name,
            bare: contestant.bare,
            absent: None,
            speed: BTreeMap::new(),
            memory: None,
            correctness: None,
            troubles: Vec::new(),
            contestant,
        }
    }
}
