//! Who the user is: whether there is a password, and whether the user may do more than is needed.

use redis::Value;

use super::facts::words;
use super::finding::{Finding, Topic};
use super::line::Silence;
use super::reach::Reach;
use super::visit::Visit;

const NEEDED: &str = "make a user for the application with what `cloakroom acl` prints";

/// What `ACL GETUSER` tells of a user.
#[derive(Debug, Default, PartialEq, Eq)]
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
        Ok(answer) => Account::read(&answer),
        Err(Silence::Over) => return Vec::new(),
        Err(_) => return hidden(visit, "+acl|getuser"),
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
    fn read(answer: &Value) -> Self {
        let (Value::Array(parts), mut account) = (answer, Self::default()) else {
            return Self::default();
        };
        for pair in parts.chunks_exact(2) {
            let [name, value] = pair else { continue };
            match redis::from_redis_value::<String>(name.clone()).as_deref() {
                Ok("flags") => {
                    account.is_open = words(value).iter().any(|flag| flag == "nopass");
                }
                Ok("commands") => {
                    let rules = redis::from_redis_value::<String>(value.clone());
                    account.may_do_all = rules.is_ok_and(|rules| rules.starts_with("+@all"));
                }
                _ => {}
            }
        }
        account
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn what_a_user_may_is_read_out_of_the_servers_answer() {
        let answer = |flags: &[&str], commands: &str| {
            Value::Array(vec![
                text("flags"),
                Value::Array(flags.iter().map(|flag| text(flag)).collect()),
                text("commands"),
                text(commands),
            ])
        };
        let open = Account::read(&answer(&["on", "nopass"], "+@all"));
        assert_eq!(open, Account { is_open: true, may_do_all: true });
        let least = Account::read(&answer(&["on"], "-@all +get +ping"));
        assert_eq!(least, Account::default());
        assert_eq!(Account::read(&Value::Nil), Account::default());
    }
}
