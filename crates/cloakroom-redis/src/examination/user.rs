//! Who gets in: anybody, or a user with a password; and whether the user may do more than is needed.

use std::collections::HashMap;

use redis::Value;

use super::door::Door;
use super::finding::{Finding, Severity, Topic};
use super::line::Silence;
use super::visit::Visit;
use crate::acl::AclRule;
use crate::keys::Keys;

/// Who has no password, and may do everything unless somebody has said otherwise.
const DEFAULT: &str = "default";

/// What an operator's user needs beside an application's, to see all that is looked at here.
const OPERATORS: [&str; 3] = ["acl|whoami", "acl|getuser", "config|get"];

/// How many rights are named at most.
const NAMED: usize = 6;

/// What `ACL GETUSER` tells of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    /// Whether anybody is let in under that name.
    is_open: bool,
    /// Rules for commands, as `-@all` and `+get`.
    commands: Vec<String>,
    /// Patterns of keys, as `~cloakroom:session:*`.
    keys: Vec<String>,
    /// Whether it has more rights in other places.
    has_selectors: bool,
}

pub(super) async fn find(visit: &mut Visit<'_>) -> Vec<Finding> {
    if visit.line.end().is_some() {
        return Vec::new();
    }
    let door = Door::of(visit).await;
    let mut found = vec![door.finding(visit)];
    let mut question = redis::cmd("ACL");
    let name = match visit.line.ask(question.arg("WHOAMI")).await {
        Ok(name) => redis::from_redis_value::<String>(name).unwrap_or_default(),
        Err(Silence::Over) => return found,
        Err(_) => {
            found.push(Finding::hidden(Topic::User, "+acl|whoami"));
            return found;
        }
    };
    let mut question = redis::cmd("ACL");
    match visit.line.ask(question.arg("GETUSER").arg(&name)).await {
        Ok(answer) => found.extend(judge(visit, door, &name, Account::read(answer))),
        Err(Silence::Over) => {}
        Err(_) => found.push(Finding::hidden(Topic::User, "+acl|getuser")),
    }
    found
}

fn judge(visit: &Visit<'_>, door: Door, name: &str, account: Option<Account>) -> Option<Finding> {
    let Some(account) = account else {
        let text = format!("what the server tells of the user {name} was not understood");
        return Some(Finding::new(Topic::User, Severity::Hidden, text));
    };
    if account.is_open && name != DEFAULT {
        let seen = format!("anybody is let in as the user {name}, with any password");
        let remedy = format!("give that user a password: `ACL SETUSER {name} >PASSWORD`");
        return Some(door.exposed(visit, seen, remedy));
    }
    // Whether anybody gets in as that one, the door has told.
    if account.is_open && door != Door::Shut {
        return None;
    }
    let excess = account.excess(&visit.task.keys);
    if excess.is_empty() {
        let text =
            format!("the user {name} has limited rights, and none that sessions do not need");
        return Some(Finding::ok(Topic::User, text));
    }
    let mut named = excess.iter().take(NAMED).cloned().collect::<Vec<_>>().join(" ");
    if excess.len() > NAMED {
        named += &format!(" and {} more", excess.len() - NAMED);
    }
    Some(
        Finding::info(
            Topic::User,
            format!("the user {name} may do more than sessions need: {named}"),
        )
        .because("who finds the password can do as much")
        .remedy("make a user for the application with what `cloakroom acl` prints"),
    )
}

impl Account {
    /// Reads pairs of names and values, in either version of the protocol. `None` where nothing is
    /// said of what an account is judged by.
    fn read(answer: Value) -> Option<Self> {
        let mut told: HashMap<String, Value> = redis::from_redis_value(answer).ok()?;
        let flags: Vec<String> = redis::from_redis_value(told.remove("flags")?).ok()?;
        let commands: String = redis::from_redis_value(told.remove("commands")?).ok()?;
        // Before Redis 7 a list of patterns, later rules.
        let keys: Vec<String> = match told.remove("keys")? {
            Value::Array(patterns) | Value::Set(patterns) => {
                let patterns = redis::from_redis_value::<Vec<String>>(Value::Array(patterns));
                patterns.ok()?.iter().map(|pattern| format!("~{pattern}")).collect()
            }
            rules => words(&redis::from_redis_value::<String>(rules).ok()?),
        };
        let selectors = told.remove("selectors").map(redis::from_redis_value::<Vec<Value>>);
        Some(Self {
            is_open: flags.iter().any(|flag| flag == "nopass"),
            commands: words(&commands),
            keys,
            has_selectors: selectors.is_some_and(|list| list.map_or(true, |it| !it.is_empty())),
        })
    }

