//! [`Resources`]: what this process holds on to, for INV-7.

use std::fs;
use std::io;

/// A process's memory, open files and tasks at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resources {
    /// The resident memory in bytes; a history's own samples leave out the history itself.
    pub memory: u64,
    /// The number of open file descriptors.
    pub files: u64,
    /// The number of live tasks of the Tokio runtime; `None` outside of one.
    pub tasks: Option<u64>,
}

impl Resources {
    /// These figures, for histories that were recorded elsewhere.
    pub fn new(memory: u64, files: u64, tasks: Option<u64>) -> Self {
        Self { memory, files, tasks }
    }

    /// What this process holds now, read from `/proc/self`.
    ///
    /// # Errors
    /// Where there is no `/proc/self` (only Linux has it).
    pub fn of_this_process() -> io::Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let memory = status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok()
            })
            .map(|kib: u64| kib * 1024)
            .ok_or_else(|| io::Error::other("/proc/self/status has no VmRSS"))?;
        // The listing itself holds one descriptor.
        let files = (fs::read_dir("/proc/self/fd")?.count() as u64).saturating_sub(1);
        let runtime = tokio::runtime::Handle::try_current().ok();
        let tasks = runtime.map(|runtime| runtime.metrics().num_alive_tasks() as u64);
        Ok(Self { memory, files, tasks })
    }
}
