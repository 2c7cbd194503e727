//! OTLP/gRPC over HTTP/2.

use crate::support::{
    EXPORT, Outcome, flagged_frame, frame, gzip, http1, request, span, start, zstd,
};

const INVALID_ARGUMENT: Option<u32> = Some(3);
const RESOURCE_EXHAUSTED: Option<u32> = Some(8);
const UNIMPLEMENTED: Option<u32> = Some(12);

#[tokio::test]
async fn export_is_stored() -> Outcome {
    let server = start().await?;
    let reply = server.call(EXPORT, &[], frame(&request([span(1, 1)]))).await?;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/grpc")));
    assert_eq!(reply.trailers.get("grpc-status").map(|v| v.as_bytes()), Some(b"0".as_slice()));
    assert_eq!(reply.response()?.partial_success, None);
    assert_eq!(server.stored_spans().await?, 1);
    Ok(())
}

#[tokio::test]
async fn compressed_messages_are_stored() -> Outcome {
    let server = start().await?;
    let messages = [
        ("gzip", flagged_frame(1, &gzip(&request([span(1, 1)]))?)),
        ("zstd", flagged_frame(1, &zstd(&request([span(1, 2)]))?)),
        ("identity", frame(&request([span(1, 3)]))),
        // A sender may leave single messages uncompressed.
        ("gzip", frame(&request([span(1, 4)]))),
    ];
    for (encoding, message) in messages {
        let reply = server.call(EXPORT, &[("grpc-encoding", encoding)], message).await?;
        assert_eq!(reply.grpc_status(), Some(0), "{encoding} {reply:?}");
    }
    assert_eq!(server.stored_spans().await?, 4);
    Ok(())
}

#[tokio::test]
async fn same_bytes_over_http_and_grpc_count_once() -> Outcome {
    let server = start().await?;
    let body = request([span(1, 1)]);
    let reply = server.call(EXPORT, &[], frame(&body)).await?;
    assert_eq!(reply.grpc_status(), Some(0));
    assert_eq!(server.post("application/x-protobuf", &[], &body).await?.status, 200);
    assert_eq!(server.stored_spans().await?, 1);
    Ok(())
}

#[tokio::test]
async fn empty_message_succeeds() -> Outcome {
    let server = start().await?;
    let reply = server.call(EXPORT, &[], frame(b"")).await?;
    assert_eq!(reply.grpc_status(), Some(0));
    Ok(())
}

#[tokio::test]
async fn partial_success_counts_exactly() -> Outcome {
    let server = start().await?;
    let reply = server.call(EXPORT, &[], frame(&request([span(0, 1), span(1, 1)]))).await?;
    assert_eq!(reply.grpc_status(), Some(0));
    let partial = reply.response()?.partial_success.ok_or("no partial success")?;
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("trace_id"));
    assert_eq!(server.stored_spans().await?, 1);
    Ok(())
}

#[tokio::test]
async fn other_signals_and_methods_are_unimplemented() -> Outcome {
    let server = start().await?;
    for (path, message) in [
        ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "traces only"),
        ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", "traces only"),
        ("/grpc.health.v1.Health/Check", "no such method"),
    ] {
        let reply = server.call(path, &[], frame(b"")).await?;
        assert_eq!((reply.status, reply.grpc_status()), (200, UNIMPLEMENTED), "{path}");
        assert!(reply.rpc_status()?.message.contains(message));
    }
    Ok(())
}

#[tokio::test]
async fn bad_frames_are_invalid() -> Outcome {
    let server = start().await?;
    let good = frame(&request([span(1, 1)]));
    let rows: [(&str, Vec<u8>, &str); 7] = [
        ("no frame", vec![], "ends before"),
        ("cut head", vec![0, 0, 0], "ends before"),
        ("cut message", good.get(..good.len() - 1).unwrap_or_default().to_vec(), "ends before"),
        ("two messages", [good.clone(), good.clone()].concat(), "more than one message"),
        ("bad flag", flagged_frame(7, b"x"), "starts with 0 or 1"),
        ("compressed without a name", flagged_frame(1, b"x"), "grpc-encoding"),
        ("garbage", frame(b"\xff\xff\xff"), "not an OTLP trace request"),
    ];
    for (name, body, message) in rows {
        let reply = server.call(EXPORT, &[], body).await?;
        assert_eq!((reply.status, reply.grpc_status()), (200, INVALID_ARGUMENT), "{name}");
        let status = reply.rpc_status()?;
        assert!(status.message.contains(message), "{name}: {}", status.message);
        assert!(status.details.is_empty(), "{name} must not be retried");
    }
    server.assert_works().await
}

#[tokio::test]
async fn message_that_announces_too_much_is_refused_before_it_is_read() -> Outcome {
    let server = start().await?;
    let mut body = vec![0];
    body.extend_from_slice(&((64u32 << 20) + 1).to_be_bytes());
    let reply = server.call(EXPORT, &[], body).await?;
    assert_eq!(reply.grpc_status(), RESOURCE_EXHAUSTED);
    let status = reply.rpc_status()?;
    assert!(status.message.contains("request_bytes_max (67108864 bytes)"), "{}", status.message);
    assert!(status.details.is_empty(), "RetryInfo would make exporters retry");
    server.assert_works().await
}

#[tokio::test]
async fn grpc_bomb_stops_at_the_limit() -> Outcome {
    let server = start().await?;
    let zeros = vec![0; 80 << 20];
    for (encoding, bomb) in [("gzip", gzip(&zeros)?), ("zstd", zstd(&zeros)?)] {
        let reply =
            server.call(EXPORT, &[("grpc-encoding", encoding)], flagged_frame(1, &bomb)).await?;
        assert_eq!(reply.grpc_status(), RESOURCE_EXHAUSTED, "{encoding}");
    }
    server.assert_works().await
}

#[tokio::test]
async fn unknown_compression_names_the_known_ones() -> Outcome {
    let server = start().await?;
    let headers = [("grpc-encoding", "snappy")];
    let reply = server.call(EXPORT, &headers, flagged_frame(1, b"x")).await?;
    assert_eq!(reply.grpc_status(), UNIMPLEMENTED);
    assert_eq!(reply.header("grpc-accept-encoding"), Some("gzip, zstd, identity"));
    Ok(())
}

#[tokio::test]
async fn what_is_not_grpc_gets_plain_http() -> Outcome {
    let server = start().await?;
    let headers = [("content-type", "application/x-protobuf")];
    let reply = server.call("/v1/traces", &headers, request([span(1, 1)])).await?;
    assert_eq!((reply.status, reply.grpc_status()), (415, None));
    assert!(reply.text().contains("4318"));

    let get = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    assert_eq!(http1(server.grpc, get.to_vec()).await?.status, 415);

    let over_http1 = format!(
        "POST {EXPORT} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
         Content-Type: application/grpc\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(http1(server.grpc, over_http1.into()).await?.status, 505);
    server.assert_works().await
}
