//! An exporter that passes every batch on to the stock exporter and keeps a copy.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// What went to the stock exporter, and whether all of it was accepted.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) resource: Resource,
    pub(crate) spans: Vec<SpanData>,
    pub(crate) succeeded: bool,
}

#[derive(Debug)]
pub(crate) struct RecordingExporter<E> {
    inner: E,
    recording: Arc<Mutex<Recording>>,
}

impl<E: SpanExporter> RecordingExporter<E> {
    pub(crate) fn around(inner: E) -> (Self, Arc<Mutex<Recording>>) {
        let resource = Resource::builder_empty().build();
        let recording = Recording { resource, spans: Vec::new(), succeeded: true };
        let recording = Arc::new(Mutex::new(recording));
        (Self { inner, recording: Arc::clone(&recording) }, recording)
    }

    fn record(&self, change: impl FnOnce(&mut Recording)) -> OTelSdkResult {
        let poisoned = |_| OTelSdkError::InternalFailure("recording is poisoned".to_owned());
        change(&mut *self.recording.lock().map_err(poisoned)?);
        Ok(())
    }
}

impl<E: SpanExporter> SpanExporter for RecordingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.record(|recording| recording.spans.extend(batch.iter().cloned()))?;
        let result = self.inner.export(batch).await;
        self.record(|recording| recording.succeeded &= result.is_ok())?;
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Ok(mut recording) = self.recording.lock() {
            recording.resource = resource.clone();
        }
        self.inner.set_resource(resource);
    }
}
