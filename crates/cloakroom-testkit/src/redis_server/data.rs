//! What a server keeps on disk: how often it writes ([`Persistence`]), an earlier state that can be
//! put back ([`Snapshot`]), and the files of its folder.

use std::fs;
use std::io;
use std::path::Path;

use super::settings::Setting;

/// The file of the point-in-time dump.
pub(super) const DUMP: &str = "dump.rdb";

/// How often a server writes its data to disk.
///
/// Killing the process is not a power cut: whatever was handed to the operating system is there
/// after a restart, with [`EverySecond`](Self::EverySecond) as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// Never; a restarted server has what a `SAVE` or a [`Snapshot`] has left behind, or nothing.
    #[default]
    Off,
    /// An append-only file that is flushed each second.
    EverySecond,
    /// An append-only file that is flushed before each answer.
    EveryWrite,
}

impl Persistence {
    pub(super) fn settings(self) -> Vec<Setting> {
        let (appended, flushed) = match self {
            Self::Off => ("no", "no"),
            Self::EverySecond => ("yes", "everysec"),
            Self::EveryWrite => ("yes", "always"),
        };
        vec![
            Setting::new("save", ""),
            Setting::new("appendonly", appended),
            Setting::new("appendfsync", flushed),
        ]
    }
}

/// All data of a server at one moment, for [`RedisServer::restart_from`](super::RedisServer::restart_from).
///
/// Expiry moves on: a key whose time has passed meanwhile does not come back.
#[derive(Clone)]
pub struct Snapshot(Vec<u8>);

impl Snapshot {
    /// Reads the dump that lies in a server's folder.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        fs::read(folder.join(DUMP)).map(Self)
    }

    /// Puts the dump into a server's folder.
    pub(super) fn put_into(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(DUMP), &self.0)
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Snapshot({} bytes)", self.0.len())
    }
}

/// Removes the data from a server's folder, and nothing else: a Cluster node stays who it is.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "appendonlydir" {
            fs::remove_dir_all(entry.path())?;
        } else if name.ends_with(".rdb") || name.ends_with(".aof") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_data_is_removed() {
        let folder = tempfile::TempDir::new().unwrap();
        fs::create_dir(folder.path().join("appendonlydir")).unwrap();
        for file in [DUMP, "temp-12.rdb", "appendonlydir/a.1.incr.aof", "nodes.conf", "redis.conf"]
        {
            fs::write(folder.path().join(file), "").unwrap();
        }
        remove(folder.path()).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["nodes.conf", "redis.conf"]);
    }
}
