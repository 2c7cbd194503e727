//! Builders and generators of OTLP, for tests, benchmarks and the demo.
//!
//! `traffic` makes realistic requests from a seed, `shop` simulates services with wrong clocks and
//! known faults, `nasty` makes every shape that OTLP allows, `notation` reads traces that tests write
//! down, and `flat` brings a request into a form in which two requests can be compared.

pub mod flat;
#[cfg(feature = "nasty")]
pub mod nasty;
pub mod notation;
pub mod shop;
pub mod traffic;

pub use opentelemetry_proto::tonic as proto;
