//! What senders get wrong, one row per test: the documented status, a message that helps, and the
//! next good request works.

use causeway_testkit::proto::common::v1::{AnyValue, KeyValue, any_value};
use causeway_testkit::proto::trace::v1::Span;

use crate::support::{
    JSON, Outcome, PROTOBUF, Reply, Server, gzip, http1, json_request, post_head, request, span,
    start, zstd,
};

/// Compares an answer with the table and sends good requests after it.
async fn check(server: &Server, reply: Reply, status: u16, message: &str) -> Outcome {
    assert_eq!(reply.status, status, "{reply:?}");
    let said = reply.rpc_status()?;
    assert!(said.message.contains(message), "{}", said.message);
    assert!(said.code != 0);
    server.assert_works().await
}

async fn post_check(
    content_type: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    status: u16,
    message: &str,
) -> Outcome {
    let server = start().await?;
    let reply = server.post(content_type, headers, body).await?;
    check(&server, reply, status, message).await
}

async fn raw_check(request: &str, status: u16, message: &str) -> Outcome {
    let server = start().await?;
    let reply = http1(server.http, request.as_bytes().to_vec()).await?;
    check(&server, reply, status, message).await
}

#[tokio::test]
async fn truncated_protobuf() -> Outcome {
    let body = request([span(1, 1)]);
    let cut = body.get(..body.len() - 4).unwrap_or_default();
    post_check(PROTOBUF, &[], cut, 400, "ends in the middle of a field").await
}

#[tokio::test]
async fn garbage_protobuf() -> Outcome {
    post_check(PROTOBUF, &[], b"hello, world", 400, "not an OTLP trace request").await
}

#[tokio::test]
async fn wrong_content_type() -> Outcome {
    post_check("text/plain", &[], b"{}", 415, "application/x-protobuf or application/json").await
}

#[tokio::test]
async fn no_content_type() -> Outcome {
    let head =
        "POST /v1/traces HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    raw_check(head, 415, "Content-Type \"\"").await
}

#[tokio::test]
async fn wrong_content_encoding() -> Outcome {
    let server = start().await?;
    let reply = server.post(PROTOBUF, &[("Content-Encoding", "br")], b"x").await?;
    assert_eq!(reply.header("accept-encoding"), Some("gzip, zstd, identity"));
    check(&server, reply, 415, "unsupported compression \"br\"").await
}

#[tokio::test]
async fn wrong_path() -> Outcome {
    let server = start().await?;
    for path in ["/", "/v1/trace", "/v1/traces/", "/api/v2/spans"] {
        let reply = http1(server.http, post_head(path, JSON, &[], 0)).await?;
        check(&server, reply, 404, "traces go to POST /v1/traces").await?;
    }
    Ok(())
}

#[tokio::test]
async fn grpc_path_on_the_http_port() -> Outcome {
    let server = start().await?;
    let head = post_head(crate::support::EXPORT, "application/grpc", &[], 0);
    let reply = http1(server.http, head).await?;
    check(&server, reply, 404, "4317").await
}

#[tokio::test]
async fn wrong_method() -> Outcome {
    let server = start().await?;
    for method in ["GET", "PUT", "DELETE"] {
        let head = format!("{method} /v1/traces HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        let reply = http1(server.http, head.into()).await?;
        assert_eq!(reply.header("allow"), Some("POST, OPTIONS"));
        check(&server, reply, 405, "takes POST").await?;
    }
    Ok(())
}

#[tokio::test]
async fn head_has_no_body() -> Outcome {
    let server = start().await?;
    let head = b"HEAD /v1/traces HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    let mut stream = tokio::net::TcpStream::connect(server.http).await?;
    let mut answer = Vec::new();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head).await?;
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await?;
    assert!(answer.starts_with(b"HTTP/1.1 405") && answer.ends_with(b"\r\n\r\n"));
    server.assert_works().await
}

#[tokio::test]
async fn body_of_65_mib() -> Outcome {
    let body = vec![0; 65 << 20];
    post_check(PROTOBUF, &[], &body, 413, "request_bytes_max (67108864 bytes)").await
}

#[tokio::test]
async fn chunked_body_of_65_mib() -> Outcome {
    let server = start().await?;
    let mut bytes = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: {PROTOBUF}\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        65 << 20
    )
    .into_bytes();
    bytes.resize(bytes.len() + (65 << 20), 0);
    bytes.extend_from_slice(b"\r\n0\r\n\r\n");
    let reply = http1(server.http, bytes).await?;
    check(&server, reply, 413, "request_bytes_max").await
}

#[tokio::test]
async fn gzip_bomb() -> Outcome {
    let bomb = gzip(&vec![0; 100 << 20])?;
    post_check(PROTOBUF, &[("Content-Encoding", "gzip")], &bomb, 413, "request_bytes_max").await
}

#[tokio::test]
async fn zstd_bomb() -> Outcome {
    let bomb = zstd(&vec![0; 100 << 20])?;
    post_check(JSON, &[("Content-Encoding", "zstd")], &bomb, 413, "request_bytes_max").await
}

