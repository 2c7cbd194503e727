//! Values nest at least 64 levels deep; far deeper ones are refused alone, in bounded stack.

use std::sync::Arc;

use causeway_model::otlp::{self, Refusal};
use causeway_model::{batch, value};

fn request_json(depth: usize) -> String {
    let open = r#"{"arrayValue":{"values":["#.repeat(depth);
    let close = "]}}".repeat(depth);
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[
        {{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"deep",
          "attributes":[{{"key":"k","value":{open}{{"intValue":"7"}}{close}}}]}},
        {{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060709","name":"flat"}}
        ]}}]}}]}}"#
    )
}

#[test]
fn sixty_four_levels_and_more_come_back() {
    for depth in [1, 64, value::DEPTH_MAX - 1] {
        let json = request_json(depth);
        let protobuf = otlp::json_to_protobuf(json.as_bytes()).expect("valid");
        let (columns, refusals) = otlp::decode(&protobuf, 1).expect("valid");
        assert_eq!((columns.len(), refusals.total()), (2, 0));
        let mut out = Vec::new();
        otlp::write_protobuf(
            &[batch::seal(&[Arc::new(columns)], &batch::AttributeColumns::default())
                .expect("sealed")],
            &mut out,
        )
        .expect("written");
        assert_eq!(out, protobuf);
    }
}

#[test]
fn deeper_values_refuse_their_span_alone() {
    let protobuf =
        otlp::json_to_protobuf(request_json(value::DEPTH_MAX).as_bytes()).expect("valid");
    let (columns, refusals) = otlp::decode(&protobuf, 1).expect("valid");
    assert_eq!(columns.len(), 1);
    assert_eq!(refusals.iter().collect::<Vec<_>>(), [(Refusal::Depth, 1)]);
}

#[test]
fn brackets_without_end_are_an_error() {
    assert!(otlp::json_to_protobuf("[".repeat(1_000_000).as_bytes()).is_err());
    assert!(otlp::json_to_protobuf("{\"a\":".repeat(1_000_000).as_bytes()).is_err());
}
