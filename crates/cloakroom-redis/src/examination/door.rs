//! [`Door`]: whether anybody gets in without a password. It is tried from outside, on a connection
//! that introduces nobody, so that no right is needed to know it.

use std::fmt;

use super::finding::{Finding, Severity, Topic};
use super::line::{End, Line, Silence};
use super::reach::Reach;
use super::visit::Visit;
use crate::connection::OpenError;
use crate::error::{ClientError, code};
use crate::server_info::{Product, Version};
use crate::tls::TlsProblem;

/// From here on protected mode holds whatever addresses a server listens on.
const PROTECTED: Version = Version { major: 7, minor: 0, patch: 0 };

/// What a connection that introduces nobody comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// It may read sessions.
    Open,
    /// It is let in, and may not read sessions.
    Ajar,
    /// It is refused.
    Shut,
    /// It could not be tried.
    Unknown,
}

impl Door {
    /// Tries it, without the password and the certificate of the configuration.
    pub(super) async fn of(visit: &Visit<'_>) -> Self {
        let Ok(endpoint) = visit.server.endpoint.as_a_stranger() else { return Self::Unknown };
        let mut line = match Line::open(&endpoint, visit.limits).await {
            Ok(line) => line,
            Err(OpenError::Denied(_)) => return Self::Shut,
            Err(OpenError::Failed(error)) => return Self::behind(&error),
            Err(_) => return Self::Unknown,
        };
        let mut question = redis::cmd("GET");
        match &visit.trial {
            Some(trial) => question.arg(&trial.name),
            None => question.arg(visit.task.keys.probe(0)),
        };
        match line.ask(&question).await {
            Ok(_) => Self::Open,
            Err(Silence::Hidden(error)) if code(&error) == Some("NOPERM") => Self::Ajar,
            Err(Silence::Hidden(_)) => Self::Shut,
            Err(Silence::Refused(error)) => match code(&error) {
                // Protected mode.
                Some("DENIED") => Self::Shut,
                // Whoever is sent to another node was let in at this one.
                Some("MOVED") => Self::Open,
                _ => Self::Unknown,
            },
            Err(Silence::Over) => match line.end() {
                Some(End::Broken(error)) => Self::behind(error),
                _ => Self::Unknown,
            },
        }
    }

    fn behind(error: &ClientError) -> Self {
        let wants_a_certificate =
            [TlsProblem::CertificateWanted, TlsProblem::CertificateRefused].map(ClientError::Tls);
        if wants_a_certificate.contains(error) { Self::Shut } else { Self::Unknown }
    }

    pub(super) fn finding(self, visit: &Visit<'_>) -> Finding {
        let remedy = "`CONFIG SET requirepass PASSWORD` (replicas then need masterauth, and Sentinels \
                      auth-pass), and make a user for the application with what `cloakroom acl` \
                      prints";
        match self {
            Self::Open => self.exposed(visit, "anybody is let in without a password", remedy),
            Self::Ajar => Finding::info(
                Topic::User,
                "anybody is let in without a password, and may not read sessions",
            )
            .because("what else the default user may do, anybody may")
            .remedy("`CONFIG SET requirepass PASSWORD`, unless that is meant so"),
            Self::Shut => Finding::ok(Topic::User, "nobody is let in without a password"),
            Self::Unknown => Finding::new(
                Topic::User,
                Severity::Hidden,
                "whether anybody is let in without a password could not be tried",
            ),
        }
    }

    /// That people get in who should not, as urgent as there are many of them.
    pub(super) fn exposed(
        self,
        visit: &Visit<'_>,
        seen: impl fmt::Display,
        remedy: impl Into<String>,
    ) -> Finding {
        let finding = match (visit.reach, self.is_for_this_machine(visit)) {
            (Reach::Here, Some(true)) => {
                Finding::info(Topic::User, format!("{seen}, from this machine only"))
                    .because("every program on this machine can read, change and end sessions")
            }
            (Reach::Here, None) => Finding::warning(
                Topic::User,
                format!("{seen}; whether from other machines too is not told"),
            ),
            _ => Finding::error(Topic::User, format!("{seen}, from other machines too")),
        };
        finding.remedy(remedy)
    }

    /// Whether the server lets in nobody from other machines; `None` where it does not tell.
    fn is_for_this_machine(self, visit: &Visit<'_>) -> Option<bool> {
        visit.settings.as_ref()?;
        let bind = visit.setting("bind").unwrap_or_default();
        let is_loopback = |address: &str| {
            let address = address.trim_start_matches('-');
            address == "localhost" || address == "::1" || address.starts_with("127.")
        };
        let is_bound = !bind.trim().is_empty() && bind.split_whitespace().all(is_loopback);
        // Before Redis 7 whoever named addresses to listen on had switched it off.
        let is_whole = visit.info.as_ref().is_some_and(|info| {
            info.about.product != Product::Redis || info.about.version >= PROTECTED
        });
        let holds = is_whole || bind.trim().is_empty();
        let is_protected = visit.setting("protected-mode") == Some("yes") && holds;
        // It protects a default user without a password, and nobody else.
        Some(is_bound || is_protected && self != Self::Shut)
    }
}
