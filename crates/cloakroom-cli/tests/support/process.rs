//! The real binary as a process of the test: on a free port, ended with the value.

use std::process::{ExitStatus, Stdio};

use cloakroom_testkit::RedisServer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// A demo that serves.
pub struct Demo {
    child: Child,
    output: BufReader<ChildStdout>,
    pub port: u16,
    pub greeting: String,
}

/// What an ended process has left.
#[derive(Debug)]
pub struct Left {
    pub status: ExitStatus,
    pub output: String,
    pub errors: String,
}

/// A demo with the server that its sessions lie in, where that is one.
pub struct Stage {
    pub demo: Demo,
    pub redis: Option<RedisServer>,
}

impl Stage {
    /// A demo on the embedded storage, and one on a Redis of its own.
    pub async fn each() -> [Self; 2] {
        let redis = RedisServer::start().await.unwrap();
        let on_redis = Demo::start(&redis.url()).await;
        [
            Self { demo: Demo::start("memory").await, redis: None },
            Self { demo: on_redis, redis: Some(redis) },
        ]
    }
}

impl Demo {
    /// Starts a demo and waits until it has told its URL.
    pub async fn start(storage: &str) -> Self {
        Self::start_with(storage, &[]).await
    }

    /// The same with more options.
    pub async fn start_with(storage: &str, options: &[&str]) -> Self {
        let arguments = [&["--storage", storage, "--port", "0"], options].concat();
        let mut child = command(&arguments).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            assert!(output.read_line(&mut greeting).await.unwrap() > 0, "it ended: {greeting}");
        }
        let (_, place) = greeting.split_once("http://127.0.0.1:").unwrap();
        let port = place.split('/').next().unwrap().parse().unwrap();
        Self { child, output, port, greeting }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sends the process a signal, by its name without `SIG`.
    pub async fn signal(&self, name: &str) {
        let process = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &process]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Waits for the process's end.
    pub async fn ended(mut self) -> Left {
        let (mut output, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut output).await.unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
        Left { status: self.child.wait().await.unwrap(), output, errors }
    }
}

/// Runs a demo that is expected to end by itself.
pub async fn run(arguments: &[&str]) -> Left {
    let left = command(arguments).output().await.unwrap();
    Left {
        status: left.status,
        output: String::from_utf8(left.stdout).unwrap(),
        errors: String::from_utf8(left.stderr).unwrap(),
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.arg("demo").args(arguments).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the command with other arguments than the demo's.
pub async fn run_command(arguments: &[&str]) -> Left {
    run_with(&[], arguments).await
}

/// The same with variables in its environment.
pub async fn run_with(variables: &[(&str, &str)], arguments: &[&str]) -> Left {
    let left = cloakroom(variables, arguments).output().await.unwrap();
    Left {
        status: left.status,
        output: String::from_utf8(left.stdout).unwrap(),
        errors: String::from_utf8(left.stderr).unwrap(),
    }
}

/// The command, with no other variables of its own than these.
pub fn cloakroom(variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.args(arguments).kill_on_drop(true).stdin(Stdio::null());
    for part in ["URL", "CONFIG", "PREFIX", "USERNAME", "PASSWORD", "PASSWORD_FILE"] {
        command.env_remove(format!("CLOAKROOM_REDIS_{part}"));
    }
    command.envs(variables.iter().copied());
    command
}
