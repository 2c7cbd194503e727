//! Reads every file of a log once and notes what is sound, damaged or torn. Changes nothing.
//!
//! Used by recovery at open and by `inspect`. Holds one segment in memory at a time.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{
    digest_files::{SLOT_BYTES, Slot, read_slots},
    directory::{Listing, SegmentName},
    error::LogError,
    format::RecordHeader,
    report::{Damage, DamageKind, LogReport, TornTail},
    scan::{Scan, Scanned},
};
use crate::disk::Disk;

/// Most of a file that is read: sixteen segments of the default size. What lies beyond is reported as unreadable.
pub(super) const FILE_BYTES_READ_MAX: u64 = 1 << 30;

/// What one segment holds.
#[derive(Debug)]
pub(super) struct SurveyedSegment {
    /// Its identity.
    pub(super) name: SegmentName,
    /// The file.
    pub(super) path: PathBuf,
    /// Size without the torn end.
    pub(super) bytes: u64,
    /// Sound records.
    pub(super) records: u64,
    /// Highest sequence known from a sound header.
    pub(super) last_sequence: Option<u64>,
    /// Bytes that are damaged.
    pub(super) damaged_bytes: u64,
    /// Whether the end was torn.
    pub(super) is_torn: bool,
}

/// What one digest file holds, beside its digests.
#[derive(Debug)]
pub(super) struct SurveyedDigests {
    /// The file.
    pub(super) path: PathBuf,
    /// Newest time of a digest, in seconds since 1970.
    pub(super) newest_s: u32,
    /// All records up to this are in the table.
    pub(super) released_through: u64,
}

/// Reads the digest files, oldest first; hands digests and their times to `on_digest`.
pub(super) fn survey_digests(
    disk: &dyn Disk,
    listing: &Listing,
    report: &mut LogReport,
    on_digest: &mut dyn FnMut((u128, u32)),
) -> Result<Vec<SurveyedDigests>, LogError> {
    let mut files = Vec::with_capacity(listing.digest_files.len());
    for (path, named_through) in &listing.digest_files {
        let (bytes, end) = disk.read(path, FILE_BYTES_READ_MAX);
        let mut file =
            SurveyedDigests { path: path.clone(), newest_s: 0, released_through: *named_through };
        let mut damage = |offset: usize, bytes: u64| {
            report.damaged.push(Damage {
                path: path.clone(),
                offset: offset as u64,
                bytes,
                sequence: None,
                kind: DamageKind::Digest,
            });
        };
        for (offset, slot) in read_slots(path, &bytes)? {
            match slot {
                Slot::Digest(digest, received_s) => {
                    report.digests += 1;
                    file.newest_s = file.newest_s.max(received_s);
                    on_digest((digest, received_s));
                }
                Slot::Mark(through) => file.released_through = file.released_through.max(through),
                Slot::Damaged => damage(offset, SLOT_BYTES as u64),
                Slot::Header(_) => {}
            }
        }
        if end.is_err() {
            damage(bytes.len(), 0);
        }
        files.push(file);
    }
    Ok(files)
}

/// Reads the segments, oldest first; hands the header of each sound record to `on_record`.
pub(super) fn survey_segments(
    disk: &dyn Disk,
    dir: &Path,
    listing: &Listing,
    report: &mut LogReport,
    on_record: &mut dyn FnMut(&RecordHeader),
) -> Result<Vec<SurveyedSegment>, LogError> {
    let mut segments = Vec::with_capacity(listing.segments.len());
    for (idx, (name, listed_bytes)) in listing.segments.iter().enumerate() {
        let path = name.path(dir);
        let (bytes, end) = disk.read(&path, FILE_BYTES_READ_MAX);
        let read_bytes = bytes.len() as u64;
        let unread_bytes = listed_bytes.saturating_sub(read_bytes);
        let is_whole = end.is_ok() && unread_bytes == 0;
        let is_last = idx + 1 == listing.segments.len();
        let scan =
            Scan::new(Bytes::from(bytes), name.first_sequence, name.salt, is_last && is_whole);
        if let Some(version) = scan.unsupported_version() {
            return Err(LogError::UnsupportedVersion { path, version });
        }
        let mut segment = SurveyedSegment {
            name: *name,
            path,
            bytes: read_bytes + unread_bytes,
            records: 0,
            last_sequence: None,
            damaged_bytes: 0,
            is_torn: false,
        };
        for found in scan {
            segment.note(&found, report, on_record);
        }
        if !is_whole {
            segment.note_damage(read_bytes, unread_bytes, None, DamageKind::Unreadable, report);
        }
        report.segments += 1;
        report.segment_bytes += segment.bytes;
        report.records += segment.records;
        segments.push(segment);
    }
    Ok(segments)
}

impl SurveyedSegment {
    fn note(
        &mut self,
        found: &Scanned,
        report: &mut LogReport,
        on_record: &mut dyn FnMut(&RecordHeader),
    ) {
        match *found {
            Scanned::Record { header, .. } => {
                self.records += 1;
                self.last_sequence = Some(header.sequence);
                report.last_sequence = Some(header.sequence);
                on_record(&header);
            }
            Scanned::Damaged { offset, bytes, sequence, kind } => {
                self.last_sequence = self.last_sequence.max(sequence);
                self.note_damage(offset as u64, bytes as u64, sequence, kind, report);
            }
            Scanned::Torn { offset, bytes } => {
                self.is_torn = true;
                self.bytes = offset as u64;
                report.torn = Some(TornTail {
                    path: self.path.clone(),
                    offset: offset as u64,
                    bytes: bytes as u64,
                });
            }
        }
    }

    fn note_damage(
        &mut self,
        offset: u64,
        bytes: u64,
        sequence: Option<u64>,
        kind: DamageKind,
        report: &mut LogReport,
    ) {
        // An unreadable file of unknown length still counts as damaged.
        self.damaged_bytes += bytes.max(1);
        report.damaged.push(Damage { path: self.path.clone(), offset, bytes, sequence, kind });
    }
}
