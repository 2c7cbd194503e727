//! A collector on free ports with a store in a temporary folder, and clients for it.

use std::error::Error;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use causeway_clock::{Clock as HybridClock, ClockSettings, NodeId, Reading};
use causeway_collector::{Clock, Collector, CollectorSettings};
use causeway_store::{Store, StoreSettings};
use causeway_testkit::proto::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prometheus_client::registry::Registry;
use prost::Message;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(crate) const PROTOBUF: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";

/// What the hybrid clock of every collector begins with; its wall clock stands still.
pub(crate) const NODE: NodeId = NodeId(NonZeroU64::new(0xc011).expect("not zero"));
pub(crate) const WALL_NS: i64 = 1_700_000_000_000_000_000;

/// A running collector.
pub(crate) struct Server {
    pub(crate) collector: Collector,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) store: Store,
    registry: Registry,
    _dir: TempDir,
}

/// Starts a collector with default settings.
pub(crate) async fn start() -> Outcome<Server> {
    start_with(CollectorSettings::default()).await
}

pub(crate) async fn start_with(settings: CollectorSettings) -> Outcome<Server> {
    let dir = TempDir::new()?;
    let mut registry = Registry::default();
    let time = AtomicI64::new(1_700_000_000_000_000_000);
    let clock: Clock = Arc::new(move || time.fetch_add(1, Ordering::Relaxed));
    let store_settings = StoreSettings::new(dir.path().to_owned(), Arc::clone(&clock));
    let store = Store::open(store_settings, &mut registry).await?;
    let hlc = Arc::new(HybridClock::new(ClockSettings {
        readings: Arc::new(|| Reading { wall_ns: WALL_NS, monotonic_ns: 0 }),
        node_ids: Arc::new(|| NODE),
        ..ClockSettings::default()
    }));
    let collector = Collector::new(store.clone(), settings, clock, hlc, &mut registry);
    let http = serve(collector.http_router()).await?;
    let grpc = serve(collector.grpc_router()).await?;
    Ok(Server { collector, http, grpc, store, registry, _dir: dir })
}

async fn serve(router: Router) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

impl Server {
    /// Spans anyone can query now.
    pub(crate) async fn stored_spans(&self) -> Outcome<usize> {
        let snapshot = self.store.snapshot().await?;
        let flushed: u64 = snapshot.files.iter().map(|file| file.rows).sum();
        let recent: usize = snapshot.recent.iter().map(|batch| batch.num_rows()).sum();
        Ok(usize::try_from(flushed)? + recent)
    }

