//! What a span is to Causeway: ids, attribute values, the one column table, OTLP <-> Arrow, and the merged trace.
//!
//! ```text
//! OTLP/JSON --otlp::json_to_protobuf--> OTLP protobuf --otlp::decode--> SpanColumns (per request)
//!                                                                          | seal (many requests)
//! OTLP/JSON, OTLP protobuf <--otlp::write_json / write_protobuf-- RecordBatch <-> Parquet
//!                                                                          | SpanRows
//!                                                                     trace::MergedTrace
//! ```
//!
//! Invariants: what was sent comes back exactly; derived values live in other columns. No I/O, no
//! async, no clock: the receive time comes from the caller. Knows nothing of files or HTTP.

pub mod batch;
pub mod columns;
pub mod identity;
pub mod ids;
pub mod otlp;
pub mod parts;
pub mod rows;
pub mod stamps;
pub mod trace;
pub mod value;

pub use batch::SpanColumns;
pub use ids::{SpanId, TraceId};
pub use rows::SpanRows;
pub use stamps::SpanStamps;
