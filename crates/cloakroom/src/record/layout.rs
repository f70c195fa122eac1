//! The record byte for byte: the one place that reads and writes the layout of `docs/protocol.md`.
//!
//! Bytes 8..56, the *stamp*, belong to the storage: it fills them in from its own clock at every
//! commit and touch. All other bytes are the engine's and lie under a checksum, the session's key
//! among them: whoever asks for a record by its key sees whether the answer is that session's.
//! Offsets are fixed, so that a script can read and patch the stamp in place.

use std::fmt;
use std::io::Write;
use std::time::Duration;

use super::{Fields, Stamp, StampBytes, Version};
use crate::commit::Nonce;
use crate::fingerprint::{Address, Origin};
use crate::token::{PublicId, SessionKey, VerifierHash};

const MAGIC: &[u8; 4] = b"CLKR";
const VERSION: u8 = 1;
const VERSION_AT: usize = 4;
const FLAGS_AT: usize = 5;
pub(crate) const STAMP_AT: usize = 8;
const NONCE_AT: usize = STAMP_AT + size_of::<StampBytes>();
const IDLE_TIMEOUT_AT: usize = NONCE_AT + 16;
const VERIFIER_AT: usize = IDLE_TIMEOUT_AT + 8;
const KEY_AT: usize = VERIFIER_AT + 32;
const CHECKSUM_AT: usize = KEY_AT + 16;
const SECTIONS_AT: usize = CHECKSUM_AT + 4;

/// Room for an address as text; only a guess where it is none.
const LONGEST_ADDRESS: usize = 64;

const FLAG_PERSISTENT: u8 = 1;
const FLAG_OWNER: u8 = 2;
const FLAG_FINGERPRINT: u8 = 4;
const KNOWN_FLAGS: u8 = FLAG_PERSISTENT | FLAG_OWNER | FLAG_FINGERPRINT;

/// A record's first 132 bytes: everything that has a fixed place. Its sections follow.
pub type RecordHead = [u8; SECTIONS_AT];

/// A record's first 72 bytes, up to and with its nonce: no other state of the session begins so.
pub type RecordBeginning = [u8; IDLE_TIMEOUT_AT];

/// Where the texts between the head and the fields end, in a record that has been checked. A text
/// that is absent ends where the one before it ends.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    owner: usize,
    address: usize,
    user_agent: usize,
}

/// What the engine wants to be stored; [`Layout::encode`] leaves the stamp empty, and the key and the
/// checksum for [`bind`].
pub(crate) struct Layout<'a> {
    pub(crate) nonce: Nonce,
    pub(crate) idle_timeout: Duration,
    pub(crate) verifier: VerifierHash,
    pub(crate) persistent: bool,
    pub(crate) owner: Option<&'a str>,
    pub(crate) fingerprint: Option<WrittenOrigin<'a>>,
}

/// A fingerprint on its way into a record.
#[derive(Clone, Copy)]
pub(crate) enum WrittenOrigin<'a> {
    New(Origin<'a>),
    /// The one of the record that is rewritten: its two texts with their lengths, as they stand there.
    Kept(&'a [u8]),
}

impl Layout<'_> {
    /// The record's bytes; `write_fields` appends the fields.
    pub(crate) fn encode(&self, room: usize, write_fields: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let owner = self.owner.map_or(0, |owner| 2 + owner.len());
        let fingerprint = self.fingerprint.map_or(0, |fingerprint| fingerprint.room());
        let mut bytes = Vec::with_capacity(SECTIONS_AT + owner + fingerprint + room);
        let mut flags = 0;
        flags |= if self.persistent { FLAG_PERSISTENT } else { 0 };
        flags |= if self.owner.is_some() { FLAG_OWNER } else { 0 };
        flags |= if self.fingerprint.is_some() { FLAG_FINGERPRINT } else { 0 };
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[VERSION, flags, 0, 0]);
        bytes.extend_from_slice(&[0; size_of::<StampBytes>()]);
        bytes.extend_from_slice(self.nonce.as_bytes());
        bytes.extend_from_slice(&millis(self.idle_timeout).to_be_bytes());
        bytes.extend_from_slice(self.verifier.as_bytes());
        bytes.extend_from_slice(&[0; SECTIONS_AT - KEY_AT]);
        if let Some(owner) = self.owner {
            write_text(&mut bytes, owner);
        }
        match self.fingerprint {
            Some(WrittenOrigin::New(origin)) => {
                write_address(&mut bytes, origin.address());
                write_text(&mut bytes, origin.user_agent().unwrap_or_default());
            }
            Some(WrittenOrigin::Kept(texts)) => bytes.extend_from_slice(texts),
            None => {}
        }
        write_fields(&mut bytes);
        bytes
    }
}

