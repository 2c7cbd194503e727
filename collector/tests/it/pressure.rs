//! Limits that are reached for now: senders are told when to come back, and nothing stays held.

use std::time::Duration;

use causeway_collector::CollectorSettings;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{
    EXPORT, Outcome, PROTOBUF, Server, frame, post_head, read_reply, request, span, start_with,
};

/// One request may take all there is.
fn tight() -> CollectorSettings {
    CollectorSettings {
        request_bytes_max: 1 << 20,
        inflight_bytes_max: 1 << 20,
        ..CollectorSettings::default()
    }
}

/// Sends most of a large body and waits until the collector holds it.
async fn hold(server: &Server) -> Outcome<TcpStream> {
    let mut stream = TcpStream::connect(server.http).await?;
    let bytes = 1 << 20;
    stream.write_all(&post_head("/v1/traces", PROTOBUF, &[], bytes)).await?;
    stream.write_all(&vec![0; bytes - 1]).await?;
    while server.metric("collector_inflight_bytes")? < bytes as f64 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(stream)
}

#[tokio::test]
async fn overload_tells_both_protocols_when_to_retry() -> Outcome {
    let server = start_with(tight()).await?;
    let body = request([span(1, 1)]);
    let held = hold(&server).await?;

    let reply = server.post(PROTOBUF, &[], &body).await?;
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")));
    let status = reply.rpc_status()?;
    assert_eq!(status.code, 14);
    assert!(status.message.contains("inflight_bytes_max is reached (1048576)"));

    let reply = server.call(EXPORT, &[], frame(&body)).await?;
    assert_eq!((reply.status, reply.grpc_status()), (200, Some(14)));
    let detail = reply.rpc_status()?.details.pop().ok_or("no RetryInfo")?;
    assert_eq!(detail.type_url, "type.googleapis.com/google.rpc.RetryInfo");
    assert_eq!(detail.value, [0x0a, 2, 0x08, 1], "a delay of one second");

    drop(held);
    while server.metric("collector_inflight_bytes")? > 0.0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    server.assert_works().await
}

#[tokio::test]
async fn announced_bytes_hold_nothing() -> Outcome {
    let server = start_with(tight()).await?;
    let mut idle = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(server.http).await?;
        stream.write_all(&post_head("/v1/traces", PROTOBUF, &[], 1 << 20)).await?;
        idle.push(stream);
    }
    server.assert_works().await
}

#[tokio::test]
async fn slow_body_is_given_up() -> Outcome {
    let settings = CollectorSettings {
        body_timeout: Duration::from_millis(100),
        ..CollectorSettings::default()
    };
    let server = start_with(settings).await?;
    let mut stream = TcpStream::connect(server.http).await?;
    stream.write_all(&post_head("/v1/traces", PROTOBUF, &[], 100)).await?;
    stream.write_all(b"a few bytes").await?;
    let reply = read_reply(&mut stream).await?;
    assert_eq!(reply.status, 408);
    assert!(reply.rpc_status()?.message.contains("body_timeout (0.1 s)"));
    server.assert_works().await
}

#[tokio::test]
async fn sender_that_hangs_up_holds_nothing() -> Outcome {
    let server = start_with(tight()).await?;
    for _ in 0..3 {
        drop(hold(&server).await?);
        while server.metric("collector_inflight_bytes")? > 0.0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    server.assert_works().await
}
