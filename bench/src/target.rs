//! What the benchmarks of a filled folder have in common.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::figures::Figures;
use crate::http::Client;
use crate::manifest::Manifest;
use crate::server::{Launch, Server};

/// Which server, on which folder.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// The Causeway to start, on free ports
    #[arg(long)]
    pub(crate) bin: PathBuf,
    /// A folder made by `fill`
    #[arg(long)]
    pub(crate) data_dir: PathBuf,
    /// More arguments for the started server
    #[arg(last = true)]
    pub(crate) server_args: Vec<String>,
}

impl TargetArgs {
    pub(crate) fn scratch_dir(&self) -> PathBuf {
        env::temp_dir()
    }

    pub(crate) fn launch<'a>(&'a self, scratch_dir: &'a Path) -> Launch<'a> {
        Launch {
            bin: &self.bin,
            data_dir: Some(&self.data_dir),
            scratch_dir,
            extra: &self.server_args,
        }
    }

    /// Starts the server, measures, stops it; the report as Markdown.
    pub(crate) fn report(
        &self,
        title: &str,
        measure: impl FnOnce(&Target) -> Result<Figures>,
    ) -> Result<String> {
        let figures = measured(self.launch(&self.scratch_dir()), measure)?;
        Ok(figures.report(title, &self.data_dir))
    }
}

/// Starts a server on a filled folder, measures, and stops it.
pub(crate) fn measured(
    launch: Launch<'_>,
    measure: impl FnOnce(&Target) -> Result<Figures>,
) -> Result<Figures> {
    let server = Server::start(launch)?;
    let manifest = Manifest::read(server.data_dir())?;
    let mut target = Target { server, manifest };
    let mut figures = Figures::default();
    figures.count("spans in the folder", target.manifest.spans);
    figures.ms("ready after", target.server.ready_after);
    figures.extend(measure(&target)?);
    let stopped = target.server.stop()?;
    figures.add("peak memory, MB", stopped.peak_resident_bytes as f64 / 1e6, 0);
    Ok(figures)
}

/// A server that runs on a filled folder.
pub(crate) struct Target {
    pub(crate) server: Server,
    pub(crate) manifest: Manifest,
}

impl Target {
    /// A connection to the API.
    pub(crate) fn client(&self) -> Client<'_> {
        Client::new(&self.server.http)
    }
}

/// The rows of a statement.
pub(crate) fn sql(client: &mut Client<'_>, statement: &str) -> Result<Vec<Value>> {
    let answer = client.post_text("/api/v1/sql", statement)?;
    if answer.status != 200 {
        bail!("{statement}: {}", String::from_utf8_lossy(&answer.body));
    }
    let mut json: Value = serde_json::from_slice(&answer.body)?;
    match json.get_mut("rows").map(Value::take) {
        Some(Value::Array(rows)) => Ok(rows),
        _ => bail!("no rows in the answer to {statement}"),
    }
}

/// A whole number in a row.
pub(crate) fn integer(row: &Value, column: usize) -> Result<u64> {
    row.get(column).and_then(Value::as_u64).with_context(|| format!("no number in {row}"))
}
