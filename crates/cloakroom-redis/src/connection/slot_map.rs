//! [`SlotMap`]: which node of a Cluster serves which of the 16,384 hash slots, and in which slot a
//! key lies (Redis Cluster specification, "Key distribution model").

use std::sync::Arc;

use redis::Value;

use super::pool::Pool;

/// How many slots every Cluster has.
const SLOTS: usize = 16_384;

/// No node serves the slot.
const NOBODY: u16 = u16::MAX;

/// A key's slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeySlot(u16);

/// Who serves which slot.
pub(super) struct SlotMap {
    owners: Box<[u16]>,
    nodes: Vec<Arc<Pool>>,
}

/// One range of slots and the primary that serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) first: u16,
    pub(crate) last: u16,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Served {
    /// Whether a key lies in it.
    pub(crate) fn holds(&self, key: &[u8]) -> bool {
        (self.first..=self.last).contains(&KeySlot::of(key).0)
    }
}

impl KeySlot {
    /// The slot of a key, or of the part between the first `{` and the next `}`.
    pub(crate) fn of(key: &[u8]) -> Self {
        let open = key.iter().position(|byte| *byte == b'{');
        let tag = open.and_then(|open| {
            let rest = &key[open + 1..];
            let close = rest.iter().position(|byte| *byte == b'}')?;
            (close > 0).then(|| &rest[..close])
        });
        Self(crc16(tag.unwrap_or(key)) % SLOTS as u16)
    }
}

impl SlotMap {
    /// A map on which nobody serves anything.
    pub(super) fn empty() -> Self {
        Self { owners: vec![NOBODY; SLOTS].into(), nodes: Vec::new() }
    }

    /// The map that a node has told; `node` answers the pool of a host and port.
    pub(super) fn new(
        served: &[Served],
        mut node: impl FnMut(&Served) -> Option<Arc<Pool>>,
    ) -> Self {
        let mut map = Self::empty();
        for range in served {
            if let Some(pool) = node(range) {
                let at = map.place(pool);
                for owner in &mut map.owners[usize::from(range.first)..=usize::from(range.last)] {
                    *owner = at;
                }
            }
        }
        map
    }

    /// The same map with another owner of one slot.
    pub(super) fn with_owner(&self, slot: KeySlot, owner: Arc<Pool>) -> Self {
        let mut map = Self { owners: self.owners.clone(), nodes: self.nodes.clone() };
        map.owners[usize::from(slot.0)] = map.place(owner);
        map
    }

    pub(super) fn owner(&self, slot: KeySlot) -> Option<&Arc<Pool>> {
        self.nodes.get(usize::from(self.owners[usize::from(slot.0)]))
    }

    pub(super) fn nodes(&self) -> &[Arc<Pool>] {
        &self.nodes
    }

    /// Whether every slot that had an owner has the same one still.
    pub(super) fn keeps_owners_of(&self, before: &Self) -> bool {
        let of = |map: &Self, at: usize| {
            map.nodes.get(usize::from(map.owners[at])).map(|pool| pool.address())
        };
        (0..SLOTS).all(|at| {
            let owner = of(before, at);
            owner.is_none() || owner == of(self, at)
        })
    }

    fn place(&mut self, pool: Arc<Pool>) -> u16 {
        let found = self.nodes.iter().position(|node| Arc::ptr_eq(node, &pool));
        let at = found.unwrap_or_else(|| {
            self.nodes.push(pool);
            self.nodes.len() - 1
        });
        u16::try_from(at).unwrap_or(NOBODY)
    }
}

/// Reads the answer to `CLUSTER SLOTS`. A node that does not tell its host is the one that was
/// asked.
pub(crate) fn read(answer: &Value, asked: &str) -> Option<Vec<Served>> {
    let Value::Array(ranges) = answer else { return None };
    ranges.iter().map(|range| read_range(range, asked)).collect()
}

fn read_range(range: &Value, asked: &str) -> Option<Served> {
    let Value::Array(parts) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = parts.as_slice() else {
        return None;
    };
    let [host, Value::Int(port), ..] = primary.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) => std::str::from_utf8(host).ok()?,
        Value::SimpleString(host) => host,
        _ => "",
    };
    let host = if host.is_empty() || host == "?" { asked } else { host };
    let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
    let sound = first <= last && usize::from(last) < SLOTS;
    sound.then_some(Served { first, last, host: host.to_owned(), port: u16::try_from(*port).ok()? })
}

/// CRC16-XMODEM, the checksum that the specification names.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keys_slot_is_the_one_of_the_specification() {
        // The specification's own check value, and slots as `CLUSTER KEYSLOT` tells them.
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(KeySlot::of(b"foo"), KeySlot(12182));
        assert_eq!(KeySlot::of(b""), KeySlot(0));
    }

    #[test]
    fn a_tag_in_braces_decides() {
        assert_eq!(KeySlot::of(b"{user1000}.following"), KeySlot::of(b"user1000"));
        assert_eq!(KeySlot::of(b"foo{bar}{zap}"), KeySlot::of(b"bar"));
        assert_eq!(KeySlot::of(b"foo{{bar}}zap"), KeySlot::of(b"{bar"));
        for whole in [b"foo{}{bar}".as_slice(), b"foo{bar", b"foo}bar{"] {
            assert_eq!(KeySlot::of(whole).0, crc16(whole) % SLOTS as u16);
        }
    }

    #[test]
    fn a_nodes_answer_is_read_whatever_it_tells_of_its_host() {
        let node = |host: Value| Value::Array(vec![host, Value::Int(7000)]);
        let range =
            |first, last, host| Value::Array(vec![Value::Int(first), Value::Int(last), node(host)]);
        let answer = Value::Array(vec![
            range(0, 5460, Value::BulkString(b"10.0.0.1".to_vec())),
            range(5461, 16_383, Value::Nil),
        ]);
        let served = read(&answer, "10.0.0.9").unwrap();
        assert_eq!(served[0].host, "10.0.0.1");
        assert_eq!((served[1].first, served[1].last), (5461, 16_383));
        assert_eq!((served[1].host.as_str(), served[1].port), ("10.0.0.9", 7000));
        for wrong in [range(5, 1, Value::Nil), range(0, 16_384, Value::Nil), Value::Int(1)] {
            assert_eq!(read(&Value::Array(vec![wrong]), "h"), None);
        }
    }
}
