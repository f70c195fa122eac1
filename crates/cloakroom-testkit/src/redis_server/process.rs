//! [`Process`]: one run of the server's program under a guard. Every started server is one of
//! these, and [`RedisServer`](super::RedisServer) starts the next one after a restart.
//!
//! What must always hold: the server ends with the value and with the test process, however either
//! of them ends, whether the server is running, frozen or dead already; no signal is ever sent to a
//! process that is not ours; and a test process that ends without dropping its servers, as one with
//! servers in a `static` does, leaves no folders of theirs behind.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{LOG, SETTINGS};

/// Names the server's program; the default is `redis-server` from the path.
pub const SERVER_PROGRAM: &str = "CLOAKROOM_TEST_REDIS_SERVER";

/// Tells the server's process id, and kills the server as soon as the pipe from the test process is
/// closed. It ends when the server ends, so that a failed start is noticed at once. Where the pipe was
/// closed without a word, nobody is left to remove the server's folder.
const GUARD: &str = r#"exec 3<&0
folder=$1; shift
"$@" </dev/null 3<&- >&2 & server=$!
{ read -r _ <&3 || : >"$folder/abandoned"; kill -9 $server; } >/dev/null & watch=$!
exec 3<&-
echo $server
wait $server
kill -9 $watch
if [ -e "$folder/abandoned" ]; then rm -rf "$folder"; fi"#;

/// What a server is run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It keeps data.
    Data,
    /// It watches servers that keep data.
    Sentinel,
}

/// What the operating system is told to do with a process.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// Stop it without ending it.
    Freeze,
    /// Let it go on.
    Thaw,
    /// Ask it to end.
    Terminate,
}

/// A running server.
#[derive(Debug)]
pub(super) struct Process {
    guard: Child,
    id: u32,
}

impl Process {
    /// Starts the program in a folder of its own, with the settings file there and arguments that
    /// overrule it; what it says goes to the log there.
    pub(super) fn start(role: Role, folder: &Path, arguments: &[&str]) -> io::Result<Self> {
        let program = std::env::var(SERVER_PROGRAM).unwrap_or_else(|_| "redis-server".to_owned());
        let log = OpenOptions::new().create(true).append(true).open(folder.join(LOG))?;
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh"]).arg(folder).arg(&program).arg(folder.join(SETTINGS));
        if role == Role::Sentinel {
            command.arg("--sentinel");
        }
        command.args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let guard = command.spawn()?;
        let mut process = Self { guard, id: 0 };
        let Some(said) = process.guard.stdout.take() else { return Err(no_process()) };
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        process.id = line.trim().parse().map_err(|_| no_process())?;
        Ok(process)
    }

    /// The server's own process id, not its guard's.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// Whether the server has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.guard.try_wait(), Ok(None))
    }

    /// Sends a signal; a server that has ended gets none, for its id may be another's by now.
    pub(super) fn signal(&mut self, signal: Signal) {
        if self.has_ended() {
            return;
        }
        let name = match signal {
            Signal::Freeze => "STOP",
            Signal::Thaw => "CONT",
            Signal::Terminate => "TERM",
        };
        // The shell's own `kill`, for a small container has no other.
        let _ = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.id)]).status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.stdin.take() {
            // The folder is still somebody's.
            let _ = guard.write_all(b"keep\n");
        }
        let _ = self.guard.wait();
    }
}

fn no_process() -> io::Error {
    io::Error::other("the server's guard did not tell a process id")
}
