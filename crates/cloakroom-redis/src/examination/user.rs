//! Who the user is: whether there is a password, and whether the user may do more than is needed.

use std::collections::HashMap;

use redis::Value;

use super::finding::{Finding, Severity, Topic};
use super::line::Silence;
use super::reach::Reach;
use super::visit::Visit;

const NEEDED: &str = "make a user for the application with what `cloakroom acl` prints";

/// What `ACL GETUSER` tells of a user.
#[derive(Debug, PartialEq, Eq)]
struct Account {
    /// Whether anybody is let in under that name.
    is_open: bool,
    /// Whether every command is allowed.
    may_do_all: bool,
}

pub(super) async fn find(visit: &mut Visit<'_>) -> Vec<Finding> {
    let mut question = redis::cmd("ACL");
    let name = match visit.line.ask(question.arg("WHOAMI")).await {
        Ok(name) => redis::from_redis_value::<String>(name).unwrap_or_default(),
        Err(Silence::Over) => return Vec::new(),
        Err(_) => return hidden(visit, "+acl|whoami"),
    };
    let mut question = redis::cmd("ACL");
    let account = match visit.line.ask(question.arg("GETUSER").arg(&name)).await {
        Ok(answer) => Account::read(answer),
        Err(Silence::Over) => return Vec::new(),
        Err(_) => return hidden(visit, "+acl|getuser"),
    };
    let Some(account) = account else {
        let text = format!("what the server tells of the user {name} was not understood");
        return vec![Finding::new(Topic::User, Severity::Hidden, text)];
    };
    vec![if account.is_open {
        open_to_all(visit, &name)
    } else if account.may_do_all {
        Finding::info(Topic::User, format!("the user {name} has a password and may do everything"))
            .because("who finds the password can do everything as well")
            .remedy(NEEDED)
    } else {
        Finding::ok(Topic::User, format!("the user {name} has a password and limited rights"))
    }]
}

/// Who introduces themselves is not let in without a password.
fn hidden(visit: &Visit<'_>, right: &str) -> Vec<Finding> {
    let finding = Finding::hidden(Topic::User, right);
    vec![if visit.server.endpoint.access().has_credentials() {
        finding
    } else {
        Finding::warning(Topic::User, "the server asks for no password").remedy(NEEDED)
    }]
}

fn open_to_all(visit: &Visit<'_>, name: &str) -> Finding {
    let seen = format!("the user {name} needs no password");
    let is_loopback = |address: &str| {
        let address = address.trim_start_matches('-');
        address == "localhost" || address == "::1" || address.starts_with("127.")
    };
    let bound = visit.setting("bind").map(|bind| {
        let mut addresses = bind.split_whitespace().peekable();
        addresses.peek().is_some() && addresses.all(is_loopback)
    });
    let is_shut = bound == Some(true) || visit.setting("protected-mode") == Some("yes");
    match (visit.reach, is_shut, &visit.settings) {
        (Reach::Here, true, _) => {
            Finding::info(Topic::User, format!("{seen}, and only this machine is let in"))
                .because("every program on this machine can read, change and end sessions")
                .remedy(NEEDED)
        }
        (Reach::Here, _, None) => Finding::warning(
            Topic::User,
            format!("{seen}; whether other machines are let in is not told"),
        )
        .remedy(NEEDED),
        _ => Finding::error(Topic::User, format!("{seen}, and other machines are let in"))
            .remedy(NEEDED),
    }
}

impl Account {
    /// Reads pairs of names and values, in either version of the protocol. `None` where nothing is
    /// said of what an account is judged by.
    fn read(answer: Value) -> Option<Self> {
        let mut told: HashMap<String, Value> = redis::from_redis_value(answer).ok()?;
        let flags: Vec<String> = redis::from_redis_value(told.remove("flags")?).ok()?;
        let commands: String = redis::from_redis_value(told.remove("commands")?).ok()?;
        Some(Self {
            is_open: flags.iter().any(|flag| flag == "nopass"),
            may_do_all: commands.starts_with("+@all"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn what_a_user_may_is_read_out_of_the_servers_answer_in_both_protocols() {
        let answers = |flags: &[&str], commands: &str| {
            let flags: Vec<_> = flags.iter().map(|flag| text(flag)).collect();
            let list =
                [text("flags"), Value::Array(flags.clone()), text("commands"), text(commands)];
            let map = [(text("flags"), Value::Set(flags)), (text("commands"), text(commands))];
            [Value::Array(list.into()), Value::Map(map.into())]
        };
        for open in answers(&["on", "nopass"], "+@all") {
            let expected = Account { is_open: true, may_do_all: true };
            assert_eq!(Account::read(open), Some(expected));
        }
        for least in answers(&["on"], "-@all +get +ping") {
            let expected = Account { is_open: false, may_do_all: false };
            assert_eq!(Account::read(least), Some(expected));
        }
    }

    #[test]
    fn an_answer_that_says_nothing_of_a_user_is_not_taken_for_a_good_one() {
        for answer in [
            Value::Nil,
            Value::Okay,
            text("nobody"),
            Value::Array(Vec::new()),
            Value::Map(vec![(text("flags"), Value::Array(Vec::new()))]),
        ] {
            assert_eq!(Account::read(answer.clone()), None, "{answer:?}");
        }
    }
}
