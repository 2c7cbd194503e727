//! The bytes of a segment file, format version 1. All numbers are little-endian.
//!
//! A segment is a header followed by records, back to back, to the end of the file. Its name is
//! `<first sequence, 20 digits>-<salt, 16 hex digits>.log`.
//!
//! ```text
//! segment header, 48 bytes              record header, 48 bytes, then the payload
//!  0  8  magic "CWLOGSEG"                0  4  magic "CWRC"
//!  8  4  version = 1                     4  4  payload length
//! 12  4  zero                            8  8  sequence
//! 16  8  salt                           16  8  received at, ns since 1970 (signed)
//! 24  8  first sequence                 24 16  digest of the payload
//! 32  8  created at, ns since 1970      40  4  CRC32C of the payload
//! 40  4  zero                           44  4  CRC32C of salt + bytes 0..44 of this header
//! 44  4  CRC32C of bytes 0..44
//! ```
//!
//! - The salt is random per segment and enters every record header's checksum. So the search for the next record
//!   after damage cannot be fooled by a payload that contains the bytes of a record, nor by stale disk blocks.
//! - The salt also stands in the file's name, so that no single damaged block makes a whole segment unreadable.
//! - Every byte is covered by a checksum; there is no padding.
//! - Sequences rise strictly within a segment and from segment to segment; gaps are normal.

use super::record::RECORD_PAYLOAD_BYTES_MAX;

/// Size of a segment header.
pub(super) const SEGMENT_HEADER_BYTES: usize = 48;
/// Size of a record header.
pub(super) const RECORD_HEADER_BYTES: usize = 48;
/// First bytes of every record.
pub(super) const RECORD_MAGIC: [u8; 4] = *b"CWRC";

const SEGMENT_MAGIC: [u8; 8] = *b"CWLOGSEG";
const SEGMENT_VERSION: u32 = 1;

/// Start of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    /// Random number that enters the records' checksums.
    pub(super) salt: u64,
    /// No record of the segment has a lower sequence.
    pub(super) first_sequence: u64,
    /// When the segment was made; for people who look at the file.
    pub(super) created_at_unix_ns: i64,
}

/// What the first bytes of a segment turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentStart {
    /// A header this version can read.
    Sound(SegmentHeader),
    /// A sound header of another version.
    OtherVersion(u32),
    /// Not a header, or a damaged one.
    Damaged,
}

impl SegmentHeader {
    /// The header's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        bytes.extend_from_slice(&SEGMENT_MAGIC);
        bytes.extend_from_slice(&SEGMENT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.salt.to_le_bytes());
        bytes.extend_from_slice(&self.first_sequence.to_le_bytes());
        bytes.extend_from_slice(&self.created_at_unix_ns.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        debug_assert_eq!(bytes.len(), SEGMENT_HEADER_BYTES);
        bytes
    }

    /// Reads the start of a segment.
    pub(super) fn decode(bytes: &[u8]) -> SegmentStart {
        Self::decode_checked(bytes).unwrap_or(SegmentStart::Damaged)
    }

    fn decode_checked(bytes: &[u8]) -> Option<SegmentStart> {
        let (covered, rest) = bytes.split_at_checked(SEGMENT_HEADER_BYTES - 4)?;
        let crc = Fields(rest).u32()?;
        let mut fields = Fields(covered);
        if fields.take()? != SEGMENT_MAGIC || crc != crc32c::crc32c(covered) {
            return None;
        }
        let version = fields.u32()?;
        if version != SEGMENT_VERSION {
            return Some(SegmentStart::OtherVersion(version));
        }
        fields.u32()?;
        Some(SegmentStart::Sound(Self {
            salt: fields.u64()?,
            first_sequence: fields.u64()?,
            created_at_unix_ns: fields.i64()?,
        }))
    }
}

/// Start of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordHeader {
    /// The record's place in the log.
    pub(super) sequence: u64,
    /// When it was received.
    pub(super) received_at_unix_ns: i64,
    /// Digest of the payload.
    pub(super) digest: u128,
    /// Length of the payload that follows, at most `RECORD_PAYLOAD_BYTES_MAX`.
    pub(super) payload_bytes: u32,
    /// CRC32C of the payload.
    pub(super) payload_crc: u32,
}

impl RecordHeader {
    /// Adds the header's bytes to `buffer`.
    pub(super) fn encode_into(&self, salt: u64, buffer: &mut Vec<u8>) {
        let from = buffer.len();
        buffer.extend_from_slice(&RECORD_MAGIC);
        buffer.extend_from_slice(&self.payload_bytes.to_le_bytes());
        buffer.extend_from_slice(&self.sequence.to_le_bytes());
        buffer.extend_from_slice(&self.received_at_unix_ns.to_le_bytes());
        buffer.extend_from_slice(&self.digest.to_le_bytes());
        buffer.extend_from_slice(&self.payload_crc.to_le_bytes());
        let crc = salted_crc(salt, buffer.get(from..).unwrap_or_default());
        buffer.extend_from_slice(&crc.to_le_bytes());
        debug_assert_eq!(buffer.len() - from, RECORD_HEADER_BYTES);
    }

    /// Reads a header from the start of `bytes`; `None` unless it is whole, sound and within the limits.
    pub(super) fn decode(salt: u64, bytes: &[u8]) -> Option<Self> {
        let (covered, rest) = bytes.split_at_checked(RECORD_HEADER_BYTES - 4)?;
        let mut fields = Fields(covered);
        if fields.take()? != RECORD_MAGIC || Fields(rest).u32()? != salted_crc(salt, covered) {
            return None;
        }
        let payload_bytes = fields.u32()?;
        let header = Self {
            payload_bytes,
            sequence: fields.u64()?,
            received_at_unix_ns: fields.i64()?,
            digest: fields.u128()?,
            payload_crc: fields.u32()?,
        };
        (payload_bytes as usize <= RECORD_PAYLOAD_BYTES_MAX).then_some(header)
    }

    /// Header and payload together.
    pub(super) fn record_bytes(&self) -> usize {
        RECORD_HEADER_BYTES + self.payload_bytes as usize
    }
}

fn salted_crc(salt: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), bytes)
}

/// Takes little-endian numbers from the front of a slice.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    /// The next `N` bytes.
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    /// The next 4 bytes as a number.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    /// The next 8 bytes as a number.
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// The next 8 bytes as a signed number.
    pub(super) fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    /// The next 16 bytes as a number.
    pub(super) fn u128(&mut self) -> Option<u128> {
        self.take().map(u128::from_le_bytes)
    }
}
