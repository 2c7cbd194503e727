//! What was found in a log: counts, damage and the torn end. For start-up messages and `causeway verify`.

use std::path::{Path, PathBuf};

use super::{directory::Listing, error::LogError, survey};
use crate::disk::RealDisk;

/// What a log holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogReport {
    /// Segment files.
    pub segments: u64,
    /// Bytes in segment files.
    pub segment_bytes: u64,
    /// Sound records.
    pub records: u64,
    /// Sound records that repeat an earlier one and are not replayed; counted at open only.
    pub duplicates: u64,
    /// Highest sequence of a sound record.
    pub last_sequence: Option<u64>,
    /// Digests of released records.
    pub digests: u64,
    /// Places that cannot be read; what they held is lost unless a person can restore it.
    pub damaged: Vec<Damage>,
    /// The end of a write that a crash interrupted; it was never acknowledged.
    pub torn: Option<TornTail>,
    /// Damaged segments kept aside by earlier releases; safe to delete once looked at.
    pub set_aside: Vec<PathBuf>,
}

/// A place in a file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// Where it begins.
    pub offset: u64,
    /// How far it reaches.
    pub bytes: u64,
    /// The lost record's sequence, where it is known.
    pub sequence: Option<u64>,
    /// What is wrong.
    pub kind: DamageKind,
}

/// What is wrong with a damaged place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// The segment's header; its records are still found.
    SegmentHeader,
    /// A record's header and all that follows until the next sound one.
    RecordHeader,
    /// A record's payload.
    Payload,
    /// The file ends early though later records were acknowledged.
    Truncated,
    /// The disk refuses to read it, or the file is larger than any segment.
    Unreadable,
    /// Part of a digest file: a repetition of an old request may be taken for a new one.
    Digest,
}

impl DamageKind {
    /// What is wrong, for a person.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::SegmentHeader => "the segment's header is damaged; its records were found",
            Self::RecordHeader => "a record's header is damaged; the record is lost",
            Self::Payload => "a record's payload does not match its checksum; the record is lost",
            Self::Truncated => "the file ends before its last acknowledged record",
            Self::Unreadable => "the disk refuses to read it, or it is larger than any segment",
            Self::Digest => {
                "a digest is damaged; a repetition of an old request may be taken for a new one"
            }
        }
    }
}

/// The end of an interrupted write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The file.
    pub path: PathBuf,
    /// Where it begins.
    pub offset: u64,
    /// How far it reaches, which is the end of the file.
    pub bytes: u64,
}

/// Reads a log without changing it. Meant for a log that no process writes at the moment: the newest record of a
/// running one may show as torn.
///
/// # Errors
/// `Disk` if the folder cannot be listed, `UnsupportedVersion` if a file is of another format version.
pub fn inspect(dir: &Path) -> Result<LogReport, LogError> {
    let listing = Listing::read(&RealDisk, dir)?;
    let mut report = LogReport::default();
    survey::survey_digests(&RealDisk, &listing, &mut report, &mut |_| ())?;
    survey::survey_segments(&RealDisk, dir, &listing, &mut report, &mut |_| ())?;
    report.set_aside = listing.set_aside;
    Ok(report)
}
