//! Serves gRPC; calls nobody.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tower::util::option_layer;

use crate::process::{Process, extract_headers};
use crate::{listen, told_to_end};

#[derive(Debug)]
struct Stock {
    process: Arc<Process>,
}

#[tonic::async_trait]
impl TraceService for Stock {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let headers = request.metadata().clone().into_headers();
        let cx = self.process.start("Stock/Reserve", SpanKind::Server, &extract_headers(&headers));
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.process.end(&cx, [KeyValue::new("rpc.grpc.status_code", 0)]);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Serves until told to end.
pub(crate) async fn serve(process: Arc<Process>) -> anyhow::Result<()> {
    let layer = process.server_layer();
    let service = TraceServiceServer::new(Stock { process });
    let listener = listen().await?;
    tonic::transport::Server::builder()
        .layer(option_layer(layer))
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), told_to_end())
        .await?;
    Ok(())
}
