//! Maintenance as a whole: real files, a real Delta log, a clock that the test moves.

mod compaction;
mod crashes;
mod plans;
mod retention;
mod simulation;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use causeway_model::{SpanRows, columns, otlp};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use prost::Message;

use super::run::{Step, clean_up};
use crate::settings::StoreSettings;
use crate::table::TableFolder;
use crate::{Request, Snapshot, Store, StoreError};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// 2026-09-21 12:00 UTC.
const NOON: i64 = 1_789_992_000_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

/// Lets the process die at a step.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Option<Step>>);

impl Faults {
    pub(super) fn die_at(&self, step: Step) {
        *self.0.lock() = Some(step);
    }

    pub(super) fn reach(&self, step: Step) -> Result<(), StoreError> {
        match *self.0.lock() == Some(step) {
            true => Err(StoreError::Closed),
            false => Ok(()),
        }
    }
}

/// A span as a test sees it: trace, span, name, start.
type Seen = (u8, u8, String, i64);

/// A store without background work, and its clock.
struct World {
    dir: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    store: Store,
    change: fn(&mut StoreSettings),
    requests: u128,
}

impl World {
    async fn open(change: fn(&mut StoreSettings)) -> Result<Self, Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let clock = Arc::new(AtomicI64::new(NOON));
        let store = open(dir.path(), &clock, change).await?;
        Ok(Self { dir, clock, store, change, requests: 0 })
    }

    fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    fn advance(&self, ns: i64) {
        self.clock.fetch_add(ns, Ordering::Relaxed);
    }

    fn table(&self) -> std::path::PathBuf {
        self.store.inner.settings.table_dir()
    }

    fn folder(&self) -> TableFolder {
        self.store.inner.folder.clone()
    }

    async fn append(&mut self, spans: &[Seen]) -> TestResult {
        let spans = spans.iter().map(|(trace, span, name, start)| Span {
            trace_id: vec![*trace; 16],
            span_id: vec![*span; 8],
            name: name.clone(),
            start_time_unix_nano: start.cast_unsigned(),
            end_time_unix_nano: start.cast_unsigned() + 1,
            ..Span::default()
        });
        let scope_spans = vec![ScopeSpans { spans: spans.collect(), ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        let payload = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let received_at_unix_nano = self.now();
        let (columns, _) = otlp::decode(&payload, received_at_unix_nano)?;
        self.requests += 1;
        let (digest, payload) = (self.requests, Bytes::from(payload));
        self.store.append(Request { received_at_unix_nano, digest, payload, columns }).await?;
        Ok(())
    }

    /// Appends and flushes.
    async fn file(&mut self, spans: &[Seen]) -> TestResult {
        self.append(spans).await?;
        Ok(self.store.flush().await?)
    }

    async fn spans(&self) -> Result<Vec<Seen>, Box<dyn std::error::Error>> {
        read(&self.store.snapshot().await?)
    }

    /// Live files by level.
    fn levels(&self) -> [u64; 3] {
        self.store.inner.recent.sizes().level_files
    }

    /// Lets the process die and starts it again.
    async fn crash(&mut self) -> TestResult {
        self.store.close(Duration::ZERO).await?;
        self.store = open(self.dir.path(), &self.clock, self.change).await?;
        Ok(())
    }

    /// Parquet files on disk, relative to the table.
    fn on_disk(&self) -> Result<BTreeSet<String>, Box<dyn std::error::Error>> {
        let found = super::survey(&self.table(), &[], Vec::new())?;
        Ok(found.unnamed.into_iter().collect())
    }

    fn live(&self) -> BTreeSet<String> {
        self.store.inner.recent.files().iter().map(|file| file.path.clone()).collect()
    }
}

async fn open(
    dir: &Path,
    clock: &Arc<AtomicI64>,
    change: fn(&mut StoreSettings),
) -> Result<Store, StoreError> {
    let clock = Arc::clone(clock);
    let clock = Arc::new(move || clock.load(Ordering::Relaxed));
    let mut settings = StoreSettings {
        flush_interval: Duration::from_secs(3600),
        maintenance: false,
        compaction_cpu_share: 1.0,
        compaction_files: 2,
        vacuum_retention: Duration::ZERO,
        ..StoreSettings::new(dir.to_owned(), clock)
    };
    change(&mut settings);
    let store = Store::open(settings, &mut Registry::default()).await?;
    clean_up(&store.inner).await?;
    Ok(store)
}

/// Every span of a snapshot, sorted; the name ends with `!` when it is flagged.
fn read(snapshot: &Snapshot) -> Result<Vec<Seen>, Box<dyn std::error::Error>> {
    let mut seen = Vec::new();
    snapshot.read(&mut |batch| {
        let rows = SpanRows::new(batch).expect("the schema");
        for row in 0..rows.len {
            let is_flagged = rows.clock_flags.value(row) & columns::FLAG_DUP != 0;
            let name = rows.name.get(row).unwrap_or_default();
            let name = format!("{name}{}", if is_flagged { "!" } else { "" });
            let start = rows.start_time_unix_nano.value(row);
            seen.push((rows.trace_id.value(row)[0], rows.span_id.value(row)[0], name, start));
        }
    })?;
    seen.sort();
    Ok(seen)
}

fn span(trace: u8, span: u8, name: &str) -> Seen {
    (trace, span, name.to_owned(), NOON)
}
