//! Time and order between machines whose clocks cannot be trusted. Pure: no I/O, no async.
//!
//! ```text
//! wall, monotonic ─► clock ─► stamp ─► codec ─► tracestate, response ─► another process
//! (reading)          ▲ (node)                                           │
//!                    └───────── observe, unless it is too far ahead ◄───┘
//! ```

mod clock;
mod codec;
mod node;
mod reading;
mod stamp;

pub mod response;
pub mod tracestate;

pub use clock::{Cause, Clock, ClockCounts, ClockSettings, NewNode, ReceiveError, TooFarAhead};
pub use codec::{Carried, StampError};
pub use reading::{Reading, ReadingSource};
pub use stamp::{NodeId, Stamp};