    /// The rules that give more than sessions below that prefix need.
    fn excess(&self, prefix: &Keys) -> Vec<String> {
        let rule = AclRule::for_sessions(DEFAULT, prefix.prefix()).map(AclRule::with_select);
        let needed: Vec<_> = rule.iter().flat_map(AclRule::rights).map(|it| it.command).collect();
        let is_command_needed = |word: &str| match word.strip_prefix('+') {
            // Redis before 7 tells rules anew, in fewer words.
            Some("@scripting") => self.commands.iter().any(|other| other == "-script"),
            Some(command) => needed.contains(&command) || OPERATORS.contains(&command),
            None => true,
        };
        let below = prefix.pattern_below();
        let below = below.trim_end_matches('*');
        let is_key_needed =
            |word: &str| word.split_once('~').is_none_or(|(_, pattern)| pattern.starts_with(below));
        let commands = self.commands.iter().filter(|word| !is_command_needed(word));
        let keys = self.keys.iter().filter(|word| !is_key_needed(word));
        let selectors = self.has_selectors.then(|| "selectors".to_owned());
        commands.chain(keys).cloned().chain(selectors).collect()
    }
}

fn words(rules: &str) -> Vec<String> {
    rules.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn list(texts: &[&str]) -> Value {
        Value::Array(texts.iter().map(|it| text(it)).collect())
    }

    fn account(commands: &str, keys: &str) -> Account {
        Account {
            is_open: false,
            commands: words(commands),
            keys: words(keys),
            has_selectors: false,
        }
    }

    #[test]
    fn what_a_user_may_is_read_out_of_the_servers_answer_in_both_protocols() {
        let pairs = [
            (text("flags"), list(&["on", "nopass"])),
            (text("commands"), text("-@all +get")),
            (text("keys"), text("~a:* ~b")),
            (text("selectors"), list(&[])),
        ];
        let flat = pairs.iter().cloned().flat_map(|(name, value)| [name, value]).collect();
        let expected = Account { is_open: true, ..account("-@all +get", "~a:* ~b") };
        for answer in [Value::Array(flat), Value::Map(pairs.into())] {
            assert_eq!(Account::read(answer), Some(expected.clone()));
        }
        let older = [
            (text("flags"), Value::Set(vec![text("on")])),
            (text("commands"), text("+@all")),
            (text("keys"), list(&["*"])),
        ];
        assert_eq!(Account::read(Value::Map(older.into())), Some(account("+@all", "~*")));
    }

    #[test]
    fn an_answer_that_says_nothing_of_a_user_is_not_taken_for_a_good_one() {
        for answer in [
            Value::Nil,
            Value::Okay,
            text("nobody"),
            list(&[]),
            Value::Map(vec![(text("flags"), list(&["on"]))]),
        ] {
            assert_eq!(Account::read(answer.clone()), None, "{answer:?}");
        }
    }

    #[test]
    fn what_a_user_may_beyond_the_rule_is_named() {
        let keys = Keys::new("shop*:").unwrap();
        let rule = AclRule::for_sessions("app", "shop*:").unwrap();
        let commands: Vec<_> = rule.rights().iter().map(|it| format!("+{}", it.command)).collect();
        let least = format!("-@all {} +select +acl|whoami", commands.join(" "));
        let pattern = format!("~{}", keys.pattern_below());
        let none: [&str; 0] = [];
        assert_eq!(account(&least, &pattern).excess(&keys), none);
        assert_eq!(account(&least, &format!("%R{pattern}")).excess(&keys), none);
        assert_eq!(account(&format!("{least} +flushall"), "~*").excess(&keys), ["+flushall", "~*"]);
        let older = least.replace("+evalsha +eval ", "+@scripting -script ");
        assert_eq!(account(&older, &pattern).excess(&keys), none);
        assert_eq!(account("+@all -flushall", "~shop*").excess(&keys), ["+@all", "~shop*"]);
        let more = Account { has_selectors: true, ..account(&least, &pattern) };
        assert_eq!(more.excess(&keys), ["selectors"]);
    }
}
