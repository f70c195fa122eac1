//! Whether a process is still there.

use std::process::{Command, Stdio};

pub(crate) fn is_alive(process: u32) -> bool {
    let mut asked = Command::new("sh");
    asked.args(["-c", &format!("kill -0 {process}")]).stderr(Stdio::null());
    asked.status().unwrap().success()
}
