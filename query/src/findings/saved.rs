//! What was found of single traces, on disk: `findings.arrow`.
//!
//! It is written as a whole, now and then and at the end. What was only in a file that is lost comes back by another look at
//! history (`causeway analyze`).

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use causeway_analysis::detectors::Finding;

use super::table::findings;
use crate::durable::{read_batches, write_batch};

const FINDINGS: &str = "findings.arrow";

/// Replaces what was written down, durably. Blocking.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(dir: &Path, found: &RecordBatch) -> Result<(), ArrowError> {
    write_batch(dir, FINDINGS, found)
}

/// What was written down, the trace that was looked at longest ago first. Blocking.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read(dir: &Path) -> Result<Vec<Finding>, ArrowError> {
    let (batches, _) = read_batches(&dir.join(FINDINGS))?.unwrap_or_default();
    let mut all = Vec::new();
    for batch in &batches {
        all.extend(findings(batch)?);
    }
    Ok(all)
}
