//! Time and order between machines whose clocks cannot be trusted. Pure: no I/O, no async.
//!
//! ```text
//! wall, monotonic ─► clock ─► stamp ─► codec ─► tracestate, response ─► another process
//! (reading)          ▲ (node)                                           │
//!                    └───────── observe, unless it is too far ahead ◄───┘
//! ```

mod clock;
mod clock_id;
mod codec;
mod graph;
mod node;
mod reading;
mod stamp;

#[cfg(test)]
mod real_data;

pub mod offsets;
pub mod order;
pub mod response;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
pub mod tracestate;

pub use clock::{Cause, Clock, ClockCounts, ClockSettings, NewNode, ReceiveError, TooFarAhead};
pub use clock_id::ClockId;
pub use codec::{Carried, StampError};
pub use reading::{Reading, ReadingSource};
pub use stamp::{NodeId, Stamp};
