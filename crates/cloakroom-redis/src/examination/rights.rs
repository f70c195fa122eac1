//! Whether the user may do everything that a storage does, and the server knows how. Each command is sent in a form that does
//! nothing, on a key below the prefix that nobody has: a server refuses before it looks at that.

use redis::Cmd;

use super::finding::{Finding, Topic};
use super::line::Silence;
use super::servers::Standing;
use super::visit::Visit;
use crate::acl::{AclRight, AclRule};
use crate::error::is_unknown_command;

/// What a storage does without, if it has to, on one server.
const SPARE: [&str; 8] =
    ["role", "info", "scan", "strlen", "wait", "asking", "client|tracking", "cluster|slots"];

/// What a Cluster needs of that.
const OF_A_CLUSTER: [&str; 2] = ["asking", "cluster|slots"];

pub(super) async fn find(visit: &mut Visit<'_>) -> Vec<Finding> {
    let Some(trial) = &visit.trial else { return Vec::new() };
    let Ok(rule) = AclRule::for_sessions("app", visit.task.keys.prefix()) else {
        return Vec::new();
    };
    let database = visit.server.endpoint.access().database();
    let rule = if database == 0 { rule } else { rule.with_select() };
    let (mut refused, mut unknown, mut tried) = (Vec::new(), Vec::new(), 0);
    for right in rule.rights() {
        let Some(question) = harmless(right.command, &trial.name, database) else { continue };
        match visit.line.ask(&question).await {
            Err(Silence::Over) => return Vec::new(),
            Err(Silence::Hidden(_)) => refused.push(*right),
            Err(Silence::Refused(error)) if is_unknown_command(&error) => unknown.push(*right),
            Ok(_) | Err(Silence::Refused(_)) => tried += 1,
        }
    }
    if refused.is_empty() && unknown.is_empty() {
        let text = format!("the user may send all {tried} commands that sessions need");
        return vec![Finding::ok(Topic::Rights, text)];
    }
    let remedy = "give the user what `cloakroom acl` prints";
    let mut found = lack(visit, "the user lacks", &refused, remedy);
    let remedy = "take the lines with rename-command out of the server's configuration and restart \
                  it, or connect to Redis or Valkey itself, without a proxy";
    found.extend(lack(visit, "the server does not know", &unknown, remedy));
    found
}

/// That some commands cannot be sent: those without which there are no sessions, and the others.
fn lack(visit: &Visit<'_>, who: &str, rights: &[AclRight], remedy: &str) -> Vec<Finding> {
    let is_spare = |right: &&AclRight| {
        let spare = SPARE.contains(&right.command);
        let needed = OF_A_CLUSTER.contains(&right.command)
            && matches!(visit.server.standing, Standing::Node(_));
        spare && !needed
    };
    let list = |rights: &[&AclRight]| {
        let each = rights.iter().map(|right| format!("+{} ({})", right.command, right.purpose));
        format!("{who} {}", each.collect::<Vec<_>>().join(", "))
    };
    let (spare, needed): (Vec<_>, Vec<_>) = rights.iter().partition(is_spare);
    let mut found = Vec::new();
    if !needed.is_empty() {
        found.push(Finding::error(Topic::Rights, list(&needed)).remedy(remedy));
    }
    if !spare.is_empty() {
        found.push(
            Finding::warning(Topic::Rights, list(&spare))
                .because("sessions are kept all the same, and what these are for does not work")
                .remedy(remedy),
        );
    }
    found
}

/// The command so that it does nothing; `None` for one that this does not know.
fn harmless(command: &str, key: &[u8], database: u32) -> Option<Cmd> {
    const NO_SCRIPT: &str = "0000000000000000000000000000000000000000";
    let name = command.split('|').next().unwrap_or(command).to_uppercase();
    let mut form = redis::cmd(&name);
    let _ = match command {
        "ping" | "time" | "role" | "asking" => &mut form,
        "info" => form.arg("server"),
        "get" | "del" | "exists" | "strlen" => form.arg(key),
        // Only what is there already is replaced.
        "set" => form.arg(key).arg("").arg("XX").arg("PX").arg(1),
        "eval" => form.arg("return 1").arg(1).arg(key),
        "evalsha" => form.arg(NO_SCRIPT).arg(1).arg(key),
        "getrange" => form.arg(key).arg(0).arg(0),
        // Nothing is appended to what is not there.
        "setrange" => form.arg(key).arg(0).arg(""),
        "pexpireat" => form.arg(key).arg(1),
        // Only what is there already is moved.
        "zadd" => form.arg(key).arg("XX").arg(0).arg("nobody"),
        "zrange" => form.arg(key).arg(0).arg(0),
        "zrem" => form.arg(key).arg("nobody"),
        "scan" => form.arg(0).arg("COUNT").arg(1),
        "wait" => form.arg(0).arg(1),
        "client|tracking" => form.arg("TRACKING").arg("OFF"),
        "cluster|slots" => form.arg("SLOTS"),
        "select" => form.arg(database),
        _ => return None,
    };
    Some(form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::DEFAULT_PREFIX;

    #[test]
    fn every_right_has_a_form_that_does_nothing() {
        let rule = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap().with_select();
        for right in rule.rights() {
            assert!(harmless(right.command, b"key", 0).is_some(), "{}", right.command);
        }
    }
}
