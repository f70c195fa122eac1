//! `wrk`, which sends as many requests as one application takes: one thread, 64 connections.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use cloakroom_compare::Failure;
use tempfile::NamedTempFile;
use tokio::process::Command;

use crate::node::Node;
use crate::visitor::Visitor;

const CONNECTIONS: &str = "64";
const SCRIPT: &str = include_str!("wrk.lua");

/// The visitors of one application, as files that `wrk` reads.
#[derive(Debug)]
pub struct Wrk {
    script: NamedTempFile,
    cookies: NamedTempFile,
}

/// What `wrk` saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drive {
    pub requests: u64,
    pub duration: Duration,
    pub p50: Duration,
    pub p99: Duration,
    /// Answers of 400 or above.
    pub refused: u64,
    /// Connections that failed, and answers that did not come.
    pub broken: u64,
}

impl Wrk {
    /// Takes the visitors' cookies as they are now.
    pub fn new(visitors: &[Visitor]) -> Result<Self, Failure> {
        let (mut script, mut cookies) = (NamedTempFile::new()?, NamedTempFile::new()?);
        script.write_all(SCRIPT.as_bytes())?;
        for visitor in visitors {
            writeln!(cookies, "{}", visitor.header())?;
        }
        Ok(Self { script, cookies })
    }

    /// Requests one path for some seconds.
    pub async fn drive(&self, node: &Node, path: &str, seconds: u64) -> Result<Drive, Failure> {
        let child = Command::new("wrk")
            .args(["-t1", "-c", CONNECTIONS, "-d", &format!("{seconds}s"), "-s"])
            .arg(self.script.path())
            .arg(format!("http://127.0.0.1:{}{path}", node.port()))
            .arg("--")
            .arg(self.cookies.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|problem| format!("wrk: {problem}"))?;
        let limit = Duration::from_secs(seconds + 20);
        let output = tokio::time::timeout(limit, child.wait_with_output()).await??;
        let said = String::from_utf8_lossy(&output.stdout);
        let drive = said.lines().find_map(parse);
        drive.ok_or_else(|| {
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            format!("wrk ends without figures: {said}{complaint}").into()
        })
    }
}

fn parse(line: &str) -> Option<Drive> {
    let numbers = line.strip_prefix("figures ")?.split(' ').map(str::parse);
    let numbers = numbers.collect::<Result<Vec<u64>, _>>().ok()?;
    let [requests, duration, p50, p99, refused, broken] = numbers[..] else { return None };
    let micros = Duration::from_micros;
    let (duration, p50, p99) = (micros(duration), micros(p50), micros(p99));
    Some(Drive { requests, duration, p50, p99, refused, broken })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_script_is_understood_and_no_other_one() {
        let drive = parse("figures 3000 1000000 640 2100 0 2");
        assert_eq!(drive.map(|drive| (drive.requests, drive.broken)), Some((3000, 2)));
        assert_eq!(drive.map(|drive| drive.p99), Some(Duration::from_micros(2100)));
        assert_eq!(parse("Requests/sec: 3000"), None);
        assert_eq!(parse("figures 1 2 3 4 5"), None);
    }
}
