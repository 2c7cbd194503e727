//! What happens at open: read all, cut the torn end, rebuild the digest window, find the next sequence.
//!
//! What was read is made durable before anyone may rely on it. Nothing is appended to a segment of an earlier process; the next write begins a new one. Damage is logged and
//! reported, and stops nothing.

use std::{collections::VecDeque, path::PathBuf};

use hashbrown::HashSet;

use super::{
    digest_files::DigestFiles,
    digests::{DigestEntry, DigestWindow},
    directory::{Listing, SegmentName},
    error::LogError,
    format::RECORD_HEADER_BYTES,
    report::LogReport,
    segments::{Sealed, remove_empty},
    settings::{LogSettings, unix_seconds},
    survey::{SurveyedDigests, SurveyedSegment, survey_digests, survey_segments},
};
use crate::disk::Disk;

/// The state of a log that was just read.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) report: LogReport,
    pub(super) window: DigestWindow,
    pub(super) digest_files: DigestFiles,
    pub(super) sealed: VecDeque<Sealed>,
    pub(super) replay: VecDeque<ReplaySegment>,
    /// Sequences of records that repeat an earlier one.
    pub(super) repeated: HashSet<u64>,
    /// The digests of those records. They go into a digest file once more when their segment is released, because
    /// the file they were found in may stem from a release that failed and need not be durable.
    pub(super) repeated_digests: Vec<DigestEntry>,
    /// The table holds all records up to this, says the newest mark.
    pub(super) released_through: u64,
    pub(super) next_sequence: u64,
}

/// A segment to replay and what it held at open.
#[derive(Debug)]
pub(super) struct ReplaySegment {
    pub(super) name: SegmentName,
    pub(super) path: PathBuf,
    pub(super) records: u64,
    pub(super) last_sequence: u64,
}

/// Reads the log in `settings.dir`; numbers go on from `first_sequence_at_least` or higher.
pub(super) fn recover(
    disk: &dyn Disk,
    settings: &LogSettings,
    first_sequence_at_least: u64,
) -> Result<Recovered, LogError> {
    let listing = Listing::read(disk, &settings.dir)?;
    let now_s = settings.now_s();
    let mut report = LogReport::default();
    let mut window = DigestWindow::new(settings.digests_max);
    let expire_before_s = settings.digests_expire_before_s(now_s);
    let digest_files = survey_digests(disk, &listing, &mut report, &mut |(digest, received_s)| {
        if received_s >= expire_before_s {
            window.insert(DigestEntry::new(digest, 0, received_s));
        }
    })?;
    let mut repeated = HashSet::new();
    let mut repeated_digests = Vec::new();
    let surveyed = survey_segments(disk, &settings.dir, &listing, &mut report, &mut |header| {
        // As it was when the record came: what had expired by then was no repetition.
        let received_s = unix_seconds(header.received_at_unix_ns);
        window.expire(settings.digests_expire_before_s(received_s.min(now_s)));
        let entry = DigestEntry::new(header.digest, header.sequence, received_s);
        if !window.insert(entry) {
            repeated.insert(header.sequence);
            repeated_digests.push(entry);
        }
    })?;
    window.expire(expire_before_s);
    report.duplicates = repeated.len() as u64;
    report.set_aside.clone_from(&listing.set_aside);
    log_findings(&report);

    let released_through = digest_files.iter().map(|file| file.released_through).max().unwrap_or(0);
    let next_sequence = next_sequence(first_sequence_at_least, released_through, &surveyed);
    let (sealed, replay) = tidy(disk, settings, surveyed)?;
    Ok(Recovered {
        report,
        window,
        digest_files: DigestFiles::new(digest_files.into_iter().map(name_and_age).collect()),
        sealed,
        replay,
        repeated,
        repeated_digests,
        released_through,
        next_sequence,
    })
}

fn name_and_age(file: SurveyedDigests) -> (PathBuf, u32) {
    (file.path, file.newest_s)
}

/// Above all numbers that may have been given out. A damaged place may have held one record for every header that
/// fits into it, so that many numbers are passed over.
fn next_sequence(at_least: u64, released_through: u64, segments: &[SurveyedSegment]) -> u64 {
    let mut used = at_least.max(1) - 1;
    used = used.max(released_through);
    for segment in segments {
        let last_known = segment.last_sequence.unwrap_or(0).max(segment.name.first_sequence);
        let lost_records_max = segment.damaged_bytes / RECORD_HEADER_BYTES as u64;
        used = used.max(last_known.saturating_add(lost_records_max));
    }
    used.saturating_add(1)
}

/// Cuts the torn end, makes what remains durable, removes segments without content, and lists the others.
fn tidy(
    disk: &dyn Disk,
    settings: &LogSettings,
    surveyed: Vec<SurveyedSegment>,
) -> Result<(VecDeque<Sealed>, VecDeque<ReplaySegment>), LogError> {
    let mut sealed = VecDeque::with_capacity(surveyed.len());
    let mut replay = VecDeque::with_capacity(surveyed.len());
    for segment in surveyed {
        let is_damaged = segment.damaged_bytes > 0;
        match settle(disk, &segment) {
            Ok(()) => {}
            // A bad disk must not keep the service down for what is lost already.
            Err(error) if is_damaged => {
                tracing::error!(%error, "damaged segment may not be durable")
            }
            Err(error) => return Err(error),
        }
        if segment.records == 0 && !is_damaged {
            remove_empty(disk, &segment.path);
            continue;
        }
        let last_sequence = segment.last_sequence.unwrap_or(segment.name.first_sequence);
        sealed.push_back(Sealed {
            path: segment.path.clone(),
            last_sequence,
            bytes: segment.bytes,
            is_damaged,
        });
        replay.push_back(ReplaySegment {
            name: segment.name,
            path: segment.path,
            records: segment.records,
            last_sequence,
        });
    }
    let dir = &settings.dir;
    disk.sync_dir(dir).map_err(LogError::disk("fsync", dir))?;
    Ok((sealed, replay))
}

/// A process that was killed before its fsync leaves records that can be read and yet be lost. They are about to be
/// published, and repetitions of them acknowledged, so they must be durable first.
fn settle(disk: &dyn Disk, segment: &SurveyedSegment) -> Result<(), LogError> {
    let opened = disk.open(&segment.path);
    let mut file = opened.map_err(LogError::disk("open", &segment.path))?;
    if segment.is_torn {
        return file.truncate(segment.bytes).map_err(LogError::disk("truncate", &segment.path));
    }
    file.sync().map_err(LogError::disk("fsync", &segment.path))
}

fn log_findings(report: &LogReport) {
    for damage in &report.damaged {
        tracing::error!(
            path = %damage.path.display(),
            offset = damage.offset,
            bytes = damage.bytes,
            sequence = damage.sequence,
            kind = ?damage.kind,
            "log is damaged here, the rest of it is read"
        );
    }
    if let Some(torn) = &report.torn {
        tracing::warn!(
            path = %torn.path.display(),
            offset = torn.offset,
            bytes = torn.bytes,
            "cut off an interrupted write that was never acknowledged"
        );
    }
}
