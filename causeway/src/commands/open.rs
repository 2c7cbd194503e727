//! Opening a data folder for the commands that work on one.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use causeway_clock::{Clock as HybridClock, ClockSettings, NewNode};
use causeway_store::{Clock, Store, StoreError, StoreSettings};
use prometheus_client::registry::Registry;

use crate::addresses::Addresses;
use crate::config::Config;

/// The system's clock.
pub(crate) fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// The hybrid logical clock of this process.
pub(crate) fn hybrid_clock() -> Arc<HybridClock> {
    let on_new_node = |change: NewNode| {
        let NewNode { node, previous, cause } = change;
        tracing::warn!(%node, %previous, ?cause, "the clock of this machine was changed");
    };
    Arc::new(HybridClock::new(ClockSettings {
        on_new_node: Some(Arc::new(on_new_node)),
        ..ClockSettings::default()
    }))
}

/// A folder that can be read here, or one that a running server holds.
pub(crate) enum Opened {
    Here(Store),
    InUse,
}

/// Opens the data folder unless a running server holds it.
pub(crate) async fn open(config: &Config, registry: &mut Registry) -> Result<Opened> {
    open_with(config, config.store(system_clock()), registry).await
}

/// As [`open`], for commands that only read: a folder that is not there is an error, and files are
/// neither merged nor deleted.
pub(crate) async fn open_existing(config: &Config, registry: &mut Registry) -> Result<Opened> {
    if !config.data_dir.exists() {
        bail!("there is no data folder {}; name it with --data-dir", config.data_dir.display());
    }
    let settings = StoreSettings { maintenance: false, ..config.store(system_clock()) };
    open_with(config, settings, registry).await
}

async fn open_with(
    config: &Config,
    settings: StoreSettings,
    registry: &mut Registry,
) -> Result<Opened> {
    match Store::open(settings, registry).await {
        Ok(store) => Ok(Opened::Here(store)),
        Err(StoreError::InUse { .. }) => Ok(Opened::InUse),
        Err(error) => Err(error).with_context(|| config.data_dir.display().to_string()),
    }
}

/// What answers a question: a server, or the folder itself.
pub(crate) enum Answering {
    /// Base of the HTTP API, such as `http://127.0.0.1:8317`.
    Server(String),
    Here(Store),
}

/// The server that is named, or the one that holds the data folder, or the folder if nobody does.
pub(crate) async fn answering(
    config: &Config,
    server: Option<String>,
    registry: &mut Registry,
) -> Result<Answering> {
    if let Some(url) = server {
        return Ok(Answering::Server(url.trim_end_matches('/').to_owned()));
    }
    Ok(match open_existing(config, registry).await? {
        Opened::InUse => {
            Answering::Server(format!("http://{}", Addresses::read(&config.data_dir)?.http))
        }
        Opened::Here(store) => Answering::Here(store),
    })
}

/// Sends requests; answers of all statuses come back.
pub(crate) fn http_agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}
