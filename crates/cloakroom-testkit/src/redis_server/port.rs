//! Free ports for servers. They lie below the range from which operating systems take the ports of
//! outgoing connections, so that a port is still free when its server is restarted; and the port
//! 10,000 above, which a Cluster node uses for its bus, is free as well.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 10_100;
const COUNT: u16 = 9_800;
const TO_THE_BUS: u16 = 10_000;

/// A port that nobody listens on, and that no other call in this process answers for long.
pub(super) fn free() -> io::Result<u16> {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    // Test processes that run at the same time begin at different places.
    let next = NEXT.get_or_init(|| {
        let somewhere = RandomState::new().hash_one(std::process::id()) % u64::from(COUNT);
        AtomicU16::new(u16::try_from(somewhere).unwrap_or(0))
    });
    for _ in 0..COUNT {
        let step = |place| Some((place + 1) % COUNT);
        let place = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or(0);
        let port = FIRST + place;
        if is_free(port) && is_free(port + TO_THE_BUS) {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "there is no free port for a server"))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_passed_over_and_none_is_given_twice() {
        let one = free().unwrap();
        let (taken, other) = (one + 1, one + 2);
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, taken));
        let bus = TcpListener::bind((Ipv4Addr::LOCALHOST, other + TO_THE_BUS));
        let next = free().unwrap();
        assert!(next != one && next != taken && next != other, "{one} {next}");
        drop((held, bus));
    }
}
