//! Names of the log's files, and the sorted list of what a folder holds.
//!
//! Names carry what is needed when a file's first bytes are damaged: the sequence that orders it and the salt.

use std::path::{Path, PathBuf};

use super::error::LogError;
use crate::disk::Disk;

const SEGMENT_SUFFIX: &str = ".log";
const DIGESTS_SUFFIX: &str = ".digests";
const DAMAGED_SUFFIX: &str = ".damaged";

/// Identity of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentName {
    /// No record of the segment has a lower sequence.
    pub(super) first_sequence: u64,
    /// Random number that enters the records' checksums.
    pub(super) salt: u64,
}

impl SegmentName {
    /// Where the segment lies in `dir`.
    pub(super) fn path(self, dir: &Path) -> PathBuf {
        dir.join(format!("{:020}-{:016x}{SEGMENT_SUFFIX}", self.first_sequence, self.salt))
    }

    fn parse(name: &str) -> Option<Self> {
        let (sequence, salt) = name.strip_suffix(SEGMENT_SUFFIX)?.split_once('-')?;
        Some(Self {
            first_sequence: sequence.parse().ok()?,
            salt: u64::from_str_radix(salt, 16).ok()?,
        })
    }
}

/// Where the digest file begun at `through_sequence` lies in `dir`.
pub(super) fn digests_path(dir: &Path, through_sequence: u64, salt: u64) -> PathBuf {
    dir.join(format!("{through_sequence:020}-{salt:016x}{DIGESTS_SUFFIX}"))
}

/// Where a damaged segment is kept once its sound records are in the table.
pub(super) fn damaged_path(segment: &Path) -> PathBuf {
    let mut name = segment.as_os_str().to_owned();
    name.push(DAMAGED_SUFFIX);
    PathBuf::from(name)
}

/// What a log's folder holds, each kind in the order it was written.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Segments and their sizes.
    pub(super) segments: Vec<(SegmentName, u64)>,
    /// Digest files and the sequence in their names.
    pub(super) digest_files: Vec<(PathBuf, u64)>,
    /// Damaged segments set aside.
    pub(super) set_aside: Vec<PathBuf>,
}

impl Listing {
    /// Reads the folder. Files of other names are left alone.
    pub(super) fn read(disk: &dyn Disk, dir: &Path) -> Result<Self, LogError> {
        let mut files = disk.list(dir).map_err(LogError::disk("list", dir))?;
        files.sort();
        let mut listing = Self::default();
        for (name, bytes) in files {
            if let Some(segment) = SegmentName::parse(&name) {
                listing.segments.push((segment, bytes));
            } else if let Some(through) = parse_digests_name(&name) {
                listing.digest_files.push((dir.join(&name), through));
            } else if name.ends_with(DAMAGED_SUFFIX) {
                listing.set_aside.push(dir.join(&name));
            }
        }
        listing.segments.sort();
        Ok(listing)
    }
}

fn parse_digests_name(name: &str) -> Option<u64> {
    let (sequence, _) = name.strip_suffix(DIGESTS_SUFFIX)?.split_once('-')?;
    sequence.parse().ok()
}
