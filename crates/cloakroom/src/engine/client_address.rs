//! The client's address: the peer's, unless the peer is a trusted proxy that names another one.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::RequestFacts;
use crate::fingerprint::Address;

/// How many bytes of `X-Forwarded-For` are looked at, from the end.
const MAX_HEADER_BYTES: usize = 4096;

/// The client's address.
///
/// From the peer on, each trusted proxy's word about who came before it is believed; the first
/// address that is no trusted proxy's is the client's. What is not an address stays as it is, so
/// that it is compared as text.
pub(super) fn find(request: &impl RequestFacts, trusted: &[IpNet]) -> Option<Address<String>> {
    let peer = request.peer()?.to_canonical();
    if !is_trusted(peer, trusted) {
        return Some(Address::Ip(peer));
    }
    let mut forwarded = Vec::new();
    request.headers("x-forwarded-for", &mut |header| {
        if !forwarded.is_empty() {
            forwarded.push(b',');
        }
        forwarded.extend_from_slice(&header[header.len().saturating_sub(MAX_HEADER_BYTES)..]);
    });
    let mut client = peer;
    for entry in forwarded.rsplit(|byte| *byte == b',') {
        let entry = String::from_utf8_lossy(entry.trim_ascii());
        match parse(&entry) {
            Some(address) => {
                client = address;
                if !is_trusted(address, trusted) {
                    break;
                }
            }
            None if entry.is_empty() => {}
            None => return Address::read(&entry).map(Address::to_owned),
        }
    }
    Some(Address::Ip(client))
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn parse(entry: &str) -> Option<IpAddr> {
    let address = entry.parse::<IpAddr>().ok();
    let address = address.or_else(|| entry.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    address.or_else(bracketed).map(|address| address.to_canonical())
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Request {
        peer: &'static str,
        forwarded: Vec<&'static str>,
    }

    impl RequestFacts for Request {
        fn headers(&self, name: &str, read: &mut dyn FnMut(&[u8])) {
            assert_eq!(name, "x-forwarded-for");
            self.forwarded.iter().for_each(|header| read(header.as_bytes()));
        }

        fn peer(&self) -> Option<IpAddr> {
            self.peer.parse().ok()
        }
    }

    fn client(peer: &'static str, forwarded: &[&'static str], trusted: &str) -> Option<String> {
        let trusted: Vec<IpNet> = trusted.split(',').filter_map(|text| text.parse().ok()).collect();
        let request = Request { peer, forwarded: forwarded.to_vec() };
        find(&request, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn without_trusted_proxies_the_header_does_not_count() {
        assert_eq!(client("192.0.2.1", &["198.51.100.1"], "").as_deref(), Some("192.0.2.1"));
        assert_eq!(client("", &["198.51.100.1"], "10.0.0.0/8"), None);
    }

    #[test]
    fn a_peer_that_is_no_trusted_proxy_cannot_forge_an_address() {
        let found = client("192.0.2.1", &["198.51.100.1"], "10.0.0.0/8");
        assert_eq!(found.as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn the_last_address_before_the_trusted_proxies_is_the_client() {
        let chain = ["6.6.6.6, 198.51.100.1, 10.0.0.2"];
        assert_eq!(client("10.0.0.1", &chain, "10.0.0.0/8").as_deref(), Some("198.51.100.1"));
        let split = ["6.6.6.6", "198.51.100.1", "10.0.0.2"];
        assert_eq!(client("10.0.0.1", &split, "10.0.0.0/8").as_deref(), Some("198.51.100.1"));
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_understood() {
        for (entry, address) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
        ] {
            assert_eq!(client("::ffff:10.0.0.1", &[entry], "10.0.0.0/8").as_deref(), Some(address));
        }
    }

    #[test]
    fn what_is_no_address_stays_text_and_ends_the_walk() {
        let found = client("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.0/8");
        assert_eq!(found.as_deref(), Some("unknown"));
    }

    #[test]
    fn a_proxy_without_the_header_is_the_client() {
        assert_eq!(client("10.0.0.1", &[], "10.0.0.0/8").as_deref(), Some("10.0.0.1"));
    }
}
