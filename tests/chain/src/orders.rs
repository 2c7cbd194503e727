//! Serves HTTP, calls `stock` over gRPC, and sends a message to `worker`.
//!
//! The message carries two contexts: that of the order, in which it is processed, made before
//! `stock` is called; and that of the span that sent it, to which the one that processes it links.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use tonic::Request;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tower::layer::Layer as _;
use tower::util::option_layer;

use crate::process::{Process, extract_headers, inject, inject_headers};
use crate::queue::{Message, Queue};
use crate::{Settings, listen, told_to_end};

/// What handlers share.
#[derive(Debug)]
struct Orders {
    process: Arc<Process>,
    stock: Channel,
    queue: Queue,
}

/// Serves until told to end.
pub(crate) async fn serve(settings: &Settings, process: Arc<Process>) -> anyhow::Result<()> {
    let stock = settings.stock.context("orders needs --stock")?;
    let worker = settings.worker.context("orders needs --worker")?;
    let (queue, sending) = Queue::open(worker).await?;
    let stock = Endpoint::try_from(format!("http://{stock}"))?.connect().await?;
    let layer = process.server_layer();
    let router = Router::new()
        .route("/orders", post(order))
        .with_state(Arc::new(Orders { process, stock, queue }))
        .layer(option_layer(layer));
    let listener = listen().await?;
    axum::serve(listener, router).with_graceful_shutdown(told_to_end()).await?;
    // Ends when the last message is sent: the queue went with the router.
    sending.await?
}

async fn order(State(orders): State<Arc<Orders>>, headers: HeaderMap) -> StatusCode {
    let process = &orders.process;
    let server = process.start("POST /orders", SpanKind::Server, &extract_headers(&headers));
    let order = inject(&server);
    let reserved = reserve(process, orders.stock.clone(), &server).await;
    let producer = process.start("orders send", SpanKind::Producer, &server);
    let sent = orders.queue.send(&Message { order, sender: inject(&producer) });
    process.end(&producer, [KeyValue::new("messaging.operation.type", "send")]);
    let status = match reserved.and(sent) {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::BAD_GATEWAY,
    };
    process.end(&server, [KeyValue::new("http.response.status_code", i64::from(status.as_u16()))]);
    status
}

/// The service is OTLP's own, because its code is at hand; what it carries does not matter.
async fn reserve(process: &Process, stock: Channel, parent: &Context) -> anyhow::Result<()> {
    let cx = process.start("Stock/Reserve", SpanKind::Client, parent);
    let channel = option_layer(process.client_layer()).layer(stock);
    let mut request = Request::new(ExportTraceServiceRequest::default());
    *request.metadata_mut() = MetadataMap::from_headers(inject_headers(&cx)?);
    request.extensions_mut().insert(cx.clone());
    request.set_timeout(Duration::from_secs(30));
    let answer = TraceServiceClient::new(channel).export(request).await;
    let code = answer.as_ref().err().map_or(0, |status| i64::from(status.code() as i32));
    process.end(&cx, [KeyValue::new("rpc.grpc.status_code", code)]);
    answer.map(drop).context("reserve")
}
