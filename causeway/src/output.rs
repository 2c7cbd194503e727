//! What people see: lines on standard output, errors and logs on standard error.

use std::io::Write;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Prints a line for the user. A closed pipe is not an error worth stopping for.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints an error line.
pub(crate) fn error(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Libraries whose information is about themselves; a filter that names them wins.
const QUIET_LIBRARIES: &str = "buoyant_kernel=warn,deltalake_core=warn,datafusion=warn";

/// Sends structured logs to standard error. Commands that are not servers only tell of trouble.
pub(crate) fn start_logging(config: &Config, is_server: bool) -> Result<()> {
    let level = if is_server { config.log_level.as_str() } else { "warn" };
    let filter = EnvFilter::try_new(format!("{QUIET_LIBRARIES},{level}"))
        .with_context(|| format!("setting log-level: {level:?} is not a log filter"))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Json => logs.json().try_init(),
        LogFormat::Text => logs.with_ansi(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))
}
