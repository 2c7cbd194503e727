//! `causeway analyze`: looks at the traces of the past again, as after a rule of findings changed.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use causeway_query::Query;
use indicatif::{ProgressBar, ProgressStyle};
use prometheus_client::registry::Registry;
use serde::Deserialize;

use super::open::{Opened, open_existing};
use crate::addresses::Addresses;
use crate::config::Config;
use crate::output;

/// Time between two questions how far a server is.
const POLL: Duration = Duration::from_millis(500);

/// Steps of the progress bar.
const STEPS: f64 = 1_000.0;

#[derive(Debug, Deserialize)]
struct Progress {
    is_running: bool,
    traces: u64,
    done: f64,
}

pub(crate) async fn run(config: &Config, since: &str, server: Option<String>) -> Result<ExitCode> {
    let style = ProgressStyle::with_template("{bar:40} {percent} % {msg} {eta}")?;
    let bar = ProgressBar::new(STEPS as u64).with_style(style);
    let traces = match server {
        Some(url) => ask_server(url, since.to_owned(), bar.clone()).await?,
        None => {
            let mut registry = Registry::default();
            match open_existing(config, &mut registry).await? {
                Opened::InUse => {
                    let url = format!("http://{}", Addresses::read(&config.data_dir)?.http);
                    ask_server(url, since.to_owned(), bar.clone()).await?
                }
                Opened::Here(store) => {
                    let query = Query::new(store, config.query.clone(), &mut registry)?;
                    query.analyze(since, |done, traces| show(&bar, done, traces)).await?
                }
            }
        }
    };
    bar.finish_and_clear();
    output::line(&format!(
        "looked at {traces} traces; see the page of findings, or\n  \
         causeway sql \"SELECT detector, severity, count(*) FROM findings GROUP BY 1, 2 ORDER BY 3 DESC\""
    ));
    Ok(ExitCode::SUCCESS)
}

fn show(bar: &ProgressBar, done: f64, traces: u64) {
    bar.set_position((done * STEPS) as u64);
    bar.set_message(format!("{traces} traces"));
}

async fn ask_server(url: String, since: String, bar: ProgressBar) -> Result<u64> {
    let url = format!("{}/api/v1/findings/analyze", url.trim_end_matches('/'));
    tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let body = serde_json::json!({ "since": since }).to_string();
        let started = agent.post(&url).header("Content-Type", "application/json").send(&body);
        let mut progress = read(started.with_context(|| format!("cannot reach {url}"))?, &url)?;
        while progress.is_running {
            show(&bar, progress.done, progress.traces);
            std::thread::sleep(POLL);
            progress = read(agent.get(&url).call()?, &url)?;
        }
        Ok(progress.traces)
    })
    .await?
}

fn read(mut response: ureq::http::Response<ureq::Body>, url: &str) -> Result<Progress> {
    let text = response.body_mut().read_to_string()?;
    if !response.status().is_success() {
        bail!("{url} answered {}: {text}", response.status());
    }
    Ok(serde_json::from_str(&text)?)
}
