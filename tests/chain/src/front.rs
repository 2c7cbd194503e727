//! Calls `orders` over HTTP; the traces begin here.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::body::Body;
use http::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::Error;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue};
use tower::layer::Layer as _;
use tower::util::option_layer;
use tower::{Service, ServiceExt as _};

use crate::Settings;
use crate::process::{Process, inject_headers};

/// Sends all requests.
pub(crate) async fn run(settings: &Settings, process: Arc<Process>) -> anyhow::Result<()> {
    let orders = settings.orders.context("front needs --orders")?;
    let uri = format!("http://{orders}/orders");
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let client = option_layer(process.client_layer()).layer(client);
    let lanes = settings.concurrency.max(1);
    let mut running = tokio::task::JoinSet::new();
    for lane in 0..lanes {
        let (process, client, uri) = (Arc::clone(&process), client.clone(), uri.clone());
        let requests = settings.requests / lanes + u32::from(lane < settings.requests % lanes);
        let pause = Duration::from_millis(settings.pause_ms);
        running.spawn(async move {
            for _ in 0..requests {
                checkout(&process, client.clone(), &uri).await?;
                tokio::time::sleep(pause).await;
            }
            anyhow::Ok(())
        });
    }
    while let Some(lane) = running.join_next().await {
        lane??;
    }
    Ok(())
}

async fn checkout<S, B>(process: &Process, client: S, uri: &str) -> anyhow::Result<()>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Error>,
{
    let root = process.start("checkout", SpanKind::Internal, &Context::new());
    let cx = process.start("POST", SpanKind::Client, &root);
    let mut request = Request::post(uri).extension(cx.clone()).body(Body::empty())?;
    request.headers_mut().extend(inject_headers(&cx)?);
    let response = client.oneshot(request).await?;
    let status = response.status();
    process.end(&cx, [KeyValue::new("http.response.status_code", i64::from(status.as_u16()))]);
    process.end(&root, []);
    ensure!(status.is_success(), "orders answered {status}");
    Ok(())
}
