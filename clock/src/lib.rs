//! Time and order between machines whose clocks cannot be trusted. Pure: no I/O, no async.

mod clock_id;
mod graph;
pub mod offsets;
pub mod order;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod stamp;

pub use clock_id::ClockId;
pub use stamp::{NodeId, Stamp};