impl WrittenOrigin<'_> {
    /// How many bytes it takes; of a new one's address only a guess.
    fn room(self) -> usize {
        match self {
            Self::New(origin) => 2 + LONGEST_ADDRESS + 2 + origin.user_agent().map_or(0, str::len),
            Self::Kept(texts) => texts.len(),
        }
    }
}

/// Makes what [`Layout::encode`] has written the record of one key with a stamp: its head anew, and
/// what follows as it is.
pub(crate) fn bind<'a>(
    unbound: &'a [u8],
    key: &SessionKey,
    stamp: &StampBytes,
) -> (RecordHead, &'a [u8]) {
    let mut head = [0; SECTIONS_AT];
    let (unbound, sections) = unbound.split_at(SECTIONS_AT);
    head.copy_from_slice(unbound);
    head[STAMP_AT..NONCE_AT].copy_from_slice(stamp);
    head[KEY_AT..CHECKSUM_AT].copy_from_slice(key.as_bytes());
    let checksum = checksum(&head, sections);
    head[CHECKSUM_AT..].copy_from_slice(&checksum.to_be_bytes());
    (head, sections)
}

/// Bytes that are not a record of the session that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorruptRecord {
    /// The bytes do not begin like a record.
    NotARecord,
    /// The record is of a format version that this release does not know.
    Version(u8),
    /// The record was cut or altered.
    Damaged,
    /// The record is sound, and another session's: of the one with this public id.
    Foreign(PublicId),
}

impl fmt::Display for CorruptRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARecord => f.write_str("what lies under the key is not a Cloakroom record"),
            Self::Version(version) => write!(
                f,
                "the record has format version {version}, this release reads version {VERSION}"
            ),
            Self::Damaged => f.write_str("the record was cut or altered"),
            Self::Foreign(owner) => write!(f, "the record belongs to another session, {owner}"),
        }
    }
}

impl std::error::Error for CorruptRecord {}

/// Checks all of a record's bytes. What [`Head`] and [`Ends`] are asked afterwards lies within them.
pub(super) fn check(key: &SessionKey, bytes: &[u8]) -> Result<Ends, CorruptRecord> {
    if !bytes.starts_with(MAGIC) || bytes.len() <= VERSION_AT {
        return Err(CorruptRecord::NotARecord);
    }
    if bytes[VERSION_AT] != VERSION {
        return Err(CorruptRecord::Version(bytes[VERSION_AT]));
    }
    let ends = check_version_1(bytes).ok_or(CorruptRecord::Damaged)?;
    let bound_to = Head(bytes).key();
    if bound_to != *key {
        return Err(CorruptRecord::Foreign(bound_to.public_id()));
    }
    Ok(ends)
}

fn check_version_1(bytes: &[u8]) -> Option<Ends> {
    if bytes.len() < SECTIONS_AT {
        return None;
    }
    let head = Head(bytes);
    let recorded = u32::from_be_bytes(head.array(CHECKSUM_AT));
    let flags = bytes[FLAGS_AT];
    let (fixed, sections) = bytes.split_at(SECTIONS_AT);
    if recorded != checksum(fixed, sections) || flags & !KNOWN_FLAGS != 0 || bytes[6..8] != [0, 0] {
        return None;
    }
    let ends = Ends::find(bytes)?;
    let is_sound =
        head.stamp().is_sound(head.idle_timeout()) && Fields::check(&bytes[ends.user_agent..]);
    is_sound.then_some(ends)
}

/// The head of a record of this session and where its texts end, in bytes that may have been cut
/// behind them. The checksum is not compared.
pub(super) fn beginning<'a>(key: &SessionKey, bytes: &'a [u8]) -> Option<(Head<'a>, Ends)> {
    let is_ours = bytes.len() >= SECTIONS_AT
        && bytes.starts_with(MAGIC)
        && bytes[VERSION_AT] == VERSION
        && bytes[FLAGS_AT] & !KNOWN_FLAGS == 0;
    let head = Head(bytes);
    if !is_ours || head.key() != *key {
        return None;
    }
    Some((head, Ends::find(bytes)?))
}

