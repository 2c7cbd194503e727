//! OTLP over gRPC and HTTP in, admission, requests out to the store.
//!
//! ```text
//! socket -> receive::{grpc, http} -> receive::body: bounded, decompressed -+
//!                                                                          v
//! Jaeger, Zipkin file -> decode: one OTLP request per trace ----------> admit: digest, decode,
//!                                                                  Store::append, count, answer
//! ```
//!
//! Invariants: a request is acknowledged only after [`Store::append`] said so; spans received =
//! spans stored + duplicates + refusals, per reason; memory held by unfinished requests is one
//! budget. Nothing here listens: the binary owns sockets and serves the two routers.

mod admit;
mod budget;
pub mod config;
pub mod decode;
mod encode;
mod error;
mod metrics;
mod receive;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use causeway_store::Store;
use prometheus_client::registry::Registry;

pub use admit::{Format, Outcome, Source};
pub use config::{CollectorSettings, OriginPattern};
pub use error::{AdmitError, Malformed};

use budget::Budget;
use metrics::Metrics;

/// Unix nanoseconds now; injected so that tests decide what time it is.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Receives spans and hands them to the store; clones share everything.
#[derive(Clone)]
pub struct Collector {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) settings: CollectorSettings,
    pub(crate) clock: Clock,
    /// The hybrid clock of this process. It ticks for answers and never takes over a stamp of a
    /// span: no sender can move it.
    pub(crate) hlc: Arc<causeway_clock::Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) budget: Arc<Budget>,
}

impl Collector {
    /// Builds a collector in front of `store` and registers its metrics. `hlc` is the one hybrid
    /// clock of the process; answers carry its stamps.
    pub fn new(
        store: Store,
        settings: CollectorSettings,
        clock: Clock,
        hlc: Arc<causeway_clock::Clock>,
        registry: &mut Registry,
    ) -> Self {
        let metrics = Metrics::register(registry);
        let budget = Budget::new(settings.inflight_bytes_max, metrics.inflight_bytes.clone());
        Self { shared: Arc::new(Shared { store, settings, clock, hlc, metrics, budget }) }
    }

    /// What the OTLP/gRPC port serves.
    pub fn grpc_router(&self) -> Router {
        receive::grpc::router(self.clone())
    }

    /// What the OTLP/HTTP port serves.
    pub fn http_router(&self) -> Router {
        receive::http::router(self.clone())
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}
