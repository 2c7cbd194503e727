//! `causeway demo`: a simulated shop, whose services send their spans to a server as real ones do.
//!
//! ```text
//! options ─► shop (virtual time, known faults) ─ run: paced by real time ─► senders, one a service ─ OTLP/HTTP ─► server
//!            └─► truth: printed at the start, written as JSON
//! ```
//!
//! The server gets nothing but OTLP. What was built in is told to people and to `--truth`, never to it.

mod options;
mod run;
mod senders;
mod truth;

pub(crate) use options::command;
pub(crate) use run::run;
