//! A simulated shop with known faults: fourteen services on hosts whose clocks are wrong, tagged and stock ones mixed.
//!
//! ```text
//! journeys ─ calls, steps ─► plan (true time) ─► agenda, by true time ─ play: clocks, stamps, contexts ─► exporter ─► Export
//! cast (services, hosts, clocks)                                        process (a real `causeway_clock::Clock`)
//! fault (the answer key) ─► sightings ─► truth
//! ```
//!
//! Pure: virtual time, no I/O. One seed makes one shop, byte for byte, on every machine, but for the time it starts at.
//! Everything is first planned in true time, then played in true order, so what clocks show changes nothing that
//! happens. `causeway demo` sends what comes out; tests compare what is found with what is true.

mod attributes;
mod calls;
mod cast;
mod dialect;
mod exporter;
mod fault;
mod journeys;
mod plan;
mod play;
mod process;
mod queue;
mod resource;
mod run;
mod settings;
mod sightings;
mod steps;
mod truth;
mod wall;
mod world;

#[cfg(test)]
mod tests;

pub use cast::{Level, Service};
pub use exporter::{Export, refused_spans};
pub use fault::{Fault, FaultLine, Faults};
pub use process::NodeTruth;
pub use resource::Instance;
pub use run::Shop;
pub use settings::ShopSettings;
pub use sightings::Sighting;
pub use truth::{ClockTruth, FaultTruth, SpanTruth, Truth};
pub use wall::WallClock;
