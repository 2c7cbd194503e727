//! How far clocks are apart, as far as messages bound it.
//!
//! A message that clock `i` sent when it showed `s`, and clock `j` received when it showed `r`, cannot arrive before it
//! was sent: `o_j - o_i <= r - s`. Shortest paths over such bounds are the tightest ones there are (Patt-Shamir 1994),
//! and a cycle of negative length is evidence that contradicts itself.
//!
//! ```text
//! spans ─ evidence ─► messages, round trips ─ table ─► least bound of each pair and window
//!                                                      │
//!                  window asked for ─► history (ageing) ─► repair ─ closure ─► solver: lo, hi, point of a pair
//!                                                                              └► report: one line a clock
//! ```
//!
//! Beside the clocks of the system there are two that nobody reads: universal time, against which hosts may declare how far
//! they are off, and that of the collector, which receives every span after it ended.
//!
//! The table is the same whatever order messages come in, and answers are a function of the table. What they assume:
//! clocks run within `rho` of the right rate, and do not step unseen. A fault widens or voids an interval; it never moves
//! one.

mod closure;
mod estimate;
mod evidence;
mod granularity;
mod hash;
mod history;
mod message;
mod rate;
mod repair;
mod report;
mod rows;
mod settings;
mod solver;
mod table;
mod thin;
mod window;

#[cfg(test)]
mod tests;

pub use evidence::{observe, observe_arrivals};
pub use granularity::Granularity;
pub use message::{Message, RoundTrip};
pub use report::{ClockReport, ClockWindow, report};
pub use rows::{ClockRow, Exchange, Least, PairRow};
pub use settings::OffsetSettings;
pub use solver::{ClosedWindows, Estimate, Hop, PairBounds, Solver, State, StepFound};
pub use table::{Estimator, Forgotten, Refused};
pub use thin::Stretch;