#[tokio::test]
async fn truncated_gzip() -> Outcome {
    let packed = gzip(&request([span(1, 1)]))?;
    let cut = packed.get(..packed.len() - 5).unwrap_or_default();
    post_check(PROTOBUF, &[("Content-Encoding", "gzip")], cut, 400, "ends too early").await
}

#[tokio::test]
async fn body_that_is_not_gzip() -> Outcome {
    let body = request([span(1, 1)]);
    post_check(PROTOBUF, &[("Content-Encoding", "gzip")], &body, 400, "not valid gzip").await
}

#[tokio::test]
async fn invalid_json() -> Outcome {
    post_check(JSON, &[], b"{\"resourceSpans\":[", 400, "invalid OTLP/JSON").await
}

#[tokio::test]
async fn not_a_number_in_json() -> Outcome {
    let body = json_request(&"1".repeat(32), &"1".repeat(16))
        .replace("\"json\"", "\"n\",\"startTimeUnixNano\":NaN");
    post_check(JSON, &[], body.as_bytes(), 400, "invalid OTLP/JSON").await
}

#[tokio::test]
async fn bad_utf8_in_json() -> Outcome {
    let mut body = json_request(&"1".repeat(32), &"1".repeat(16)).into_bytes();
    if let Some(position) = body.windows(4).position(|window| window == b"json") {
        body.splice(position..position + 4, [0xff, 0xfe]);
    }
    post_check(JSON, &[], &body, 400, "invalid OTLP/JSON").await
}

#[tokio::test]
async fn deeply_nested_json() -> Outcome {
    let body = "[".repeat(100_000);
    post_check(JSON, &[], body.as_bytes(), 400, "nests deeper").await
}

#[tokio::test]
async fn bad_utf8_refuses_only_its_span() -> Outcome {
    let server = start().await?;
    let mut body = request([span(1, 1), span(1, 2), span(1, 3)]);
    if let Some(position) = body.windows(6).position(|window| window == b"span 2")
        && let Some(byte) = body.get_mut(position)
    {
        *byte = 0xff;
    }
    let reply = server.post(PROTOBUF, &[], &body).await?;
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("1 because a string is not valid UTF-8"), "{}", reply.text());
    assert_eq!(server.stored_spans().await?, 2);
    server.assert_works().await
}

fn text(key: String, value: String) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value)) });
    KeyValue { key, value, ..KeyValue::default() }
}

async fn stored_check(span: Span) -> Outcome {
    let server = start().await?;
    let reply = server.post(PROTOBUF, &[], &request([span])).await?;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.body.is_empty());
    assert_eq!(server.stored_spans().await?, 1);
    server.assert_works().await
}

#[tokio::test]
async fn attribute_of_one_mb() -> Outcome {
    let attributes = vec![text("large".into(), "x".repeat(1_000_000))];
    stored_check(Span { attributes, ..span(1, 1) }).await
}

#[tokio::test]
async fn span_with_100_000_attributes() -> Outcome {
    let attributes = (0..100_000).map(|i| text(format!("key {i}"), i.to_string())).collect();
    stored_check(Span { attributes, ..span(1, 1) }).await
}

/// Sends bytes that two servers might cut into requests differently, then reads all answers.
async fn smuggle(head: &str, expected: &[&str]) -> Outcome {
    let server = start().await?;
    let mut stream = tokio::net::TcpStream::connect(server.http).await?;
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await?;
    tokio::io::AsyncWriteExt::shutdown(&mut stream).await?;
    let mut answers = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answers).await?;
    let answers = String::from_utf8_lossy(&answers).into_owned();
    let statuses: Vec<&str> =
        answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect();
    assert_eq!(statuses, expected, "{answers}");
    server.assert_works().await
}

const SMUGGLED: &str = "GET /v1/smuggled HTTP/1.1\r\nHost: t\r\n\r\n";

#[tokio::test]
async fn transfer_encoding_wins_over_length_and_ends_the_connection() -> Outcome {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Type: {JSON}\r\nContent-Length: 4\r\n\
         Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}"
    );
    smuggle(&head, &["200"]).await
}

#[tokio::test]
async fn different_lengths_are_refused() -> Outcome {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Type: {JSON}\r\nContent-Length: 2\r\n\
         Content-Length: 40\r\n\r\n{{}}{SMUGGLED}"
    );
    smuggle(&head, &["400"]).await
}

#[tokio::test]
async fn list_of_lengths_is_refused() -> Outcome {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Type: {JSON}\r\nContent-Length: 2, 40\r\n\
         \r\n{{}}{SMUGGLED}"
    );
    smuggle(&head, &["400"]).await
}

#[tokio::test]
async fn unknown_transfer_encoding_is_refused() -> Outcome {
    for encoding in ["xchunked", "chunked, identity", "gzip"] {
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Type: {JSON}\r\n\
             Transfer-Encoding: {encoding}\r\n\r\n0\r\n\r\n{SMUGGLED}"
        );
        smuggle(&head, &["400"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn space_before_the_colon_is_refused() -> Outcome {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Type: {JSON}\r\n\
         Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{{}}{SMUGGLED}"
    );
    smuggle(&head, &["400"]).await
}

#[tokio::test]
async fn broken_chunk_ends_the_connection() -> Outcome {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Type: {JSON}\r\n\
         Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}"
    );
    smuggle(&head, &["400"]).await
}
