//! `docs/cli.md` is true: every example on it is run, and every option of every command stands there.
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
        let words = options.lines().filter(|line| line.trim_start().starts_with('-'));
        let flags = words.flat_map(|line| line.split_whitespace().find(|it| it.starts_with("--")));
        for flag in flags {
            assert!(flag == "--help" || section.contains(flag), "{command} {flag} is missing");
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
