//! The order of the events of a trace: what is proven, what is likely, and by which edges.
//!
//! ```text
//! spans ─ verify ─► faults, chains of ticks ─ edges ─► proofs, inferences ─ build ─► Order
//!                                                                                    │
//!        relation of two events or spans, with its proof ◄── relation, reach ────────┤
//!        everything before and after a span              ◄── cone ───────────────────┤
//!        what was open at a moment                       ◄── cut ────────────────────┤
//!        one line that contradicts no proof              ◄── line ───────────────────┤
//!        times on one clock, for drawing                 ◄── aligned ────────────────┘
//! ```
//!
//! Proven order rests on recorded edges only, never on the value of a clock. All of it is linear in spans and edges,
//! but for sorting ticks; nothing recurses; no span is ever dropped.

mod aligned;
mod build;
mod cone;
mod cut;
mod edge_kind;
mod edges;
mod faults;
mod line;
mod reach;
mod relation;
mod span;
mod span_relation;
mod verify;
mod vertex;

#[cfg(test)]
mod tests;

pub use aligned::Aligned;
pub use build::{Order, OrderError, OrderSettings, Reading};
pub use cut::Cut;
pub use edge_kind::EdgeKind;
pub use faults::{Fault, Faults, Violation};
pub use reach::Step;
pub use relation::{Class, EventOrder, Margin, Relation};
pub use span::{Event, Kind, Link, SPANS_MAX, Span};
pub use span_relation::{SpanOrder, SpanRelation};
