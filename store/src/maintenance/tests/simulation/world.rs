//! A machine with one process that has the store open, and its clock.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use causeway_model::otlp;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;

use super::super::HOUR;
use super::disk::ProcessDisk;
use super::faults::{Armed, DONE, Fault, Faults, Target};
use super::machine::Machine;
use super::random::Random;
use super::schedule::Outcome;
use super::spans::{Seen, request};
use crate::maintenance::clean_up;
use crate::settings::StoreSettings;
use crate::{Request, Store, StoreError};

/// Spans that start earlier expire.
pub(super) const AGE: Duration = Duration::from_secs(30 * 3600);

pub(super) struct World {
    folder: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    pub(super) machine: Arc<Mutex<Machine>>,
    /// Those of the process.
    pub(super) faults: Arc<Faults>,
    store: Option<Store>,
    requests: u128,
}

impl World {
    /// In memory where that is possible. No process runs yet.
    pub(super) fn new() -> Outcome<Self> {
        let in_memory = PathBuf::from("/dev/shm");
        let folder = tempfile::tempdir_in(in_memory).or_else(|_| tempfile::tempdir())?;
        let machine = Arc::new(Mutex::new(Machine::new(folder.path())?));
        let (clock, faults) = (Arc::new(AtomicI64::new(noon_soon())), Arc::default());
        Ok(Self { folder, clock, machine, faults, store: None, requests: 0 })
    }

    pub(super) fn store(&self) -> &Store {
        self.store.as_ref().expect("the process runs")
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.now() / 1_000_000
    }

    pub(super) fn advance(&self, ns: i64) {
        self.clock.fetch_add(ns, Ordering::Relaxed);
    }

    pub(super) async fn append(&mut self, spans: &[Seen]) -> Result<(), StoreError> {
        let payload = request(spans);
        let received_at_unix_nano = self.now();
        let decoded = otlp::decode(&payload, received_at_unix_nano);
        let (columns, _) = decoded.map_err(|error| StoreError::failing("decode", error))?;
        self.requests += 1;
        let (digest, payload) = (self.requests, Bytes::from(payload));
        let request = Request { received_at_unix_nano, digest, payload, columns };
        self.store().append(request).await.map(drop)
    }

    /// The process dies.
    pub(super) async fn die(&mut self) {
        self.faults.die();
        if let Some(store) = self.store.take() {
            // What it still does has no effect; this only ends its threads.
            let _ = store.close(Duration::ZERO).await;
        }
    }

    /// The power fails and comes back.
    pub(super) async fn lose_power(&mut self, random: &mut Random) -> Outcome {
        self.die().await;
        Ok(self.machine.lock().lose_power(random)?)
    }

    /// Starts a process that meets these faults.
    pub(super) async fn start(&mut self, faults: Faults) -> Result<(), StoreError> {
        self.faults = Arc::new(faults);
        self.store = Some(open(&self.machine, &self.faults, &self.clock).await?);
        Ok(())
    }

    /// The process dies if one runs, perhaps with the power, and starts; it may die at that for some
    /// times.
    pub(super) async fn restart(&mut self, random: &mut Random) -> Outcome {
        loop {
            self.die().await;
            if random.one_in(2) {
                self.lose_power(random).await?;
            }
            if !random.one_in(4) {
                return Ok(self.start(Faults::default()).await?);
            }
            let faults = Faults::default();
            let (after, fault) = (random.below(40), Fault::Die(random.pick(&DONE)));
            faults.arm(Armed { target: Target::All, after, times: 1, fault });
            // It may get through before that.
            let _ = self.start(faults).await;
        }
    }
}

/// Noon, UTC, in some days. Delta forgets by the real clock which files left the table, so that of
/// the simulation must not be behind.
fn noon_soon() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as i64;
    (now.div_euclid(24 * HOUR) + 2) * 24 * HOUR + 12 * HOUR
}

async fn open(
    machine: &Arc<Mutex<Machine>>,
    faults: &Arc<Faults>,
    clock: &Arc<AtomicI64>,
) -> Result<Store, StoreError> {
    let clock = Arc::clone(clock);
    let clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let settings = StoreSettings {
        flush_interval: Duration::from_secs(3600),
        maintenance: false,
        compaction_cpu_share: 1.0,
        compaction_files: 3,
        retention_age: Some(AGE),
        vacuum_retention: Duration::from_secs(60),
        // A copy that comes after that may be visible twice until files are merged.
        request_dedup_window: Duration::from_secs(1_000 * 3600),
        ..StoreSettings::new(machine.lock().root().to_owned(), clock)
    };
    let disk = Arc::new(ProcessDisk::new(machine, faults));
    let store = Store::open_on(disk, settings, &mut Registry::default()).await?;
    match clean_up(&store.inner).await {
        Ok(()) => Ok(store),
        Err(error) => {
            store.close(Duration::ZERO).await?;
            Err(error)
        }
    }
}
