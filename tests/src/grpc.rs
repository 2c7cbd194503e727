//! One OTLP/gRPC call, for its status.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};

/// Sends a request and returns the gRPC status code: 0 is stored, 14 is UNAVAILABLE.
///
/// # Errors
/// No answer came within 30 s, or it has no status.
pub fn export(address: &str, request: &[u8]) -> Result<u32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let limit = Duration::from_secs(30);
    runtime.block_on(async { tokio::time::timeout(limit, call(address, request)).await })?
}

async fn call(address: &str, message: &[u8]) -> Result<u32> {
    let length = u32::try_from(message.len())?.to_be_bytes();
    let frame = [&[0], length.as_slice(), message].concat();
    let path = "opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let request = http::Request::post(format!("http://{address}/{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from(frame)))?;
    let stream = tokio::net::TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let trailers = body.collect().await?.trailers().cloned().unwrap_or_default();
    let status = parts.headers.get("grpc-status").or_else(|| trailers.get("grpc-status"));
    Ok(status.context("no grpc-status")?.to_str()?.parse()?)
}
