//! Builders and generators of OTLP, for tests, benchmarks and the demo.
//!
//! `traffic` makes realistic requests from a seed, `nasty` makes every shape that OTLP allows,
//! `notation` reads traces that tests write down, and `flat` brings a request into a form in which
//! two requests can be compared.

pub mod flat;
pub mod nasty;
pub mod notation;
pub mod traffic;

pub use opentelemetry_proto::tonic as proto;
