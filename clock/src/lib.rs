//! Time and order between machines whose clocks cannot be trusted. Pure: no I/O, no async.

mod stamp;

pub use stamp::{NodeId, Stamp};
