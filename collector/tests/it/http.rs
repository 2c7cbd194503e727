//! OTLP/HTTP as exporters and browsers use it.

use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    JSON, Outcome, PROTOBUF, gzip, http1, json_request, post_head, read_reply, request, span,
    start, zstd,
};

const TRACE: &str = "0102030405060708090a0b0c0d0e0f10";

#[tokio::test]
async fn protobuf_is_stored() -> Outcome {
    let server = start().await?;
    let reply = server.post(PROTOBUF, &[], &request([span(1, 1), span(1, 2)])).await?;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(PROTOBUF)));
    assert!(reply.body.is_empty(), "no partialSuccess when all is stored");
    assert_eq!(server.stored_spans().await?, 2);
    Ok(())
}

#[tokio::test]
async fn json_is_stored_and_parameters_of_its_type_are_ignored() -> Outcome {
    let server = start().await?;
    let body = json_request(TRACE, "0102030405060708");
    let reply = server.post("Application/JSON; charset=utf-8", &[], body.as_bytes()).await?;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(JSON)));
    assert_eq!(reply.text(), "{}");
    assert_eq!(server.stored_spans().await?, 1);
    Ok(())
}

#[tokio::test]
async fn compressed_bodies_are_stored() -> Outcome {
    let server = start().await?;
    let bodies = [
        ("gzip", gzip(&request([span(1, 1)]))?),
        ("zstd", zstd(&request([span(1, 2)]))?),
        ("identity", request([span(1, 3)])),
    ];
    for (encoding, body) in bodies {
        let reply = server.post(PROTOBUF, &[("Content-Encoding", encoding)], &body).await?;
        assert_eq!(reply.status, 200, "{encoding} {}", reply.text());
    }
    assert_eq!(server.stored_spans().await?, 3);
    Ok(())
}

#[tokio::test]
async fn retried_batch_counts_once() -> Outcome {
    let server = start().await?;
    let body = request([span(1, 1), span(1, 2)]);
    for packed in [false, true] {
        let reply = match packed {
            false => server.post(PROTOBUF, &[], &body).await?,
            true => server.post(PROTOBUF, &[("Content-Encoding", "gzip")], &gzip(&body)?).await?,
        };
        assert_eq!(reply.status, 200);
    }
    assert_eq!(server.stored_spans().await?, 2);
    assert_eq!(server.metric("collector_duplicate_spans_total")?, 2.0);
    assert_eq!(server.metric("collector_stored_spans_total{protocol=\"http_protobuf\"}")?, 2.0);
    assert_eq!(server.metric("collector_received_spans_total{protocol=\"http_protobuf\"}")?, 4.0);
    Ok(())
}

