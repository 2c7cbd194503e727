//! What was found of single traces, on disk: `findings.arrow`.
//!
//! It is written as a whole, now and then and at the end. What was only in a file that is lost comes back by another look at
//! history (`causeway analyze`).

use std::path::Path;

use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use causeway_analysis::detectors::Finding;

use super::table::{batches, findings, schema};
use crate::durable::{read_batches, replace};

const FINDINGS: &str = "findings.arrow";

/// Replaces what was written down, durably. Blocking.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write<'a>(
    dir: &Path,
    found: impl Iterator<Item = &'a Finding>,
) -> Result<(), ArrowError> {
    replace(dir, FINDINGS, |file| {
        let mut writer = FileWriter::try_new(file, &schema())?;
        for batch in batches(found) {
            writer.write(&batch?)?;
        }
        writer.finish()?;
        writer.into_inner()
    })
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
