//! The handle that the rest of the process holds: append, release, look, close.

use std::{fs::File, io, sync::Arc, thread};

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use super::{
    error::LogError,
    queue::{Queue, Request},
    record::{Appended, NewRecord, RECORD_PAYLOAD_BYTES_MAX},
    recover::{Recovered, recover},
    replay::Replay,
    segments::Segments,
    settings::{LogSettings, Publish},
    state::{Health, LogCounters, LogState, Shared},
    writer::Writer,
};
use crate::disk::{Disk, RealDisk, make_dir};

/// An open log. Dropping it closes it.
#[derive(Debug)]
pub struct Log {
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
    /// Keeps other processes out until the writer has ended.
    lock: Mutex<Option<File>>,
}

impl Log {
    /// Opens the log and starts its writer. Reads the whole log once, so call it from a blocking thread.
    ///
    /// New records are numbered above everything that was ever published, from `first_sequence_at_least` or higher.
    /// Appending may begin before the replay is done: repetitions of records still to be replayed are recognised.
    ///
    /// # Errors
    /// `InUse`, `UnsupportedVersion`, or `Disk` if the folder cannot be listed or a torn end not be cut off. Damage
    /// is no error, see [`Replay::report`].
    pub fn open(
        settings: LogSettings,
        first_sequence_at_least: u64,
        publish: Publish,
    ) -> Result<(Self, Replay), LogError> {
        Self::open_on(Arc::new(RealDisk), settings, first_sequence_at_least, publish)
    }

    /// As `open`, on a given disk.
    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        settings: LogSettings,
        first_sequence_at_least: u64,
        publish: Publish,
    ) -> Result<(Self, Replay), LogError> {
        let lock = claim(disk.as_ref(), &settings)?;
        let dir = settings.dir.clone();
        let recovered = recover(disk.as_ref(), &settings, first_sequence_at_least)?;
        let Recovered { report, sealed, replay, repeated, released_through, .. } = recovered;
        let shared = Arc::new(Shared::new(released_through));
        let queue = Arc::new(Queue::new(settings.queue_bytes_max));
        let replay = Replay::new(Arc::clone(&disk), Arc::clone(&shared), replay, repeated, report);
        let writer = Writer {
            segments: Segments::new(Arc::clone(&disk), settings.clone(), sealed),
            disk,
            queue: Arc::clone(&queue),
            shared: Arc::clone(&shared),
            publish,
            window: recovered.window,
            digest_files: recovered.digest_files,
            repeated_digests: recovered.repeated_digests,
            digests_kept_through: 0,
            next_sequence: recovered.next_sequence,
            health: Health::new(settings.retry_pause_first, settings.retry_pause_max),
            settings,
        };
        writer.share_counts();
        // Finishes a release that a crash interrupted.
        queue.release(released_through);
        let spawned =
            thread::Builder::new().name("log-writer".to_owned()).spawn(move || writer.run());
        let writer = spawned.map_err(|source| LogError::Disk {
            action: "start the writer thread of",
            path: dir,
            source: Arc::new(source),
        })?;
        let log = Self { queue, shared, writer: Mutex::new(Some(writer)), lock: Mutex::new(lock) };
        Ok((log, replay))
    }

    /// Stores a record. Returns after it is durable and published, or after it was found to repeat one that is.
    ///
    /// If the future is dropped the record is stored all the same.
    ///
    /// # Errors
    /// `Full` at once if the queue is full, `Disk` if it could not be stored, `Closed`, `TooLarge`. After none of
    /// them was the record published, but for `Closed`, after which that is unknown.
    pub async fn append(&self, record: NewRecord) -> Result<Appended, LogError> {
        if record.payload.len() > RECORD_PAYLOAD_BYTES_MAX {
            return Err(LogError::TooLarge {
                payload_bytes: record.payload.len(),
                limit_bytes: RECORD_PAYLOAD_BYTES_MAX,
            });
        }
        let (done, answer) = oneshot::channel();
        self.queue.push(Request { record, done })?;
        answer.await.unwrap_or(Err(LogError::Closed))
    }

    /// Says that the table durably holds all records up to `through_sequence`. Segments without later records are
    /// deleted in the background, after their digests are durable elsewhere; replay passes over those records.
    pub fn release(&self, through_sequence: u64) {
        self.shared.raise_released(through_sequence);
        self.queue.release(through_sequence);
    }

    /// Whether the log can store records.
    #[must_use]
    pub fn state(&self) -> LogState {
        self.shared.state()
    }

    /// The state and its changes, for readiness.
    #[must_use]
    pub fn watch_state(&self) -> watch::Receiver<LogState> {
        self.shared.watch()
    }

    /// Counts since the log was opened.
    #[must_use]
    pub fn counters(&self) -> LogCounters {
        self.shared.counters()
    }

    /// Bytes in segment files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.shared.size_bytes()
    }

    /// Bytes waiting or being written.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.queue.bytes()
    }

    /// Takes no more records, stores those that wait and ends the writer. Blocks until that is done; a second call
    /// does nothing.
    pub fn close(&self) {
        self.queue.close();
        if let Some(writer) = self.writer.lock().take()
            && writer.join().is_err()
        {
            tracing::error!("the log's writer panicked");
        }
        self.lock.lock().take();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

fn claim(disk: &dyn Disk, settings: &LogSettings) -> Result<Option<File>, LogError> {
    let dir = &settings.dir;
    make_dir(disk, dir).map_err(LogError::disk("make", dir))?;
    match disk.lock_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(LogError::InUse { path: dir.clone() })
        }
        claimed => claimed.map_err(LogError::disk("open", dir)),
    }
}
