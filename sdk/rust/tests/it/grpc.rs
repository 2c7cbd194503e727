//! Response stamps over gRPC: a tonic server and a tonic client. The service is OTLP's own, because
//! its code is at hand.

use std::sync::Arc;

use causeway_hlc::Stamp;
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::net::TcpListener;
use tonic::metadata::{Ascii, MetadataKey};
use tonic::transport::Endpoint;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tower::Layer as _;

use crate::process::{Headers, MS, Process, START_NS, Tested};

const A: &str = "a11ce00000000001";
const B: &str = "b0b0000000000001";

#[derive(Debug)]
struct Server {
    process: Arc<Process>,
    fails: bool,
}

#[tonic::async_trait]
impl TraceService for Server {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let list = request.metadata().get("tracestate").and_then(|value| value.to_str().ok());
        let parent = request.metadata().get("traceparent").and_then(|value| value.to_str().ok());
        let headers: Headers = [("tracestate", list), ("traceparent", parent)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        self.process.start("server", &self.process.extract(&headers)).span().end();
        if self.fails {
            return Err(Status::resource_exhausted("later"));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test]
async fn tonic_client_and_server() -> Tested {
    for fails in [false, true] {
        let b = Arc::new(Process::usual(B)?);
        b.set(START_NS + 300 * MS);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let service = TraceServiceServer::new(Server { process: Arc::clone(&b), fails });
        let router =
            tonic::transport::Server::builder().layer(b.hlc.server_layer()).add_service(service);
        tokio::spawn(router.serve_with_incoming(TcpIncoming::from(listener)));

        let a = Process::usual(A)?;
        let cx = a.start("client", &Context::new());
        let channel = Endpoint::try_from(format!("http://{address}"))?.connect().await?;
        let mut client = TraceServiceClient::new(a.hlc.client_layer().layer(channel));
        let mut request = Request::new(ExportTraceServiceRequest::default());
        for (name, value) in a.inject(&cx) {
            let name: MetadataKey<Ascii> = name.parse()?;
            request.metadata_mut().insert(name, value.parse()?);
        }
        request.extensions_mut().insert(cx.clone());
        let answer = client.export(request).await;
        cx.span().end();
        assert_eq!(answer.is_err(), fails, "{answer:?}");
        let metadata = match &answer {
            Ok(response) => response.metadata(),
            Err(status) => status.metadata(),
        };
        assert!(metadata.get("server-timing").is_none(), "metadata, not the header of HTTP");
        assert!(metadata.get("hlc").is_some());

        let (client, served) = (a.tags("client")?, b.tags("server")?);
        let response: Stamp = client["hlc.resp"][0].parse()?;
        let (served_end, end) =
            (served["hlc.end"][0].parse::<Stamp>()?, client["hlc.end"][0].parse::<Stamp>()?);
        assert_eq!(response.node, served_end.node);
        assert!(served_end.hlc < response.hlc && response.hlc < end.hlc);
    }
    Ok(())
}
