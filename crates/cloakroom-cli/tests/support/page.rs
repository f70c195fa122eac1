//! A page of the documentation as a test reads it: its examples, its files, its sections; and the
//! shell that runs them.

use std::path::Path;

use cloakroom_testkit::RedisServer;
use tempfile::TempDir;
use tokio::process::Command;

/// What the page calls every server.
const PLACE: &str = "localhost:6379";

/// Where the page keeps the password.
const SECRET_FILE: &str = "/run/secrets/redis";

#[derive(Debug, Default)]
pub struct Page {
    pub examples: Vec<Example>,
    /// Names and texts of files.
    pub files: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct Example {
    /// The server that it is run beside.
    pub kind: String,
    /// Commands, each with the lines that it shall print.
    pub steps: Vec<(String, Vec<String>)>,
}

/// What a command has printed, beside what it should.
pub struct Step {
    pub command: String,
    pub expected: Vec<String>,
    pub output: String,
}

/// A shell in a folder of its own.
pub struct Shell {
    folder: TempDir,
    place: String,
}

impl Page {
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(fence) = line.strip_prefix("```") else { continue };
            let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            match fence.split_once(' ') {
                Some(("console", kind)) => page.examples.push(Example::read(kind, &block)),
                Some(("toml", name)) => page.files.push((name.to_owned(), block.join("\n"))),
                _ => assert_ne!(fence, "console", "an example without a kind"),
            }
        }
        page
    }

    /// The text from a heading to the next one of its kind.
    pub fn section<'a>(text: &'a str, heading: &str) -> &'a str {
        let start = text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{heading}"));
        let rest = &text[start + 1..];
        rest[3..].find("\n## ").map_or(rest, |end| &rest[..end + 3])
    }
}

impl Example {
    fn read(kind: &str, lines: &[&str]) -> Self {
        let mut steps: Vec<(String, Vec<String>)> = Vec::new();
        for line in lines {
            match line.strip_prefix("$ ") {
                Some(command) => steps.push((command.to_owned(), Vec::new())),
                None => steps.last_mut().unwrap().1.push((*line).to_owned()),
            }
        }
        assert!(!steps.is_empty(), "an example without a command");
        Self { kind: kind.to_owned(), steps }
    }
}

impl Shell {
    pub fn beside(server: &RedisServer, secret: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("secret"), secret).unwrap();
        Self { folder, place: format!("127.0.0.1:{}", server.port()) }
    }

    /// Puts a file into the shell's folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), self.here(text)).unwrap();
    }

    /// Runs the steps of one example in one shell, each with the exit code of the one before.
    pub async fn run(&self, example: &Example) -> Vec<Step> {
        let mut script = "code=0\n".to_owned();
        for (at, (command, _)) in example.steps.iter().enumerate() {
            let mut command = self.here(command);
            if example.kind == "until-ctrl-c" {
                let is_admin = command.starts_with("cloakroom admin");
                let free = if is_admin { "--listen 127.0.0.1:0" } else { "--port 0" };
                command = format!("timeout --preserve-status --signal INT 2 {command} {free}");
            }
            script +=
                &format!("(exit $code)\n{{ {command}\n}} >out.{at} 2>&1 </dev/null\ncode=$?\n");
        }
        let mut shell = Command::new("bash");
        shell.args(["--norc", "-c", &script]).current_dir(self.folder.path());
        let programs = Path::new(env!("CARGO_BIN_EXE_cloakroom")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        shell.env("PATH", format!("{}:{path}", programs.display()));
        shell.env("HOME", self.folder.path());
        for part in ["CONFIG", "PREFIX", "USERNAME", "PASSWORD", "PASSWORD_FILE"] {
            shell.env_remove(format!("CLOAKROOM_REDIS_{part}"));
        }
        // Where the page names no server, it is the one of the default.
        shell.env("CLOAKROOM_REDIS_URL", format!("redis://{}", self.place));
        if example.steps.iter().any(|(command, _)| command.contains("--config")) {
            shell.env_remove("CLOAKROOM_REDIS_URL");
        }
        assert!(shell.status().await.unwrap().code().is_some());
        let step = |(at, (command, expected)): (usize, &(String, Vec<String>))| {
            let output = std::fs::read(self.folder.path().join(format!("out.{at}"))).unwrap();
            Step {
                command: command.clone(),
                expected: expected.clone(),
                output: self.there(&String::from_utf8(output).unwrap()),
            }
        };
        example.steps.iter().enumerate().map(step).collect()
    }

    /// What the page says, for this server and folder.
    fn here(&self, text: &str) -> String {
        let secret = self.folder.path().join("secret");
        text.replace(PLACE, &self.place).replace(SECRET_FILE, secret.to_str().unwrap())
    }

    /// What is shown here, as the page would show it.
    fn there(&self, text: &str) -> String {
        let text = text.replace(&self.place, PLACE);
        let Some((before, rest)) = text.split_once("http://127.0.0.1:") else { return text };
        let rest = rest.trim_start_matches(|it: char| it.is_ascii_digit());
        format!("{before}http://127.0.0.1:8080{rest}")
    }
}

impl Step {
    pub fn fits(&self) -> bool {
        let output: Vec<_> = self.output.lines().collect();
        fits(&self.expected, &output)
    }
}

/// Whether lines are what was expected; `…` alone is any number of them.
fn fits(expected: &[String], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, others)| line_fits(first, line) && fits(rest, others)),
    }
}

/// Whether a line is what was expected; `…` is any part of it.
fn line_fits(expected: &str, line: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
