//! [`View`]: the Cluster as one of its nodes sees it, read from `CLUSTER NODES`.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;

use crate::RedisServer;

/// What one node knows of all.
#[derive(Debug)]
pub(super) struct View(Vec<Node>);

/// One node in the eyes of another.
#[derive(Debug)]
pub(super) struct Node {
    /// The primary whose replica it is.
    pub(super) follows: Option<String>,
    /// How recently it was chosen to serve its slots: of two the higher one holds.
    pub(super) epoch: u64,
    pub(super) slots: Vec<RangeInclusive<u16>>,
    port: u16,
    flags: Vec<String>,
    connected: bool,
}

impl View {
    /// Asks a node.
    pub(super) async fn of(server: &RedisServer) -> io::Result<Self> {
        let text = server.order(["CLUSTER", "NODES"]).await?.text();
        Self::parse(&text).ok_or_else(|| io::Error::other("CLUSTER NODES cannot be read"))
    }

    fn parse(text: &str) -> Option<Self> {
        text.lines().map(Node::parse).collect::<Option<_>>().map(Self)
    }

    /// The node that was asked.
    pub(super) fn myself(&self) -> Option<&Node> {
        self.0.iter().find(|node| node.has("myself"))
    }

    /// The same without the others.
    pub(super) fn into_myself(self) -> Option<Node> {
        self.0.into_iter().find(|node| node.has("myself"))
    }

    fn at(&self, port: u16) -> Option<&Node> {
        self.0.iter().find(|node| node.port == port)
    }

    /// Whether the node on that port is known, connected and not thought to be down.
    pub(super) fn reaches(&self, port: u16) -> bool {
        let troubles = ["fail", "fail?", "handshake", "noaddr"];
        let well = |node: &Node| !troubles.iter().any(|trouble| node.has(trouble));
        self.at(port).is_some_and(|node| node.has("myself") || (node.connected && well(node)))
    }

    /// Who serves what, and who follows whom, for a comparison with another node's view.
    pub(super) fn owners(&self) -> BTreeMap<u16, (&[RangeInclusive<u16>], Option<&str>)> {
        let owner = |node: &Node| !node.has("fail");
        let nodes = self.0.iter().filter(|node| owner(node));
        nodes.map(|node| (node.port, (&node.slots[..], node.follows.as_deref()))).collect()
    }
}

impl Node {
    pub(super) fn is_primary(&self) -> bool {
        self.has("master") && !self.has("fail")
    }

    pub(super) fn serves(&self, slot: u16) -> bool {
        self.is_primary() && self.slots.iter().any(|slots| slots.contains(&slot))
    }

    pub(super) fn first_slot(&self) -> Option<u16> {
        self.slots.first().map(|slots| *slots.start())
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    /// Reads `ID HOST:PORT@BUS FLAGS PRIMARY PING PONG EPOCH LINK SLOTS...`.
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split_whitespace().collect();
        let &[_id, address, flags, follows, _ping, _pong, epoch, link, ref slots @ ..] = &words[..]
        else {
            return None;
        };
        let address = address.split(['@', ',']).next()?;
        // A slot on its way stands in brackets, and belongs to whom it belonged before.
        let settled = slots.iter().filter(|slots| !slots.starts_with('['));
        Some(Self {
            follows: (follows != "-").then(|| follows.to_owned()),
            epoch: epoch.parse().ok()?,
            slots: settled.map(|slots| range(slots)).collect::<Option<_>>()?,
            port: address.rsplit(':').next()?.parse().ok()?,
            flags: flags.split(',').map(str::to_owned).collect(),
            connected: link == "connected",
        })
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "\
        a 127.0.0.1:7001@17001 myself,master - 0 0 4 connected 0-99 101 [5->-b] [7-<-b]\n\
        b 127.0.0.1:7002@17002,host slave a 0 0 4 connected\n\
        c 127.0.0.1:7003@17003 master,fail? - 0 0 2 connected 100\n\
        d 127.0.0.1:7004@17004 master - 0 0 3 disconnected\n";

    #[test]
    fn a_node_is_read_with_its_slots_and_without_those_on_their_way() {
        let view = View::parse(NODES).unwrap();
        let own = view.myself().unwrap();
        assert_eq!((own.port, own.epoch, &own.slots[..]), (7001, 4, &[0..=99, 101..=101][..]));
        assert!(own.serves(5) && own.serves(101) && !own.serves(100));
        assert_eq!(view.at(7002).unwrap().follows.as_deref(), Some("a"));
        assert!(!view.at(7002).unwrap().is_primary());
    }

    #[test]
    fn only_a_healthy_node_is_reached() {
        let view = View::parse(NODES).unwrap();
        let reached: Vec<_> = (7000..=7005).filter(|&port| view.reaches(port)).collect();
        assert_eq!(reached, [7001, 7002]);
    }

    #[test]
    fn what_is_no_list_of_nodes_is_refused() {
        assert!(View::parse("a 127.0.0.1:7001@17001 master - 0 0").is_none());
        assert!(View::parse("a host:port@1 master - 0 0 1 connected 1-2").is_none());
    }
}
