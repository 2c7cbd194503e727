//! Jaeger and Zipkin JSON come out as the OTLP that the OpenTelemetry Collector would make of them.

use causeway_collector::decode::{ImportError, jaeger_to_otlp, zipkin_to_otlp};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::KeyValue;
use causeway_testkit::proto::common::v1::any_value::Value;
use causeway_testkit::proto::trace::v1::{ResourceSpans, Span};
use prost::Message;

use crate::support::Outcome;

fn resources(requests: Vec<Vec<u8>>) -> Outcome<Vec<ResourceSpans>> {
    let mut all = Vec::new();
    for request in requests {
        all.extend(ExportTraceServiceRequest::decode(request.as_slice())?.resource_spans);
    }
    Ok(all)
}

fn spans(requests: Vec<Vec<u8>>) -> Outcome<Vec<Span>> {
    let scopes = resources(requests)?.into_iter().flat_map(|resource| resource.scope_spans);
    Ok(scopes.flat_map(|scope| scope.spans).collect())
}

fn only<T>(mut items: Vec<T>) -> Outcome<T> {
    assert_eq!(items.len(), 1);
    Ok(items.pop().ok_or("one item")?)
}

/// Attributes as `key=value` lines.
fn shown(attributes: &[KeyValue]) -> Vec<String> {
    let value = |entry: &KeyValue| match entry.value.clone().and_then(|any| any.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => format!("int {number}"),
        Some(Value::DoubleValue(number)) => format!("double {number}"),
        Some(Value::BoolValue(value)) => format!("bool {value}"),
        Some(Value::BytesValue(bytes)) => format!("bytes {bytes:?}"),
        Some(Value::ArrayValue(list)) => format!("list of {}", list.values.len()),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|entry| format!("{}={}", entry.key, value(entry))).collect()
}

/// One Jaeger span with these fields besides ids and times.
fn jaeger_span(fields: &str) -> Outcome<Span> {
    let json = format!(
        r#"{{"data":[{{"traceID":"ab","spans":[{{"traceID":"ab","spanID":"1",
        "startTime":1000,"duration":5,{fields},"processID":"p1"}}],"processes":{{}}}}]}}"#
    );
    only(spans(jaeger_to_otlp(json.as_bytes())?)?)
}

#[test]
fn jaeger_process_becomes_resource_and_scope_tags_the_scope() -> Outcome {
    let json = br#"{"traceID":"ab","spans":[{"traceID":"ab","spanID":"1","operationName":"get",
        "flags":1,"startTime":1000,"duration":5,"processID":"p1","logs":null,"tags":[
        {"key":"otel.library.name","type":"string","value":"lib"},
        {"key":"otel.library.version","type":"string","value":"1.2"}]}],
        "processes":{"p1":{"serviceName":"shop","tags":[
        {"key":"hostname","type":"string","value":"h1"},{"key":"pid","type":"int64","value":7}]}}}"#;
    let resource = only(resources(jaeger_to_otlp(json)?)?)?;
    let attributes = resource.resource.unwrap_or_default().attributes;
    assert_eq!(shown(&attributes), ["service.name=shop", "host.name=h1", "pid=int 7"]);
    let scope_spans = only(resource.scope_spans)?;
    let scope = scope_spans.scope.unwrap_or_default();
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("lib", "1.2"));
    let span = only(scope_spans.spans)?;
    assert_eq!((span.trace_id.last(), span.trace_id.len()), (Some(&0xab), 16));
    assert_eq!(span.span_id, [0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!((span.name.as_str(), span.flags), ("get", 1));
    assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (1_000_000, 1_005_000));
    assert_eq!((span.attributes, span.events.len()), (vec![], 0));
    Ok(())
}

