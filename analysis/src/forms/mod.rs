//! Normal forms of calls: what makes two spans the same call.
//!
//! ```text
//! attributes ─► conventions::Fields ─► family (sql, http, rpc, messaging, cache, gen-AI) ─► Call
//!               old and new names       template, operation, target                          key
//! ```
//!
//! A [`Former`] turns a span's kind, name and [`Fields`] into a [`Call`]. Two spans make the same call when
//! their calls have the same [`CallKey`]: family, template and callee. Span names decide only where
//! attributes say nothing, and such calls say so ([`Source::Name`], [`Call::target_known`]).
//!
//! Invariants: any text gives a form, never a panic; forming a form gives the same form; time is linear in
//! the text, and long texts are cut at named limits; what is not understood is kept rather than merged.

mod cache;
mod call;
pub mod conventions;
mod document;
mod former;
mod genai;
mod http;
mod messaging;
mod names;
mod path;
mod recent;
mod recognise;
mod resources;
mod rpc;
mod secrets;
pub mod sql;

#[cfg(test)]
mod tests;

pub use call::{Call, CallKey, Effect, Kind, Source, System};
pub(crate) use conventions::text_hash;
pub use conventions::{Field, Fields, Generation, Name, Value};
pub use former::{CALLEE_BYTES_MAX, CALLS_MAX, Former, SPANS_MAX, STATEMENTS_MAX};
pub use path::{PATH_BYTES_MAX, is_id, normal_path};
pub(crate) use resources::Resource;
pub use secrets::{SECRET_BYTES_MAX, SECRETS_PER_VALUE_MAX, SecretKind, SecretSite, find_secrets};
