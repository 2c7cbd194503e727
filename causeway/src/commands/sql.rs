//! `causeway sql`: a query against a data folder or a running server.

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use causeway_query::Query;
use causeway_query::format::{Format, Options};
use prometheus_client::registry::Registry;

use super::open::{Answering, answering, http_agent};
use crate::config::Config;

pub(crate) async fn run(
    config: &Config,
    statement: &str,
    format: &str,
    server: Option<String>,
) -> Result<ExitCode> {
    let format: Format = format.parse().map_err(|message: String| anyhow::anyhow!(message))?;
    let statement = match statement {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
            text
        }
        text => text.to_owned(),
    };
    let mut registry = Registry::default();
    match answering(config, server, &mut registry).await? {
        Answering::Server(url) => ask_server(&url, statement, format).await,
        Answering::Here(store) => {
            let query = Query::new(store, config.query.clone(), &mut registry)?;
            let batches = query.sql(&statement).await?;
            let rows_max = (format == Format::Json).then_some(config.query.json_rows_max);
            let options = Options { rows_max, ..Options::default() };
            causeway_query::format::write(batches, format, options, &mut std::io::stdout()).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn ask_server(url: &str, statement: String, format: Format) -> Result<ExitCode> {
    let url = format!("{url}/api/v1/sql");
    tokio::task::spawn_blocking(move || {
        let mut response = http_agent()
            .post(&url)
            .header("Accept", format.content_type())
            .header("Content-Type", "application/sql")
            .send(&statement)
            .with_context(|| format!("cannot reach {url}"))?;
        let is_success = response.status().is_success();
        let mut body = response.body_mut().as_reader();
        if !is_success {
            let mut text = String::new();
            body.read_to_string(&mut text)?;
            bail!("{url} answered {}: {text}", response.status());
        }
        let mut out = std::io::stdout().lock();
        std::io::copy(&mut body, &mut out)?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    })
    .await?
}
