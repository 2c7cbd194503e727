//! The store as a whole: what was acknowledged is there, once, exactly, whatever happened between.

mod attribute_columns;
mod duplicates;
mod limits;
mod round_trip;
mod stamps;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causeway_model::otlp;
use causeway_store::{Appended, Request, Store, StoreError, StoreSettings};
use causeway_testkit::flat::{self, FlatSpan};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// 2026-09-21, a moment after every start time that the generators prefer.
const NOW: i64 = 1_790_000_002_000_000_000;

fn settings(dir: &Path) -> StoreSettings {
    StoreSettings {
        // Tests flush when they want to.
        flush_interval: Duration::from_secs(3600),
        ..StoreSettings::new(dir.to_owned(), Arc::new(|| NOW))
    }
}

async fn open(dir: &Path) -> Result<Store, StoreError> {
    Store::open(settings(dir), &mut prometheus_client::registry::Registry::default()).await
}

/// Ends a store without a last flush: what is recent stays in the log only.
async fn close_without_flush(store: Store) -> Result<(), StoreError> {
    store.close(Duration::ZERO).await
}

fn digest(payload: &[u8]) -> u128 {
    payload.iter().fold(14_695_981_039_346_656_037, |hash: u128, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

async fn append(store: &Store, payload: Vec<u8>) -> Result<Appended, Box<dyn std::error::Error>> {
    let (columns, _) = otlp::decode(&payload, NOW)?;
    let digest = digest(&payload);
    let payload = Bytes::from(payload);
    Ok(store.append(Request { received_at_unix_nano: NOW, digest, payload, columns }).await?)
}

/// Every visible span.
async fn spans(store: &Store) -> Result<Vec<FlatSpan>, Box<dyn std::error::Error>> {
    let mut out = Vec::new();
    let mut result = Ok(());
    store.snapshot().await?.read(&mut |batch| {
        if result.is_ok() {
            result = otlp::write_protobuf(std::slice::from_ref(batch), &mut out);
        }
    })?;
    result?;
    Ok(flat::sorted(&ExportTraceServiceRequest::decode(out.as_slice())?))
}
