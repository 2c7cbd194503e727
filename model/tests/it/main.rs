//! What the model promises as a whole: OTLP in, OTLP out, nothing changed.

mod nesting;
mod refusal;
mod round_trip;
