//! What the shop promises, checked on what it sends.

mod clocks;
mod conventions;
mod docs;
mod faults;
mod order;
mod order_spans;
mod sent;
mod traces;
