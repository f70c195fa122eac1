//! [`Worker`]: another process of the same program, and [`Parent`]: how it sees the first one. They
//! talk in lines; a worker ends when its parent does.

use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A process that was started by this one.
pub struct Worker {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts this program again with arguments that make a worker of it.
    pub fn start(arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("the program knows itself");
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a second process starts");
        let orders = process.stdin.take().expect("the pipe was asked for");
        let answers = BufReader::new(process.stdout.take().expect("the pipe was asked for"));
        Self { process, orders, answers }
    }

    /// Gives an order.
    pub fn tell(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("the worker is alive");
    }

    /// Waits for an answer.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).expect("the worker is alive");
        assert!(read > 0, "the worker ended early");
        line.trim_end().to_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a worker hears of the process that started it.
pub struct Parent;

impl Parent {
    /// Waits for an order, as its words; `None` where the parent is gone.
    pub fn hear(&self) -> Option<Vec<String>> {
        let mut line = String::new();
        let read = stdin().lock().read_line(&mut line).ok()?;
        (read > 0).then(|| line.split_whitespace().map(str::to_owned).collect())
    }

    /// Gives an answer.
    pub fn tell(&self, answer: &str) {
        let mut out = stdout().lock();
        let written = writeln!(out, "{answer}").and_then(|()| out.flush());
        // Nobody is left to be told when the parent has gone.
        let _ = written;
    }
}
