//! Reads the bytes of one segment: records, damage and the torn end, in file order.
//!
//! Pure: no I/O, no allocation that depends on what the bytes claim. Used by the survey at open, by replay and by
//! `inspect`, so all three agree on what a segment holds.
//!
//! What counts as torn is narrow on purpose, because a torn end is cut off without asking: fewer bytes than a header,
//! a sound header whose payload is short, or nothing but zeros, and only at the end of the last segment. All else is
//! damage: a flipped bit in an acknowledged record must be reported.

use bytes::Bytes;

use super::format::{RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader, SEGMENT_HEADER_BYTES};
use super::format::{SegmentHeader, SegmentStart};
use super::report::DamageKind;

/// One thing found in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scanned {
    /// A sound record.
    Record { header: RecordHeader, payload: Bytes },
    /// Bytes that are no sound record.
    Damaged { offset: usize, bytes: usize, sequence: Option<u64>, kind: DamageKind },
    /// The end of an interrupted write, from `offset` to the end of the file.
    Torn { offset: usize, bytes: usize },
}

/// Iterates over a segment's bytes.
#[derive(Debug)]
pub(super) struct Scan {
    bytes: Bytes,
    offset: usize,
    salt: u64,
    sequence_at_least: u64,
    may_be_torn: bool,
    unsupported_version: Option<u32>,
}

impl Scan {
    /// Begins to read a segment whose name says `first_sequence` and `salt`. Only the last segment of a log may be
    /// torn; in others an incomplete end is damage.
    pub(super) fn new(bytes: Bytes, first_sequence: u64, salt: u64, may_be_torn: bool) -> Self {
        let mut scan = Self {
            bytes,
            offset: 0,
            salt,
            sequence_at_least: first_sequence,
            may_be_torn,
            unsupported_version: None,
        };
        match SegmentHeader::decode(&scan.bytes) {
            SegmentStart::Sound(header) => {
                scan.salt = header.salt;
                scan.offset = SEGMENT_HEADER_BYTES;
            }
            SegmentStart::OtherVersion(version) => {
                scan.unsupported_version = Some(version);
                scan.offset = scan.bytes.len();
            }
            // The iterator reports it; the salt from the file's name serves instead.
            SegmentStart::Damaged => {}
        }
        scan
    }

    /// The version in a sound header that is not ours; such a segment yields nothing.
    pub(super) fn unsupported_version(&self) -> Option<u32> {
        self.unsupported_version
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// Steps over `bytes` bytes and says where they began.
    fn advance(&mut self, bytes: usize) -> usize {
        let from = self.offset;
        self.offset = from.saturating_add(bytes).min(self.bytes.len());
        from
    }

    fn damaged(&mut self, bytes: usize, sequence: Option<u64>, kind: DamageKind) -> Scanned {
        let offset = self.advance(bytes);
        let bytes = self.offset - offset;
        Scanned::Damaged { offset, bytes, sequence, kind }
    }

    /// The rest of the file is incomplete rather than wrong.
    fn end_early(&mut self, sequence: Option<u64>) -> Scanned {
        let bytes = self.rest().len();
        if self.may_be_torn {
            let offset = self.advance(bytes);
            return Scanned::Torn { offset, bytes };
        }
        self.damaged(bytes, sequence, DamageKind::Truncated)
    }

    fn is_incomplete(&self, header_bytes: usize) -> bool {
        self.rest().len() < header_bytes || self.rest().iter().all(|byte| *byte == 0)
    }

    fn scan_segment_header(&mut self) -> Scanned {
        if self.is_incomplete(SEGMENT_HEADER_BYTES) {
            return self.end_early(None);
        }
        self.damaged(SEGMENT_HEADER_BYTES, None, DamageKind::SegmentHeader)
    }

    fn scan_record(&mut self) -> Scanned {
        let Some(header) = self.header_at(self.offset) else {
            if self.is_incomplete(RECORD_HEADER_BYTES) {
                return self.end_early(None);
            }
            let bytes = self.next_header_offset() - self.offset;
            return self.damaged(bytes, None, DamageKind::RecordHeader);
        };
        let payload_from = self.offset + RECORD_HEADER_BYTES;
        let payload_to = self.offset + header.record_bytes();
        if payload_to > self.bytes.len() {
            return self.end_early(Some(header.sequence));
        }
        self.sequence_at_least = header.sequence.saturating_add(1);
        let payload = self.bytes.slice(payload_from..payload_to);
        if crc32c::crc32c(&payload) != header.payload_crc {
            return self.damaged(header.record_bytes(), Some(header.sequence), DamageKind::Payload);
        }
        self.advance(header.record_bytes());
        Scanned::Record { header, payload }
    }

    fn header_at(&self, offset: usize) -> Option<RecordHeader> {
        RecordHeader::decode(self.salt, self.bytes.get(offset..)?)
            .filter(|header| header.sequence >= self.sequence_at_least)
    }

    /// Where the next sound record header begins, or the end of the file.
    fn next_header_offset(&self) -> usize {
        let mut from = self.offset + 1;
        while let Some(rest) = self.bytes.get(from..) {
            let mut windows = rest.windows(RECORD_MAGIC.len());
            let Some(ahead) = windows.position(|window| window == RECORD_MAGIC) else {
                break;
            };
            if self.header_at(from + ahead).is_some() {
                return from + ahead;
            }
            from += ahead + 1;
        }
        self.bytes.len()
    }
}

impl Iterator for Scan {
    type Item = Scanned;

    fn next(&mut self) -> Option<Scanned> {
        if self.rest().is_empty() {
            return None;
        }
        if self.offset == 0 {
            return Some(self.scan_segment_header());
        }
        Some(self.scan_record())
    }
}