#[test]
fn jaeger_forms_of_a_file_are_equal() -> Outcome {
    let trace = r#"{"traceID":"ab","spans":[{"traceID":"ab","spanID":"1"}],"processes":{}}"#;
    let expected = jaeger_to_otlp(trace.as_bytes())?;
    assert_eq!(expected.len(), 1);
    for file in [
        format!(r#"{{"data":{trace}}}"#),
        format!(r#"{{"data":[{trace}]}}"#),
        format!(" [{trace}]"),
    ] {
        assert_eq!(jaeger_to_otlp(file.as_bytes())?, expected, "{file}");
    }
    Ok(())
}

#[test]
fn jaeger_references_become_parent_and_links() -> Outcome {
    let reference = |kind: &str, trace: &str, span: &str| {
        format!(r#"{{"refType":"{kind}","traceID":"{trace}","spanID":"{span}"}}"#)
    };
    let links = |span: &Span| -> Vec<(u8, String)> {
        let link = |link: &causeway_testkit::proto::trace::v1::span::Link| {
            (link.span_id.last().copied().unwrap_or(0), shown(&link.attributes).join(","))
        };
        span.links.iter().map(link).collect()
    };
    let follows = "opentracing.ref_type=follows_from".to_owned();
    let child = "opentracing.ref_type=child_of".to_owned();

    let all = [
        reference("FOLLOWS_FROM", "ab", "2"),
        reference("CHILD_OF", "cd", "3"),
        reference("CHILD_OF", "ab", "4"),
        reference("CHILD_OF", "ab", "5"),
    ];
    let span = jaeger_span(&format!(r#""references":[{}]"#, all.join(",")))?;
    assert_eq!(span.parent_span_id.last(), Some(&4));
    assert_eq!(links(&span), [(2, follows.clone()), (3, child.clone()), (5, child)]);

    let span = jaeger_span(&format!(r#""references":[{}]"#, reference("FOLLOWS_FROM", "ab", "2")))?;
    assert_eq!(span.parent_span_id.last(), Some(&2), "nothing else to hang it on");
    assert_eq!(links(&span), [(2, follows)], "and what it was is not forgotten");

    let span = jaeger_span(r#""references":[],"parentSpanID":"9""#)?;
    assert_eq!(span.parent_span_id.last(), Some(&9));
    Ok(())
}

#[test]
fn jaeger_tags_keep_their_types() -> Outcome {
    let span = jaeger_span(
        r#""tags":[{"key":"span.kind","type":"string","value":"client"},
        {"key":"s","type":"string","value":"x"},{"key":"i","type":"int64","value":9007199254740993},
        {"key":"t","type":"int64","value":"12"},{"key":"f","type":"float64","value":1.5},
        {"key":"b","type":"bool","value":true},{"key":"y","type":"binary","value":"AQI="},
        {"key":"odd","type":"int64","value":"twelve"}],"warnings":["w1","w2"]"#,
    )?;
    assert_eq!(span.kind, 3);
    let expected = [
        "s=x",
        "i=int 9007199254740993",
        "t=int 12",
        "f=double 1.5",
        "b=bool true",
        "y=bytes [1, 2]",
        "odd=twelve",
        "jaeger.warnings=list of 2",
    ];
    assert_eq!(shown(&span.attributes), expected);
    Ok(())
}

#[test]
fn jaeger_status_comes_from_error_then_otel_then_http() -> Outcome {
    let status = |tags: &str| -> Outcome<Option<(i32, String)>> {
        let span = jaeger_span(&format!(r#""tags":[{tags}]"#))?;
        Ok(span.status.map(|status| (status.code, status.message)))
    };
    let error = r#"{"key":"error","type":"bool","value":true}"#;
    let ok = r#"{"key":"otel.status_code","type":"string","value":"OK"}"#;
    let why = r#"{"key":"otel.status_description","type":"string","value":"why"}"#;
    let server = r#"{"key":"span.kind","type":"string","value":"server"}"#;
    let http = |code: u16| format!(r#"{{"key":"http.status_code","type":"int64","value":{code}}}"#);
    assert_eq!(status("")?, None);
    assert_eq!(status(&format!("{error},{ok},{why}"))?, Some((2, "why".into())));
    assert_eq!(
        status(r#"{"key":"error","type":"string","value":"true"}"#)?,
        Some((2, String::new()))
    );
    assert_eq!(status(r#"{"key":"error","type":"bool","value":false}"#)?, None);
    assert_eq!(status(ok)?, Some((1, String::new())));
    assert_eq!(status(&http(503))?, Some((2, String::new())));
    assert_eq!(status(&http(404))?, Some((2, String::new())));
    assert_eq!(status(&format!("{server},{}", http(404)))?, None);
    assert_eq!(status(&http(200))?, None);
    Ok(())
}

#[test]
fn jaeger_logs_become_events() -> Outcome {
    let span = jaeger_span(
        r#""logs":[{"timestamp":2,"fields":[{"key":"event","type":"string","value":"retry"},
        {"key":"n","type":"int64","value":3}]},{"timestamp":3,"fields":[]}]"#,
    )?;
    let events: Vec<_> = span
        .events
        .iter()
        .map(|event| (event.time_unix_nano, event.name.as_str(), shown(&event.attributes)))
        .collect();
    assert_eq!(events, [(2_000, "retry", vec!["n=int 3".to_owned()]), (3_000, "", vec![])]);
    Ok(())
}

#[test]
fn zipkin_span_is_translated() -> Outcome {
    let json = br#"[{"traceId":"ab","id":"2","parentId":"1","kind":"CLIENT","name":"get",
        "timestamp":1000,"duration":5,"localEndpoint":{"serviceName":"shop","ipv4":"10.0.0.1","port":80},
        "remoteEndpoint":{"serviceName":"db","ipv6":"::1","port":5432},
        "tags":{"z":"1","a":"2","error":"timed out","otel.library.name":"lib","w3c.tracestate":"k=v"},
        "annotations":[{"timestamp":1001,"value":"ws"}]}]"#;
    let resource = only(resources(zipkin_to_otlp(json)?)?)?;
    let attributes = resource.resource.unwrap_or_default().attributes;
    assert_eq!(shown(&attributes), ["service.name=shop"]);
    let scope_spans = only(resource.scope_spans)?;
    assert_eq!(scope_spans.scope.unwrap_or_default().name, "lib");
    let span = only(scope_spans.spans)?;
    assert_eq!((span.kind, span.name.as_str(), span.trace_state.as_str()), (3, "get", "k=v"));
    assert_eq!(span.parent_span_id.last(), Some(&1));
    assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (1_000_000, 1_005_000));
    let expected = [
        "z=1",
        "a=2",
        "error=timed out",
        "net.host.ip=10.0.0.1",
        "net.host.port=int 80",
        "peer.service=db",
        "net.peer.ip=::1",
        "net.peer.port=int 5432",
    ];
    assert_eq!(shown(&span.attributes), expected);
    let status = span.status.unwrap_or_default();
    assert_eq!((status.code, status.message.as_str()), (2, "timed out"));
    let event = only(span.events)?;
    assert_eq!((event.time_unix_nano, event.name.as_str()), (1_001_000, "ws"));
    Ok(())
}

#[test]
fn zipkin_shared_span_keeps_its_id_and_its_kind() -> Outcome {
    let json = br#"[[{"traceId":"ab","id":"2","kind":"CLIENT","timestamp":1,"duration":2},
        {"traceId":"ab","id":"2","kind":"SERVER","shared":true}],
        [{"traceId":"cd","id":"3","parentId":"3","tags":{"error":"true"}}]]"#;
    let requests = zipkin_to_otlp(json)?;
    assert_eq!(requests.len(), 2, "one request per trace");
    let spans = spans(requests)?;
    let [client, server, root] = spans.as_slice() else {
        return Err("three spans".into());
    };
    assert_eq!(client.span_id, server.span_id);
    assert_eq!((client.kind, server.kind, root.kind), (3, 2, 0));
    let expected = ["otel.zipkin.absentField.startTime=bool true", "zipkin.shared=bool true"];
    assert_eq!(shown(&server.attributes), expected);
    assert!(root.parent_span_id.is_empty(), "a span that names itself is a root");
    assert_eq!(root.status.clone().unwrap_or_default().code, 2);
    Ok(())
}

#[test]
fn what_is_no_trace_file_is_an_error_that_says_where() {
    let said = |error: Result<Vec<Vec<u8>>, ImportError>| error.err().map(|e| e.to_string());
    assert!(
        said(jaeger_to_otlp(b"{\"data\":[{]}")).is_some_and(|text| text.contains("line 1 column"))
    );
    assert_eq!(
        said(jaeger_to_otlp(b"{}")).as_deref(),
        Some("not Jaeger JSON: neither `data` nor `spans` in it")
    );
    assert!(said(zipkin_to_otlp(b"{}")).is_some_and(|text| text.starts_with("not Zipkin v2 JSON")));
    assert!(said(zipkin_to_otlp(b"[{\"id\":\"1\"}]")).is_some_and(|text| text.contains("traceId")));
}
