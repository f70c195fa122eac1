//! [`Finding`]: one thing that was looked at, and what a person should know about it.

use std::fmt;

use serde::Serialize;

/// One thing that was looked at.
///
/// Its texts hold hosts, ports and user names, and never a password, a ticket or a session's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at.
    pub topic: Topic,
    /// Whether somebody has to do something about it.
    pub severity: Severity,
    /// The server's host and port; `None` where it is about all of them together.
    pub server: Option<String>,
    /// What was seen.
    pub seen: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do about it, where there is something to do.
    pub remedy: Option<String>,
}

/// Whether somebody has to do something about a finding. Later ones are more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// It is as it should be.
    Ok,
    /// The user is not allowed to look. That is no fault: an application's user needs no such right.
    Hidden,
    /// Good to know. It may be meant so.
    Info,
    /// It will cost something one day.
    Warning,
    /// Sessions get lost, or cannot be kept, now or at the next occasion.
    Error,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Topic {
    /// Whether the server lets the user in, and answers.
    Reachability,
    /// The Sentinels that name the primary.
    Sentinels,
    /// Whether the Cluster's primaries serve every slot.
    Cluster,
    /// Product and version.
    Version,
    /// Whether it is a primary, and ready.
    Role,
    /// Whether sessions travel encrypted.
    Encryption,
    /// Who the user is, and whether there is a password.
    User,
    /// Whether the user may do all that a storage does.
    Rights,
    /// Whether sessions can be written, read, renewed and removed.
    Scripts,
    /// Whether the server calls back what a near-cache holds.
    NearCache,
    /// The server's clock beside this machine's.
    Clock,
    /// How long an answer takes.
    Latency,
    /// What a crash would lose.
    Persistence,
    /// Whether sessions are given up when the memory is full.
    Eviction,
    /// How much of the memory is taken.
    Memory,
    /// The replicas, and how far they are behind.
    Replication,
    /// How long the server stands still to save.
    Forks,
    /// How many connections there are, and whether any was turned away.
    Connections,
    /// Settings of the server that nothing else is told about.
    Settings,
}

impl Finding {
    pub(super) fn new(topic: Topic, severity: Severity, seen: impl Into<String>) -> Self {
        let (why, seen) = (topic.why(), seen.into());
        Self { topic, severity, server: None, seen, why, remedy: None }
    }

    pub(super) fn ok(topic: Topic, seen: impl Into<String>) -> Self {
        Self::new(topic, Severity::Ok, seen)
    }

    pub(super) fn info(topic: Topic, seen: impl Into<String>) -> Self {
        Self::new(topic, Severity::Info, seen)
    }

    pub(super) fn warning(topic: Topic, seen: impl Into<String>) -> Self {
        Self::new(topic, Severity::Warning, seen)
    }

    pub(super) fn error(topic: Topic, seen: impl Into<String>) -> Self {
        Self::new(topic, Severity::Error, seen)
    }

    /// The user may not send `command`.
    pub(super) fn hidden(topic: Topic, command: &str) -> Self {
        let seen = format!("the user is not allowed to look: it needs {command}");
        Self::new(topic, Severity::Hidden, seen)
    }

    pub(super) fn because(mut self, why: &'static str) -> Self {
        self.why = why;
        self
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub(super) fn at(mut self, server: &str) -> Self {
        self.server = Some(server.to_owned());
        self
    }
}

impl Severity {
    /// The word for it in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Hidden => "hidden",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Topic {
    /// The word for it in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reachability => "reachability",
            Self::Sentinels => "sentinels",
            Self::Cluster => "cluster",
            Self::Version => "version",
            Self::Role => "role",
            Self::Encryption => "encryption",
            Self::User => "user",
            Self::Rights => "rights",
            Self::Scripts => "scripts",
            Self::NearCache => "near_cache",
            Self::Clock => "clock",
            Self::Latency => "latency",
            Self::Persistence => "persistence",
            Self::Eviction => "eviction",
            Self::Memory => "memory",
            Self::Replication => "replication",
            Self::Forks => "forks",
            Self::Connections => "connections",
            Self::Settings => "settings",
        }
    }

    /// Why it matters, where a finding has nothing more exact to say.
    const fn why(self) -> &'static str {
        match self {
            Self::Reachability => "without the server no visitor with a session is served",
            Self::Sentinels => "they choose the next primary, and need a majority for that",
            Self::Cluster => {
                "sessions in a slot that nobody serves can be neither read nor written"
            }
            Self::Version => "sessions are written with commands that older servers do not know",
            Self::Role => "sign-ins, changes and sign-outs need a primary that takes writes",
            Self::Encryption => {
                "whoever can listen on the way can use a session's data and password"
            }
            Self::User => "whoever gets in can read, change and end sessions",
            Self::Rights => "what the user may not do fails while visitors wait for it",
            Self::Scripts => "every change of a session is one script on the server",
            Self::NearCache => "a near-cache holds only what the server calls back when it changes",
            Self::Clock => "sessions end by the server's clock, whatever this machine's says",
            Self::Latency => {
                "a request that reads its session waits once, one that writes it twice"
            }
            Self::Persistence => "what was not saved is gone after a crash, sign-outs among it",
            Self::Eviction => "a session that is evicted is a visitor who was signed out",
            Self::Memory => "a full server refuses sign-ins and changes",
            Self::Replication => {
                "without a replica that is close behind, a lost server loses sessions"
            }
            Self::Forks => "while the server copies itself to save, nobody is answered",
            Self::Connections => "an application that gets no connection serves no session",
            Self::Settings => "they decide how the server behaves when something breaks",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
