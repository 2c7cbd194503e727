//! Frequent attributes get columns by themselves, and nobody can tell from what comes back.

use causeway_model::batch::AttributeKind;
use causeway_testkit::flat;
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::{AnyValue, KeyValue, any_value::Value};
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::{TestResult, append, close_without_flush, open, spans};

fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

fn span(id: u16, attributes: Vec<(&str, Value)>) -> Span {
    let attributes = attributes.into_iter().map(|(key, value)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    });
    Span {
        trace_id: vec![7; 16],
        span_id: [&[1; 6][..], &id.to_be_bytes()].concat(),
        start_time_unix_nano: 1_790_000_000_000_000_000,
        end_time_unix_nano: 1_790_000_000_000_000_001,
        attributes: attributes.collect(),
        ..Span::default()
    }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

async fn columns(
    store: &causeway_store::Store,
) -> Result<Vec<(String, AttributeKind)>, Box<dyn std::error::Error>> {
    let columns = store.snapshot().await?.attribute_columns;
    Ok(columns.iter().map(|column| (column.key.clone(), column.kind)).collect())
}

/// Scenario: an attribute that always was an integer comes as text later; another one comes twice
/// in a span; a third is rare. Guarantee: the frequent ones have columns of their first type, also
/// after a restart, and every span comes back as it was sent.
#[tokio::test]
async fn types_that_change_and_keys_that_repeat_come_back() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    let first = request(
        (0..300)
            .map(|n| {
                let mut attributes =
                    vec![("route", text("/a")), ("code", Value::IntValue(n.into()))];
                attributes.extend((n == 7).then(|| ("rare", text("x"))));
                span(n, attributes)
            })
            .collect(),
    );
    append(&store, first.encode_to_vec()).await?;
    store.flush().await?;
    let known =
        [("code".to_owned(), AttributeKind::Int), ("route".to_owned(), AttributeKind::Text)];
    assert_eq!(columns(&store).await?, known);
    close_without_flush(store).await?;

    let store = open(dir.path()).await?;
    let second = request(
        (300..1_600)
            .map(|n| {
                let code = if n == 400 { text("unknown") } else { Value::IntValue(n.into()) };
                let again = ("route", Value::BoolValue(true));
                span(n, vec![("code", code), ("route", text("17")), again])
            })
            .collect(),
    );
    append(&store, second.encode_to_vec()).await?;
    let mut expected = [flat::flatten(&first), flat::flatten(&second)].concat();
    expected.sort();
    assert_eq!(spans(&store).await?, expected, "while recent");
    store.flush().await?;
    assert_eq!(spans(&store).await?, expected, "from files");
    assert_eq!(columns(&store).await?, known);
    Ok(close_without_flush(store).await?)
}

/// Scenario: queries filter on an attribute that one span in 500 has.
/// Guarantee: it gets a column with the next flush, which it did not have before.
#[tokio::test]
async fn attributes_that_queries_filter_on_get_columns_sooner() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    let traffic = |from: u16| {
        request(
            (from..from + 1_000)
                .map(|n| match n % 500 {
                    0 => span(n, vec![("tenant", text("blue"))]),
                    _ => span(n, vec![]),
                })
                .collect(),
        )
    };
    append(&store, traffic(0).encode_to_vec()).await?;
    store.flush().await?;
    assert_eq!(columns(&store).await?, []);
    store.snapshot().await?.filtered_keys.add("tenant");
    append(&store, traffic(1_000).encode_to_vec()).await?;
    store.flush().await?;
    assert_eq!(columns(&store).await?, [("tenant".to_owned(), AttributeKind::Text)]);
    Ok(close_without_flush(store).await?)
}

/// Scenario: a thousand services with ten keys of their own each.
/// Guarantee: the number of columns stays bounded and every span comes back.
#[tokio::test]
async fn ten_thousand_keys_break_nothing() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    let keys: Vec<String> = (0..10_000).map(|n| format!("service{}.key{n}", n / 10)).collect();
    let mut expected = Vec::new();
    for (service, keys) in (0u16..).zip(keys.chunks(10)) {
        let attributes = keys.iter().map(|key| (key.as_str(), text("v"))).collect();
        let sent = request(vec![span(service, attributes)]);
        expected.extend(flat::flatten(&sent));
        append(&store, sent.encode_to_vec()).await?;
        if service % 250 == 249 {
            store.flush().await?;
        }
    }
    expected.sort();
    assert!(columns(&store).await?.len() <= 256);
    assert_eq!(spans(&store).await?, expected);
    Ok(close_without_flush(store).await?)
}
