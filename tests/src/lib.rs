//! Starts the real binary and talks to it as its users do.
//!
//! ```text
//! environment (where is what) --> server, cli (processes) --> http, grpc (requests)
//!                                 otlp (what is sent), otlp_json (what comes back) --> difference
//! chain (processes with wrong clocks) --> truth (what really happened), rules (what can be proven)
//! ```
//!
//! The tests are in `tests/it`. Everything here has a time limit, binds 127.0.0.1 only, and stops
//! what it started. Nothing here shares code with the server beyond the OTLP structs of the testkit,
//! so that a mistake there cannot excuse itself here; but for `events`, which judges the library of
//! order by what is known without it.

pub mod chain;
pub mod cli;
pub mod difference;
pub mod environment;
pub mod events;
pub mod grpc;
pub mod http;
pub mod otlp;
pub mod otlp_json;
pub mod random;
pub mod rules;
pub mod server;
pub mod truth;

pub use causeway_testkit::proto;
