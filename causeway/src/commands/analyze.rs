//! `causeway analyze`: looks at the traces of the past again, as after a rule of findings changed.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use causeway_query::Query;
use indicatif::{ProgressBar, ProgressStyle};
use prometheus_client::registry::Registry;
use serde::Deserialize;

use super::open::{Answering, answering, http_agent};
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
    let mut registry = Registry::default();
    let traces = match answering(config, server, &mut registry).await? {
        Answering::Server(url) => ask_server(url, since.to_owned(), bar.clone()).await?,
        Answering::Here(store) => {
            let query = Query::new(store, config.query.clone(), &mut registry)?;
            query.analyze(since, |done, traces| show(&bar, done, traces)).await?
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
    let url = format!("{url}/api/v1/findings/analyze");
    tokio::task::spawn_blocking(move || {
        let agent = http_agent();
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
