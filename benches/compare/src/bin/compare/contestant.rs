//! [`Contestant`]: one application of the comparison, and how it is started.

/// An application and the way it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contestant {
    /// What the tables call it.
    pub name: &'static str,
    /// The program, without its folder.
    pub program: &'static str,
    /// The words after the port and the URL.
    pub words: &'static [&'static str],
    /// The contestant on the same web framework that has no session.
    pub bare: &'static str,
    /// What the server has to know beyond the commands of Redis 6.2.
    pub needs: Option<Need>,
}

/// A command that only newer servers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub command: &'static str,
    pub server: &'static str,
}

const NONE: &str = "none";
const NONE_ACTIX: &str = "none-actix";

/// All of them, in the order of the tables.
pub const ALL: &[Contestant] = &[
    on_axum(NONE, "compare-none"),
    on_axum("cloakroom-axum", "compare-cloakroom-axum"),
    with_near_cache(on_axum("cloakroom-axum+near-cache", "compare-cloakroom-axum")),
    on_axum("tower-sessions", "compare-tower-sessions"),
    on_axum("axum-session", "compare-axum-session"),
    with_field_expiry(on_axum("ruts", "compare-ruts")),
    on_axum("deadpool", "compare-deadpool"),
    on_axum("redis-rs", "compare-redis-rs"),
    on_actix(NONE_ACTIX, "compare-none-actix"),
    on_actix("cloakroom-actix", "compare-cloakroom-actix"),
    with_near_cache(on_actix("cloakroom-actix+near-cache", "compare-cloakroom-actix")),
    on_actix("actix-session", "compare-actix-session"),
    on_actix("redis-rs-actix", "compare-redis-rs-actix"),
];

impl Contestant {
    /// Whether it has sessions at all.
    pub fn has_sessions(&self) -> bool {
        self.name != self.bare
    }
}

const fn on_axum(name: &'static str, program: &'static str) -> Contestant {
    Contestant { name, program, words: &[], bare: NONE, needs: None }
}

const fn on_actix(name: &'static str, program: &'static str) -> Contestant {
    Contestant { bare: NONE_ACTIX, ..on_axum(name, program) }
}

const fn with_near_cache(contestant: Contestant) -> Contestant {
    Contestant { words: &["near-cache"], ..contestant }
}

const fn with_field_expiry(contestant: Contestant) -> Contestant {
    let need = Need { command: "HEXPIRE", server: "Redis 7.4" };
    Contestant { needs: Some(need), ..contestant }
}
