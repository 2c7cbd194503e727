//! `causeway serve`: collector, query and web UI in one process.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::Router;
use causeway_collector::Collector;
use causeway_query::Query;
use causeway_store::Store;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower_http::compression::CompressionLayer;

use super::open::{Opened, hybrid_clock, open, system_clock};
use crate::addresses::Addresses;
use crate::config::Config;
use crate::{listen, operations, output, upload};

/// Runs until SIGTERM or SIGINT, then drains, flushes and ends.
pub(crate) async fn run(config: Config) -> Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    raise_file_limit();
    let listeners = Listeners::bind(&config).await?;
    let mut registry = Registry::default();
    let Opened::Here(store) = open(&config, &mut registry).await? else {
        bail!("another causeway process uses {}", config.data_dir.display());
    };

    let (stop, stopped) = watch::channel(false);
    let addresses = listeners.addresses()?;
    let servers = start(listeners, &config, store.clone(), registry, &stopped)?;
    addresses.write(&config.data_dir)?;
    welcome(&config, &addresses);

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new requests are taken");
    stop.send_replace(true);
    servers.join_all().await;
    store.close(config.shutdown_timeout).await?;
    Addresses::remove(&config.data_dir);
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Bound sockets.
struct Listeners {
    otlp_grpc: TcpListener,
    otlp_http: TcpListener,
    http: TcpListener,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self> {
        Ok(Self {
            otlp_grpc: bind("otlp-grpc-addr", config.otlp_grpc_addr).await?,
            otlp_http: bind("otlp-http-addr", config.otlp_http_addr).await?,
            http: bind("http-addr", config.http_addr).await?,
        })
    }

    fn addresses(&self) -> Result<Addresses> {
        Ok(Addresses {
            otlp_grpc: self.otlp_grpc.local_addr()?,
            otlp_http: self.otlp_http.local_addr()?,
            http: self.http.local_addr()?,
        })
    }
}

async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, setting, "listens beyond this machine without authentication");
    }
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; choose another address with --{setting}")
    })
}

fn start(
    listeners: Listeners,
    config: &Config,
    store: Store,
    mut registry: Registry,
    stopped: &watch::Receiver<bool>,
) -> Result<JoinSet<()>> {
    let collector = Collector::new(
        store.clone(),
        config.collector.clone(),
        system_clock(),
        hybrid_clock(),
        &mut registry,
    );
    let query = Query::new(store.clone(), config.query.clone(), &mut registry)?;
    let site = Router::new()
        .nest("/api/v1", query.router())
        .merge(upload::router(collector.clone()))
        .merge(operations::router(store, registry))
        .merge(causeway_web::router())
        .fallback(causeway_web::no_page)
        .layer(CompressionLayer::new());
    let connections = Arc::new(Semaphore::new(config.connections_max));
    let mut servers = JoinSet::new();
    let mut stopping = stopped.clone();
    servers.spawn(query.watch_traces(async move {
        let _ = stopping.wait_for(|stopped| *stopped).await;
    }));
    for (listener, router) in [
        (listeners.otlp_grpc, collector.grpc_router()),
        (listeners.otlp_http, collector.http_router()),
        (listeners.http, site),
    ] {
        servers.spawn(listen::serve(listener, router, Arc::clone(&connections), stopped.clone()));
    }
    Ok(servers)
}

/// Tells a newcomer the three addresses.
fn welcome(config: &Config, addresses: &Addresses) {
    output::line(&format!(
        "Causeway is running; spans are kept in {}\n\
         \n\
         \x20 send spans   OTLP/gRPC  http://{}\n\
         \x20              OTLP/HTTP  http://{}\n\
         \x20 look         http://{}\n",
        config.data_dir.display(),
        addresses.otlp_grpc,
        addresses.otlp_http,
        addresses.http,
    ));
}

/// Thousands of connections need more descriptors than the usual soft limit.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
