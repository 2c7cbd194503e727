//! The records that survived, one segment in memory at a time.
//!
//! Yields them in sequence order, without repetitions and without what the table holds by now. What the survey at
//! open found damaged is in the report, not among the items.

use std::{collections::VecDeque, path::PathBuf, sync::Arc};

use bytes::Bytes;
use hashbrown::HashSet;

use super::{
    error::LogError,
    record::Record,
    recover::ReplaySegment,
    report::LogReport,
    scan::{Scan, Scanned},
    state::Shared,
    survey::FILE_BYTES_READ_MAX,
};
use crate::disk::Disk;

/// Surviving records in sequence order, and what was found at open.
///
/// Every step may read from disk, so use it from a blocking thread. An error concerns one segment, the iteration goes
/// on with the next one; do not release beyond records that could not be replayed.
#[derive(Debug)]
pub struct Replay {
    disk: Arc<dyn Disk>,
    shared: Arc<Shared>,
    segments: VecDeque<ReplaySegment>,
    repeated: HashSet<u64>,
    current: Option<Current>,
    report: LogReport,
}

#[derive(Debug)]
struct Current {
    scan: Scan,
    path: PathBuf,
    records_left: u64,
    last_sequence: u64,
    offset: u64,
}

impl Replay {
    /// Begins with the oldest segment.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        shared: Arc<Shared>,
        segments: VecDeque<ReplaySegment>,
        repeated: HashSet<u64>,
        report: LogReport,
    ) -> Self {
        Self { disk, shared, segments, repeated, current: None, report }
    }

    /// What was found at open.
    #[must_use]
    pub fn report(&self) -> &LogReport {
        &self.report
    }

    /// Reads the next segment that is still wanted; `None` after the last one.
    ///
    /// How reading ended is left aside: what could be read is replayed, and the count of records tells whether any
    /// is missing.
    fn open_next(&mut self) -> Option<Current> {
        loop {
            let segment = self.segments.pop_front()?;
            if segment.last_sequence <= self.shared.released_through() {
                continue;
            }
            let (bytes, _) = self.disk.read(&segment.path, FILE_BYTES_READ_MAX);
            let name = segment.name;
            return Some(Current {
                scan: Scan::new(Bytes::from(bytes), name.first_sequence, name.salt, false),
                path: segment.path,
                records_left: segment.records,
                last_sequence: segment.last_sequence,
                offset: 0,
            });
        }
    }

    /// An error if the segment held more at open; it does not matter if the records were released since.
    fn finish(&self, finished: Current) -> Option<LogError> {
        let is_missed =
            finished.records_left > 0 && finished.last_sequence > self.shared.released_through();
        is_missed.then_some(LogError::Corrupt { path: finished.path, offset: finished.offset })
    }

    fn is_wanted(&self, sequence: u64) -> bool {
        sequence > self.shared.released_through() && !self.repeated.contains(&sequence)
    }
}

impl Iterator for Replay {
    type Item = Result<Record, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut current = match self.current.take() {
                Some(current) => current,
                None => self.open_next()?,
            };
            match current.scan.next() {
                None => {
                    if let Some(error) = self.finish(current) {
                        return Some(Err(error));
                    }
                }
                Some(Scanned::Record { header, payload }) => {
                    current.records_left = current.records_left.saturating_sub(1);
                    current.offset += header.record_bytes() as u64;
                    self.current = Some(current);
                    if self.is_wanted(header.sequence) {
                        return Some(Ok(Record {
                            sequence: header.sequence,
                            received_at_unix_ns: header.received_at_unix_ns,
                            digest: header.digest,
                            // A copy, so that one small record does not keep a whole segment in memory.
                            payload: Bytes::copy_from_slice(&payload),
                            decoded: None,
                        }));
                    }
                }
                Some(Scanned::Damaged { .. } | Scanned::Torn { .. }) => {
                    self.current = Some(current)
                }
            }
        }
    }
}
