//! What the model promises as a whole: OTLP in, OTLP out, nothing changed.

#![expect(clippy::expect_used, reason = "a failing test says where")]

mod agreement;
mod differential;
mod nesting;
mod reference;
mod refusal;
mod round_trip;
mod stamps;
