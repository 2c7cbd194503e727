//! Tags the spans of a stock OpenTelemetry SDK with stamps of a hybrid logical clock.
//!
//! ```text
//! request in ─► propagator: observe ─► span starts: tick ─► propagator: tick ─► request out
//!                                      │ processor                              │
//! response out ◄─ server layer: tick ◄─┤                                        ▼
//!                                      └─ span ends: tick ◄─ client layer: observe ◄─ response in
//! ```
//!
//! One line adds it:
//!
//! ```
//! # use opentelemetry_sdk::trace::{BatchSpanProcessor, InMemorySpanExporter, SdkTracerProvider};
//! # let exporter = InMemorySpanExporter::default();
//! let provider = SdkTracerProvider::builder()
//!     .with_span_processor(
//!         causeway_hlc::Hlc::default().install(BatchSpanProcessor::builder(exporter).build()),
//!     )
//!     .build();
//! ```
//!
//! Every part works without the others: the propagator alone lets others prove their order, the
//! processor tags spans, the layers send stamps back with responses. Requests and responses are
//! never refused or delayed for their stamps; what cannot be read or believed is counted.

mod destination;
mod domain;
mod hlc;
mod layer;
mod processor;
mod propagator;
mod response;
mod spans;

pub use causeway_clock::{
    Cause, Clock, ClockCounts, ClockSettings, NewNode, NodeId, Reading, ReadingSource, Stamp,
};
pub use destination::without_stamp;
pub use domain::{CLOCK_DOMAIN, clock_domain};
pub use hlc::{Hlc, HlcSettings};
pub use layer::{ClientLayer, ClientService, ResponseFuture, ServerLayer, ServerService};
pub use processor::{END, HlcProcessor, REJECT, RESPONSES, START};
pub use propagator::HlcPropagator;
