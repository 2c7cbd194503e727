//! `causeway verify`: says whether everything acknowledged is in order.

use std::process::ExitCode;

use anyhow::{Result, bail};
use causeway_store::Severity;

use crate::config::Config;
use crate::output;

/// Exit status 0: sound. 1: something acknowledged is damaged.
pub(crate) async fn run(config: &Config) -> Result<ExitCode> {
    if !config.data_dir.exists() {
        bail!("there is no data folder {}; name it with --data-dir", config.data_dir.display());
    }
    let report = causeway_store::verify(&config.data_dir).await?;
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Info => "note",
            Severity::Error => "DAMAGE",
        };
        output::line(&format!("{severity}: {}: {}", finding.place, finding.what));
    }
    output::line(&format!(
        "{}: {} spans in {} files of the table, {} requests in the log",
        if report.is_sound() { "sound" } else { "damaged" },
        report.table_spans,
        report.table_files,
        report.log_requests,
    ));
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