#[tokio::test]
async fn empty_request_succeeds() -> Outcome {
    let server = start().await?;
    for (content_type, body) in [(PROTOBUF, ""), (JSON, "{}"), (JSON, r#"{"resourceSpans":[]}"#)] {
        let reply = server.post(content_type, &[], body.as_bytes()).await?;
        assert_eq!(reply.status, 200, "{content_type} {body}");
    }
    assert_eq!(server.stored_spans().await?, 0);
    Ok(())
}

#[tokio::test]
async fn partial_success_counts_exactly_and_keeps_the_rest() -> Outcome {
    let server = start().await?;
    let mut short = span(1, 3);
    short.trace_id.truncate(8);
    let body = request([span(1, 1), span(1, 0), short, span(1, 2)]);
    let reply = server.post(PROTOBUF, &[], &body).await?;
    assert_eq!(reply.status, 200);
    let partial = ExportTraceServiceResponse::decode(reply.body)?.partial_success;
    let partial = partial.ok_or("no partial success")?;
    assert_eq!(partial.rejected_spans, 2);
    assert!(partial.error_message.contains("trace_id must be 16 bytes"));
    assert!(partial.error_message.contains("span_id must be 8 bytes"));
    assert_eq!(server.stored_spans().await?, 2);
    assert_eq!(server.metric("collector_refused_spans_total{reason=\"invalid_trace_id\"}")?, 1.0);
    Ok(())
}

#[tokio::test]
async fn partial_success_in_json_has_its_count_as_text() -> Outcome {
    let server = start().await?;
    let body = json_request(TRACE, "0000000000000000");
    let reply = server.post(JSON, &[], body.as_bytes()).await?;
    assert_eq!(reply.status, 200);
    let answer: serde_json::Value = serde_json::from_slice(&reply.body)?;
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1");
    assert!(
        answer["partialSuccess"]["errorMessage"].as_str().is_some_and(|m| m.contains("span_id"))
    );
    Ok(())
}

#[tokio::test]
async fn other_signals_get_a_clear_no() -> Outcome {
    let server = start().await?;
    for signal in ["metrics", "logs"] {
        let head = post_head(&format!("/v1/{signal}"), PROTOBUF, &[], 0);
        let reply = http1(server.http, head).await?;
        assert_eq!(reply.status, 404);
        let status = reply.rpc_status()?;
        assert!(status.message.contains("traces only"), "{}", status.message);
    }
    Ok(())
}

#[tokio::test]
async fn browsers_on_this_machine_may_send() -> Outcome {
    let server = start().await?;
    let preflight = |origin: &str| {
        format!(
            "OPTIONS /v1/traces HTTP/1.1\r\nHost: test\r\nOrigin: {origin}\r\nConnection: close\r\n\
             Access-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: content-type,content-encoding,x-tenant\r\n\r\n"
        )
    };
    let reply = http1(server.http, preflight("http://localhost:3000").into()).await?;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("http://localhost:3000"));
    let allowed = reply.header("access-control-allow-headers");
    assert_eq!(allowed, Some("content-type,content-encoding,x-tenant"));
    assert_eq!(reply.header("access-control-allow-methods"), Some("POST"));

    let origin = [("Origin", "http://localhost:3000")];
    for (body, status) in [("{}", 200), ("{", 400)] {
        let reply = server.post(JSON, &origin, body.as_bytes()).await?;
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("access-control-allow-origin"), Some("http://localhost:3000"));
    }

    let reply = http1(server.http, preflight("https://evil.example").into()).await?;
    assert_eq!(reply.header("access-control-allow-origin"), None);
    Ok(())
}

#[tokio::test]
async fn connection_serves_many_requests() -> Outcome {
    let server = start().await?;
    let mut stream = TcpStream::connect(server.http).await?;
    for id in 1..=3 {
        let body = request([span(1, id)]);
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: {PROTOBUF}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), &body].concat()).await?;
        assert_eq!(read_reply(&mut stream).await?.status, 200);
    }
    assert_eq!(server.stored_spans().await?, 3);
    Ok(())
}

#[tokio::test]
async fn chunked_body_is_stored() -> Outcome {
    let server = start().await?;
    let body = request([span(1, 1)]);
    let (first, second) = body.split_at(7);
    let mut bytes = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: {PROTOBUF}\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    .into_bytes();
    for piece in [first, second, &[]] {
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    assert_eq!(http1(server.http, bytes).await?.status, 200);
    assert_eq!(server.stored_spans().await?, 1);
    Ok(())
}

#[tokio::test]
async fn sender_that_expects_continue_is_told_to() -> Outcome {
    let server = start().await?;
    let body = request([span(1, 1)]);
    let mut stream = TcpStream::connect(server.http).await?;
    stream
        .write_all(&post_head("/v1/traces", PROTOBUF, &[("Expect", "100-continue")], body.len()))
        .await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"HTTP/1.1 100");
    stream.write_all(&body).await?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await?;
    assert!(String::from_utf8_lossy(&rest).contains("HTTP/1.1 200"));
    Ok(())
}

#[tokio::test]
async fn sender_that_expects_continue_learns_the_refusal_before_the_body() -> Outcome {
    let server = start().await?;
    let head = post_head("/v1/traces", PROTOBUF, &[("Expect", "100-continue")], 65 << 20);
    let mut stream = TcpStream::connect(server.http).await?;
    stream.write_all(&head).await?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"HTTP/1.1 413");
    Ok(())
}