    /// The value of one metric line, by its beginning.
    pub(crate) fn metric(&self, line_start: &str) -> Outcome<f64> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        let line = text.lines().find(|line| line.starts_with(line_start));
        let value = line.and_then(|line| line.rsplit(' ').next());
        Ok(value.ok_or_else(|| format!("no metric {line_start} in\n{text}"))?.parse()?)
    }

    /// Sends a good request over both protocols and expects it to be stored.
    pub(crate) async fn assert_works(&self) -> Outcome {
        let before = self.stored_spans().await?;
        let seed = u8::try_from(before % 200)? + 50;
        let reply = self.post(PROTOBUF, &[], &request([span(seed, 1)])).await?;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let reply = self.call(EXPORT, &[], frame(&request([span(seed, 2)]))).await?;
        assert_eq!(reply.grpc_status(), Some(0), "{reply:?}");
        assert_eq!(self.stored_spans().await?, before + 2);
        Ok(())
    }

    /// `POST /v1/traces`.
    pub(crate) async fn post(
        &self,
        content_type: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Outcome<Reply> {
        let mut request = post_head("/v1/traces", content_type, headers, body.len());
        request.extend_from_slice(body);
        http1(self.http, request).await
    }

    /// A unary gRPC call with `body` as it is on the wire.
    pub(crate) async fn call(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Outcome<Reply> {
        let mut request = http::Request::post(format!("http://{}{path}", self.grpc));
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/grpc");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let stream = TcpStream::connect(self.grpc).await?;
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
        let (parts, body) = response.into_parts();
        let collected = body.collect().await?;
        let trailers = collected.trailers().cloned().unwrap_or_default();
        let body = collected.to_bytes();
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, trailers, body })
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).or_else(|| self.trailers.get(name))?.to_str().ok()
    }

    pub(crate) fn grpc_status(&self) -> Option<u32> {
        self.header("grpc-status")?.parse().ok()
    }

    /// The `google.rpc.Status` of a refused request, whatever the protocol.
    pub(crate) fn rpc_status(&self) -> Outcome<RpcStatus> {
        use base64::Engine;
        if let Some(details) = self.header("grpc-status-details-bin") {
            let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(details)?;
            return Ok(RpcStatus::decode(bytes.as_slice())?);
        }
        if self.header("content-type") == Some(PROTOBUF) {
            return Ok(RpcStatus::decode(self.body.clone())?);
        }
        let json: serde_json::Value = serde_json::from_slice(&self.body)?;
        let code = json["code"].as_i64().ok_or("no code")?;
        let message = json["message"].as_str().ok_or("no message")?.to_owned();
        Ok(RpcStatus { code: i32::try_from(code)?, message, details: Vec::new() })
    }

    /// The message of a gRPC answer.
    pub(crate) fn response(&self) -> Outcome<ExportTraceServiceResponse> {
        Ok(ExportTraceServiceResponse::decode(self.body.get(5..).ok_or("no frame")?)?)
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Detail>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Detail {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

pub(crate) fn post_head(
    path: &str,
    content_type: &str,
    headers: &[(&str, &str)],
    body_bytes: usize,
) -> Vec<u8> {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
         Content-Type: {content_type}\r\nContent-Length: {body_bytes}\r\n"
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Sends bytes as they are and reads one answer; the server must close or give a length.
pub(crate) async fn http1(address: SocketAddr, request: Vec<u8>) -> Outcome<Reply> {
    let stream = TcpStream::connect(address).await?;
    let (mut reader, mut writer) = stream.into_split();
    // The answer may come before all is sent.
    let sending = tokio::spawn(async move {
        let sent = writer.write_all(&request).await;
        (writer, sent)
    });
    let reply = tokio::time::timeout(Duration::from_secs(60), read_reply(&mut reader)).await??;
    sending.abort();
    Ok(reply)
}

/// Reads one HTTP/1.1 answer.
pub(crate) async fn read_reply(reader: &mut (impl AsyncReadExt + Unpin)) -> Outcome<Reply> {
    let mut received = Vec::new();
    loop {
        let head_end = received.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = head_end {
            let head = String::from_utf8(received.drain(..end + 4).collect())?;
            let mut lines = head.lines();
            let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status")?;
            let status = StatusCode::from_bytes(status.as_bytes())?.as_u16();
            let mut headers = HeaderMap::new();
            for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
                headers.append(http::HeaderName::try_from(name)?, value.parse()?);
            }
            if status == 100 {
                continue;
            }
            let length = headers.get("content-length").and_then(|v| v.to_str().ok()?.parse().ok());
            let length: usize = length.unwrap_or(0);
            while received.len() < length {
                if reader.read_buf(&mut received).await? == 0 {
                    return Err("the answer ends early".into());
                }
            }
            let trailers = HeaderMap::new();
            return Ok(Reply { status, headers, trailers, body: Bytes::from(received) });
        }
        if reader.read_buf(&mut received).await? == 0 {
            return Err("the connection closed without an answer".into());
        }
    }
}

/// A span whose ids are made of two bytes.
pub(crate) fn span(trace: u8, id: u8) -> Span {
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        name: format!("span {id}"),
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_000_000_100,
        ..Span::default()
    }
}

pub(crate) fn request(spans: impl IntoIterator<Item = Span>) -> Vec<u8> {
    let scope_spans = ScopeSpans { spans: spans.into_iter().collect(), ..ScopeSpans::default() };
    let resource_spans =
        ResourceSpans { scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode_to_vec()
}

/// OTLP/JSON with one span of these ids.
pub(crate) fn json_request(trace_id: &str, span_id: &str) -> String {
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[
            {{"traceId":"{trace_id}","spanId":"{span_id}","name":"json"}}]}}]}}]}}"#
    )
}

/// An uncompressed gRPC message.
pub(crate) fn frame(message: &[u8]) -> Vec<u8> {
    flagged_frame(0, message)
}

pub(crate) fn flagged_frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[flag], length.as_slice(), message].concat()
}

pub(crate) fn gzip(data: &[u8]) -> Outcome<Vec<u8>> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data)?;
    Ok(encoder.finish()?)
}

pub(crate) fn zstd(data: &[u8]) -> Outcome<Vec<u8>> {
    Ok(zstd::encode_all(data, 1)?)
}
