//! What happened before what, and how far clocks are apart: the crate `clock` over what is stored.
//!
//! ```text
//! rows -- gather, identity --> spans of `clock` --> TraceOrder --> relation, cone, causal order, cut
//!                                                      |  ^
//!                                 messages between clocks  | offsets
//!                                                      v  |
//! ids of sealed batches -- quiet for a moment, read --> ClockWatch --> tables `clocks`, `clock_pairs`
//! ```
//!
//! Invariants: what is called proven rests on recorded edges; offsets come from messages and are never
//! written over raw times; what a watch has not seen yet is missing evidence, never a wrong bound.

mod answers;
mod gather;
mod identity;
mod saved;
mod tables;
mod trace_order;
mod watch;

pub(crate) use answers::{
    ClockAnswer, ConeAnswer, LineAnswer, Messages, RelationAnswer, aligned, cone, line, messages,
    relation,
};
pub(crate) use identity::parse_clock;
pub(crate) use tables::{
    ClocksAnswer, clock_offset, clock_pairs, clock_pairs_schema, clocks, clocks_answer,
    clocks_schema,
};
pub(crate) use trace_order::TraceOrder;
pub(crate) use watch::ClockWatch;