/// Where the text that begins at `at` with its length ends; at `at` where its flag is not set.
fn text_end(bytes: &[u8], at: usize, flag: u8) -> Option<usize> {
    if flag == 0 {
        return Some(at);
    }
    let (length, rest) = bytes.get(at..)?.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*length));
    std::str::from_utf8(rest.get(..length)?).ok()?;
    Some(at + 2 + length)
}

/// What has a fixed place in a record, read where it stands.
pub(super) struct Head<'a>(pub(super) &'a [u8]);

impl Head<'_> {
    pub(super) fn stamp(&self) -> Stamp {
        Stamp::from_bytes(&self.array(STAMP_AT))
    }

    pub(super) fn nonce(&self) -> Nonce {
        Nonce::from_bytes(self.array(NONCE_AT))
    }

    pub(super) fn version(&self) -> Version {
        Version::new(self.stamp().generation, self.nonce())
    }

    pub(super) fn beginning(&self) -> RecordBeginning {
        self.array(0)
    }

    pub(super) fn idle_timeout(&self) -> Duration {
        Duration::from_millis(u64::from_be_bytes(self.array(IDLE_TIMEOUT_AT)))
    }

    pub(super) fn verifier(&self) -> VerifierHash {
        VerifierHash::from_bytes(self.array(VERIFIER_AT))
    }

    pub(super) fn key(&self) -> SessionKey {
        SessionKey::from_bytes(self.array(KEY_AT))
    }

    pub(super) fn is_persistent(&self) -> bool {
        self.0[FLAGS_AT] & FLAG_PERSISTENT != 0
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(&self.0[at..at + N]);
        array
    }
}

impl Ends {
    /// The ends of the texts in bytes that hold a head.
    fn find(bytes: &[u8]) -> Option<Self> {
        let flags = bytes[FLAGS_AT];
        let owner = text_end(bytes, SECTIONS_AT, flags & FLAG_OWNER)?;
        let address = text_end(bytes, owner, flags & FLAG_FINGERPRINT)?;
        let user_agent = text_end(bytes, address, flags & FLAG_FINGERPRINT)?;
        Some(Self { owner, address, user_agent })
    }

    pub(super) fn owner<'a>(&self, bytes: &'a [u8]) -> Option<&'a str> {
        text(bytes, SECTIONS_AT, self.owner)
    }

    pub(super) fn origin<'a>(&self, bytes: &'a [u8]) -> Option<Origin<'a>> {
        let address = text(bytes, self.owner, self.address)?;
        Some(Origin::new(address, text(bytes, self.address, self.user_agent)?))
    }

    pub(super) fn written_origin<'a>(&self, bytes: &'a [u8]) -> Option<WrittenOrigin<'a>> {
        let texts = bytes.get(self.owner..self.user_agent).filter(|texts| !texts.is_empty());
        texts.map(WrittenOrigin::Kept)
    }

    pub(super) fn fields<'a>(&self, bytes: &'a [u8]) -> Fields<'a> {
        Fields::new(&bytes[self.user_agent..])
    }
}

/// The text between two ends, behind its length; an absent one has no room for a length.
fn text(bytes: &[u8], before: usize, end: usize) -> Option<&str> {
    std::str::from_utf8(bytes.get(before + 2..end)?).ok()
}

/// CRC-32 over everything but the stamp, which the storage changes, and the checksum itself.
fn checksum(head: &[u8], sections: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head[..STAMP_AT]);
    hasher.update(&head[NONCE_AT..CHECKSUM_AT]);
    hasher.update(sections);
    hasher.finalize()
}

/// Appends a text behind its length.
fn write_text(into: &mut Vec<u8>, text: &str) {
    debug_assert!(text.len() <= usize::from(u16::MAX));
    into.extend_from_slice(&(text.len() as u16).to_be_bytes());
    into.extend_from_slice(text.as_bytes());
}

/// Appends an address as text, in place; writing to memory cannot fail.
fn write_address(into: &mut Vec<u8>, address: Option<Address<&str>>) {
    let at = into.len();
    into.extend_from_slice(&[0; 2]);
    if let Some(address) = address {
        let _ = write!(into, "{address}");
    }
    let length = (into.len() - at - 2) as u16;
    into[at..at + 2].copy_from_slice(&length.to_be_bytes());
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
