//! [`Visit`]: one server, from its door to everything that is looked at.
//!
//! What is found is kept whatever happens later: a server that freezes in the midst of it has told
//! something before.

use std::time::Instant;

use redis::RedisError;

use super::facts::{Facts, time};
use super::finding::{Finding, Topic};
use super::line::{End, Limits, Line, Silence};
use super::reach::Reach;
use super::scripts::Trial;
use super::servers::{Server, unreachable};
use super::{
    Task, clock, connections, encryption, forks, latency, memory, near_cache, persistence,
    replication, rights, role, scripts, settings, user, version,
};
use crate::connection::OpenError;
use crate::error::code;
use crate::server_info::Role;

/// What a server has shown.
pub(super) struct Visited {
    pub(super) server: String,
    /// Whether it has answered at all.
    pub(super) let_in: bool,
    pub(super) findings: Vec<Finding>,
}

/// A server that is being looked at.
pub(super) struct Visit<'a> {
    pub(super) server: &'a Server,
    pub(super) task: &'a Task,
    pub(super) line: Line,
    /// Of all lines to this server.
    pub(super) limits: Limits,
    pub(super) reach: Reach,
    /// A session that would lie there; nothing where none would.
    pub(super) trial: Option<Trial>,
    /// What `INFO` tells; nothing where the user may not ask.
    pub(super) info: Option<Facts>,
    /// What `CONFIG GET` tells; nothing where the user may not ask.
    pub(super) settings: Option<Facts>,
    findings: Vec<Finding>,
}

impl<'a> Visit<'a> {
    /// Looks at one server.
    pub(super) async fn pay(server: &'a Server, task: &'a Task) -> Visited {
        let name = server.endpoint.name().to_owned();
        match Self::enter(server, task).await {
            Ok(mut visit) => {
                visit.look_around().await;
                Visited { server: name, let_in: true, findings: visit.findings }
            }
            Err(finding) => Visited { server: name, let_in: false, findings: vec![finding] },
        }
    }

    async fn enter(server: &'a Server, task: &'a Task) -> Result<Self, Finding> {
        let endpoint = &server.endpoint;
        let shut = |error| unreachable(Topic::Reachability, error, endpoint, task);
        let limits = task.limits();
        let begin = Instant::now();
        // A server that is frozen still gets connections, from its system.
        let entering = async {
            let mut line = Line::open(endpoint, limits).await?;
            let pong = line.ask(&redis::cmd("PING")).await;
            Ok((line, pong))
        };
        let entered = tokio::time::timeout(task.connection_timeout, entering).await;
        let elapsed = begin.elapsed();
        let (line, pong) = entered.unwrap_or(Err(OpenError::TimedOut { elapsed })).map_err(shut)?;
        let answered = match pong {
            Ok(_) => Finding::ok(
                Topic::Reachability,
                format!("it let the user in within {}", time(elapsed)),
            ),
            Err(Silence::Hidden(error)) => return Err(shut(denied(error))),
            Err(Silence::Refused(error)) => Finding::error(
                Topic::Reachability,
                format!("it answers a PING with {}", code(&error).unwrap_or("an error")),
            )
            .remedy("look into the server's log; it goes on refusing until that is mended"),
            Err(Silence::Over) => {
                return Err(shut(match line.end() {
                    Some(End::Broken(error)) => OpenError::Failed(error.clone()),
                    _ => OpenError::TimedOut { elapsed },
                }));
            }
        };
        let reach = Reach::of(endpoint);
        let trial = Trial::on(server, &task.keys);
        let findings = vec![answered];
        Ok(Self { server, task, line, limits, reach, trial, info: None, settings: None, findings })
    }

    async fn look_around(&mut self) {
        self.info = Facts::info(&mut self.line).await.ok();
        if self.info.as_ref().is_some_and(|info| info.about.role == Role::Sentinel) {
            // Nothing else that is looked at is true of one.
            let found = [role::find(self), encryption::find(self)];
            return self.add(found);
        }
        self.settings = Facts::settings(&mut self.line).await.ok();
        let found = [version::find(self), role::find(self), encryption::find(self)];
        self.add(found);
        let found = [
            user::find(self).await,
            rights::find(self).await,
            scripts::find(self).await,
            near_cache::find(self).await,
            clock::find(self).await,
            latency::find(self).await,
        ];
        self.add(found);
        let found = [
            persistence::find(self),
            memory::find(self),
            replication::find(self),
            forks::find(self),
            connections::find(self),
            settings::find(self),
        ];
        self.add(found);
        if let Some(end) = self.line.end() {
            let finding = Finding::error(
                Topic::Reachability,
                format!("in the midst of the questions {end}; the others were left out"),
            )
            .remedy("check that the server is not frozen or overloaded, and the network to it");
            self.findings.push(finding);
        }
    }

    fn add<const N: usize>(&mut self, found: [Vec<Finding>; N]) {
        self.findings.extend(found.into_iter().flatten());
    }

    /// A number that `INFO` tells; 0 where it does not.
    pub(super) fn count(&self, name: &str) -> u64 {
        self.info.as_ref().map_or(0, |info| info.count(name))
    }

    /// A setting that `CONFIG GET` tells.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.as_ref()?.text(name)
    }
}

fn denied(error: RedisError) -> OpenError {
    if error.code() == Some("NOPERM") { OpenError::NotAllowed("PING") } else { error.into() }
}
