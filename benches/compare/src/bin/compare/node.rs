//! [`Node`]: one process of an application under test. It is killed with the value.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cloakroom_compare::Failure;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::client;
use crate::contestant::Contestant;

const START_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);
/// The kernel counts a process's time in hundredths of a second, on every machine with Linux.
const TICK: Duration = Duration::from_millis(10);

/// A running application.
#[derive(Debug)]
pub struct Node {
    contestant: Contestant,
    port: u16,
    process: Child,
    id: u32,
}

impl Node {
    /// Starts an application, and waits until it answers.
    pub async fn start(contestant: Contestant, redis_url: &str) -> Result<Self, Failure> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let program = program(contestant)?;
        let mut process = Command::new(&program)
            .args([&port.to_string(), redis_url])
            .args(contestant.words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|problem| format!("{}: {problem}", program.display()))?;
        let id = process.id().unwrap_or_default();
        let start = Instant::now();
        while client::get(port, "/plain", "").await.body().is_none() {
            if process.try_wait()?.is_some() {
                return Err(last_words(&mut process).await.into());
            }
            if start.elapsed() > START_LIMIT {
                return Err("it does not answer within 10 s of its start".into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        // Nobody reads it any more, and a full pipe would stop the application.
        if let Some(mut stderr) = process.stderr.take() {
            tokio::spawn(async move { tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await });
        }
        Ok(Self { contestant, port, process, id })
    }

    pub fn contestant(&self) -> Contestant {
        self.contestant
    }

    pub fn name(&self) -> &'static str {
        self.contestant.name
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The processor time that it has used so far.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id))?;
        let fields = stat.rsplit_once(") ").ok_or("an odd /proc/PID/stat")?.1;
        // The 14th and 15th field of the line: in user mode, in the kernel.
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u32>);
        Ok(TICK * ticks.sum::<Result<u32, _>>()?)
    }

    /// Its resident memory in KiB: now, and at its largest.
    pub fn memory(&self) -> Result<(u64, u64), Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let read = |name: &str| -> Result<u64, Failure> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let amount = line.and_then(|line| line.split_whitespace().next());
            Ok(amount.ok_or("an odd /proc/PID/status")?.parse()?)
        };
        Ok((read("VmRSS")?, read("VmHWM")?))
    }

    /// An error where it has ended by itself.
    pub fn must_run(&mut self) -> Result<(), Failure> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("{} has ended: {status}", self.name()).into()),
        }
    }
}

/// The applications lie beside this program.
fn program(contestant: Contestant) -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe()?.with_file_name(contestant.program))
}

async fn last_words(process: &mut Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = &mut process.stderr {
        let _ = stderr.read_to_string(&mut text).await;
    }
    let line = text.trim().lines().next_back().unwrap_or("it ends at once");
    line.trim_start_matches("Error: ").trim_matches('"').to_owned()
}
