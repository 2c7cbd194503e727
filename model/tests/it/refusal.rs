//! What OTLP does not allow is refused span by span; the rest of the request is kept.

use causeway_model::otlp::{self, Refusal};

fn request(spans: &str) -> Vec<u8> {
    let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
    otlp::json_to_protobuf(json.as_bytes()).expect("valid JSON")
}

const GOOD: &str = r#"{"traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"0102030405060708",
    "name":"good","attributes":[{"key":"a","value":{"stringValue":"x"}}],"events":[{"name":"e"}],"links":[{}]}"#;

#[test]
fn bad_ids_are_refused_alone_and_counted_by_reason() {
    let bad = [
        (
            r#"{"traceId":"","spanId":"0102030405060708","attributes":[{"key":"gone"}]}"#,
            Refusal::TraceId,
        ),
        (
            r#"{"traceId":"00000000000000000000000000000000","spanId":"0102030405060708"}"#,
            Refusal::TraceId,
        ),
        (r#"{"traceId":"xyz","spanId":"0102030405060708"}"#, Refusal::TraceId),
        (r#"{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"01"}"#, Refusal::SpanId),
        (
            r#"{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0000000000000000"}"#,
            Refusal::SpanId,
        ),
        (
            r#"{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","parentSpanId":"01"}"#,
            Refusal::ParentSpanId,
        ),
    ];
    for (span, reason) in bad {
        let (columns, refusals) =
            otlp::decode(&request(&format!("{GOOD},{span},{GOOD}")), 1).expect("valid");
        assert_eq!(columns.len(), 2, "{span}");
        assert_eq!(refusals.iter().collect::<Vec<_>>(), [(reason, 1)], "{span}");
        let sealed = causeway_model::batch::seal(
            &[std::sync::Arc::new(columns)],
            &causeway_model::batch::AttributeColumns::default(),
        )
        .expect("sealed");
        assert_eq!(sealed.num_rows(), 2);
    }
}

#[test]
fn text_that_is_not_utf8_refuses_its_span() {
    let mut bytes = request(&format!("{GOOD},{}", GOOD.replace("good", "evil")));
    let at = bytes.windows(4).position(|w| w == b"evil").expect("name");
    bytes[at] = 0xff;
    let (columns, refusals) = otlp::decode(&bytes, 1).expect("valid");
    assert_eq!((columns.len(), refusals.iter().collect::<Vec<_>>()), (1, vec![(Refusal::Utf8, 1)]));
}

#[test]
fn the_message_names_counts_and_reasons() {
    let (_, refusals) =
        otlp::decode(&request(r#"{"traceId":""},{"traceId":""}"#), 1).expect("valid");
    assert_eq!(
        refusals.message(),
        "2 spans refused: 2 because trace_id must be 16 bytes and not all zero"
    );
}

#[test]
fn json_numbers_strings_and_names_are_read_alike() {
    let span = |fields: &str| {
        request(&format!(
            r#"{{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708",{fields}}}"#
        ))
    };
    let expected = span(r#""kind":2,"startTimeUnixNano":"1790000000000000001""#);
    assert_eq!(
        span(r#""kind":"SPAN_KIND_SERVER","startTimeUnixNano":1790000000000000001"#),
        expected
    );
    assert_eq!(
        span(r#""kind":2,"start_time_unix_nano":"1790000000000000001","unknown":{"a":[1,null]}"#),
        expected
    );
    assert_eq!(span(r#""kind":2,"startTimeUnixNano":"1790000000000000001","name":null"#), expected);
    for wrong in [
        r#""kind":"nonsense""#,
        r#""startTimeUnixNano":"1.5""#,
        r#""startTimeUnixNano":-1"#,
        r#""name":7"#,
        r#""attributes":{}"#,
        r#""attributes":[{"key":"a","value":{"doubleValue":NaN}}]"#,
    ] {
        let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{wrong}}}]}}]}}]}}"#);
        let error = otlp::json_to_protobuf(json.as_bytes()).expect_err(wrong);
        assert!(error.to_string().starts_with("invalid OTLP/JSON"), "{error}");
    }
}
