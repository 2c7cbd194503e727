//! Tests of the log as its users see it, on a disk that fails, forgets and tears on demand.

mod faulty_disk;

mod append;
mod damage;
mod duplicates;
mod failures;
mod real_disk;
mod release;
mod simulation;

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Appended, Log, LogError, LogSettings, NewRecord, Record, Replay};
use crate::disk::Disk;
use faulty_disk::FaultyDisk;

type TestResult = Result<(), Box<dyn Error>>;

const SECOND_NS: i64 = 1_000_000_000;
const WINDOW: Duration = Duration::from_secs(3600);

/// A log's surroundings, which outlive the log.
struct Surroundings {
    disk: FaultyDisk,
    time_ns: Arc<AtomicI64>,
    published: Arc<Mutex<Vec<Record>>>,
    settings: LogSettings,
}

impl Surroundings {
    fn new() -> Self {
        let time_ns = Arc::new(AtomicI64::new(1_800_000_000 * SECOND_NS));
        let clock = Arc::clone(&time_ns);
        let mut settings = LogSettings::new(
            PathBuf::from("/log"),
            Arc::new(move || clock.load(Ordering::Relaxed)),
        );
        settings.digest_window = WINDOW;
        settings.retry_pause_first = Duration::from_millis(1);
        settings.retry_pause_max = Duration::from_millis(2);
        Self { disk: FaultyDisk::default(), time_ns, published: Arc::default(), settings }
    }

    /// Segments that take one record of a few bytes each.
    fn with_small_segments() -> Self {
        let mut around = Self::new();
        around.settings.segment_bytes_max = 120;
        around
    }

    fn dir(&self) -> &Path {
        &self.settings.dir
    }

    fn disk(&self) -> Arc<dyn Disk> {
        Arc::new(self.disk.clone())
    }

    fn open_from(&self, first_sequence_at_least: u64) -> Result<(Log, Replay), LogError> {
        let published = Arc::clone(&self.published);
        let publish = Box::new(move |records| published.lock().extend(records));
        Log::open_on(self.disk(), self.settings.clone(), first_sequence_at_least, publish)
    }

    fn open(&self) -> Result<(Log, Replay), LogError> {
        self.open_from(1)
    }

    fn pass(&self, time: Duration) {
        let ns = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        self.time_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// A record that is told from others by its text.
    fn record(&self, text: &str) -> NewRecord {
        NewRecord {
            received_at_unix_ns: self.time_ns.load(Ordering::Relaxed),
            digest: digest(text),
            payload: Bytes::copy_from_slice(text.as_bytes()),
            decoded: None,
        }
    }

    async fn append(&self, log: &Log, text: &str) -> Result<Appended, LogError> {
        log.append(self.record(text)).await
    }

    fn published_texts(&self) -> Vec<String> {
        self.published.lock().iter().map(text_of).collect()
    }

    /// Names of the files that end in `suffix`.
    fn files(&self, suffix: &str) -> Vec<PathBuf> {
        let mut files = self.disk.paths();
        files.retain(|path| path.to_string_lossy().ends_with(suffix));
        files
    }
}

fn digest(text: &str) -> u128 {
    let bytes = text.as_bytes();
    (u128::from(crc32c::crc32c(bytes)) << 96) | u128::from(crc32c::crc32c_append(7, bytes))
}

fn text_of(record: &Record) -> String {
    String::from_utf8_lossy(&record.payload).into_owned()
}

/// Everything that replay yields, as (sequence, text).
fn replayed(replay: Replay) -> Result<Vec<(u64, String)>, LogError> {
    replay.map(|record| record.map(|record| (record.sequence, text_of(&record)))).collect()
}

fn stored(sequence: u64) -> Appended {
    Appended::Stored { sequence }
}

/// Waits until the writer thread has done what was asked of it.
async fn until(mut is_done: impl FnMut() -> bool) -> TestResult {
    let wait = async {
        while !is_done() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    Ok(tokio::time::timeout(Duration::from_secs(20), wait).await?)
}
