//! The decode floor: what it costs to turn the same bytes into structs with prost, and drop them.
//!
//! No receiver that decodes with generated code can cost less, so that a ratio to it says how much a
//! server adds, on any machine.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Context, Result};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use crate::load::Load;
use crate::process::thread_cpu;

/// CPU time of decoding a whole load once, on this thread.
pub(crate) fn decode(load: &Load) -> Result<Duration> {
    let before = thread_cpu()?;
    for body in &load.bodies {
        let request = ExportTraceServiceRequest::decode(body.as_slice());
        black_box(request.context("a generated request does not decode")?);
    }
    Ok(thread_cpu()?.saturating_sub(before))
}
