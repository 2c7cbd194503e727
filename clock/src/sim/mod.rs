//! Worlds whose true time is known, to measure what order and offsets claim.
//!
//! ```text
//! world (settings, seed) ─► calls: spans and messages in true time
//!                           │
//!                           ▼
//!                        ticks: what each clock stamps, in true order ─► run: spans as an SDK exports them, and the truth
//!                                                                        │
//!                             wall, Jaeger, HLC order ◄── baseline ──────┤
//!                             shares decided and wrong, intervals ◄── measure
//! ```
//!
//! One seed makes one world, on every machine. Nothing here is used by the rest of the crate.

mod baseline;
mod calls;
mod clock;
mod measure;
mod network;
mod random;
mod run;
mod ticks;
mod world;

#[cfg(test)]
mod adverse;
#[cfg(test)]
mod gate;

pub use baseline::jaeger_adjusted;
pub use clock::SimClock;
pub use measure::{DISTANCES_NS, Intervals, Measure, Measured, Method, Scope, Tally};
pub use random::Random;
pub use run::{Run, Trace};
pub use world::{Ahead, Level, Shape, Step, World};
