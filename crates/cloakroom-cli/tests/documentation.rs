//! `docs/cli.md` is true: every example on it is run, and every option of every command stands there,
//! with its default.
//!
//! A block ```` ```console KIND ```` holds commands behind `$ `, each with its output. `…` stands for
//! anything within a line, and alone on a line for any lines. KIND says which server the test starts;
//! the page calls each of them `localhost:6379`. A block ```` ```toml NAME ```` is a file that the
//! commands find.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod page;
    pub mod process;
    pub mod sessions;
}

use cloakroom::SessionKey;
use cloakroom_redis::{AclRule, DEFAULT_PREFIX};
use cloakroom_testkit::{Persistence, RedisServer, RedisServerBuilder};
use support::page::{Page, Shell};
use support::process::run_command;
use support::sessions::{Application, FIREFOX, IPHONE};

const PAGE: &str = include_str!("../../../docs/cli.md");
const COMMANDS: [&str; 13] = [
    "stats",
    "list",
    "show",
    "revoke",
    "revoke-owner",
    "revoke-before",
    "doctor",
    "bench",
    "admin",
    "import",
    "acl",
    "completions",
    "demo",
];
const SECRET: &str = "correct-horse";

/// The server that a block's commands talk to.
fn server(kind: &str) -> RedisServerBuilder {
    let sound =
        RedisServer::builder().persistence(Persistence::EverySecond).setting("maxmemory", "1gb");
    match kind {
        "sound" | "peopled" | "until-ctrl-c" | "express" => sound,
        "evicting" => sound.setting("maxmemory-policy", "allkeys-lru"),
        "least" => {
            let rule = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap();
            sound.password("of-nobody").user("app", SECRET, &rule.access_string())
        }
        kind => panic!("the page names a kind of server that this test does not know: {kind}"),
    }
}

/// The sessions that the page speaks of.
async fn people(server: &RedisServer) {
    let application = Application::on(&server.plain_url()).await;
    for (id, owner, address, agent) in [
        ("5c1f0e9d8b7a69584736251403f2e1d0", Some("ann@example.org"), "192.0.2.7", FIREFOX),
        ("a7b8c9d0e1f20314253647586978a9b0", Some("ann@example.org"), "198.51.100.9", IPHONE),
        ("0f1e2d3c4b5a69788796a5b4c3d2e1f0", None, "203.0.113.80", FIREFOX),
    ] {
        let key = SessionKey::from_hex(id.as_bytes()).unwrap();
        application.put(key, owner, address, agent).await;
    }
}

#[tokio::test]
async fn every_example_does_what_the_page_says() {
    let page = Page::read(PAGE);
    assert!(page.examples.len() >= 13, "{:?}", page.examples);
    for example in &page.examples {
        let server = server(&example.kind).start().await.unwrap();
        if example.kind == "peopled" {
            people(&server).await;
        }
        if example.kind == "express" {
            let session = r#"{"cookie":{},"passport":{"user":"ada"},"cart":["coat"]}"#;
            server.ask(["SET", "sess:kX2", session, "EX", "600"]).await.unwrap();
        }
        let shell = Shell::beside(&server, SECRET);
        for (name, text) in &page.files {
            shell.write(name, text);
        }
        for step in shell.run(example).await {
            assert!(
                step.fits(),
                "`{}` on a server that is {} gave\n{}\nand the page says\n{}",
                step.command,
                example.kind,
                step.output,
                step.expected.join("\n")
            );
        }
    }
}

#[tokio::test]
async fn every_command_has_a_section_with_an_example_and_all_of_its_options() {
    for command in COMMANDS {
        let section = Page::section(PAGE, &format!("cloakroom {command}"));
        assert!(section.contains("```console"), "{command} has no example");
        let help = run_command(&[command, "--help"]).await.output;
        let (options, _) = help.split_once("Examples:").unwrap();
        for (flag, default) in flags(options) {
            let row = row(section, &flag).unwrap_or_else(|| panic!("{command} {flag} is missing"));
            let is_told = default.is_none_or(|default| row.contains(&default));
            assert!(is_told, "{command} {flag} has another default: {row:?}");
        }
    }
    // The page lists every command that there is.
    let help = run_command(&["--help"]).await.output;
    let listed = help.lines().filter(|line| line.starts_with("  ") && !line.contains("cloakroom "));
    for line in listed.filter(|line| !line.trim_start().starts_with('-')) {
        let name = line.split_whitespace().next().unwrap();
        assert!(COMMANDS.contains(&name), "{line}");
    }
}

/// The options that a command's help names, each with its default where that is a single value. Where
/// the sessions are is told once, in a section of its own.
fn flags(help: &str) -> Vec<(String, Option<String>)> {
    let mut options: Vec<String> = Vec::new();
    for line in help.lines().map(str::trim) {
        // Values that an option may have are told as `- setuser: …`.
        let is_option = line.starts_with("--") || (line.starts_with('-') && line.contains(", --"));
        match options.last_mut() {
            _ if is_option => options.push(line.to_owned()),
            Some(option) => *option = format!("{option} {line}"),
            None => {}
        }
    }
    let named = options.iter().map(|text| {
        let flag = text.split([' ', ',']).find(|word| word.starts_with("--")).unwrap().to_owned();
        let default = text.split_once("[default: ").and_then(|(_, rest)| rest.split_once(']'));
        let default = default.map(|(value, _)| value.to_owned());
        let is_elsewhere = ["--url", "--prefix"].contains(&flag.as_str());
        (flag, default.filter(|value| !value.contains(' ') && !is_elsewhere))
    });
    named.filter(|(flag, _)| flag != "--help").collect()
}

/// The words of the row of a section's table that names an option.
fn row(section: &str, flag: &str) -> Option<Vec<String>> {
    let words = |text: &str| -> Vec<String> {
        let ends = |letter: char| letter.is_whitespace() || "`|()[;".contains(letter);
        // 2,000 is 2000.
        text.split(ends).map(|word| word.trim_matches(',').replace(',', "")).collect()
    };
    let rows = section.lines().filter(|line| line.starts_with('|'));
    let of = |line: &&str| words(line.split('|').nth(1).unwrap()).iter().any(|word| word == flag);
    rows.into_iter().find(of).map(words)
}
