//! Tables that older versions made, and files with and without the optional columns.

use std::sync::Arc;
use std::time::Duration;

use causeway_model::columns::{self, COLUMNS};
use causeway_model::{SpanRows, otlp};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::{AnyValue, KeyValue, any_value::Value};
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};
use deltalake::operations::create::CreateBuilder;
use prometheus_client::registry::Registry;
use prost::Message;
use url::Url;

use super::file::DAY;
use super::layout::{delta_fields, delta_schema, properties};
use super::{SpansTable, TableFolder};
use crate::disk::RealDisk;
use crate::{Request, Store, StoreSettings};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const NOW: i64 = 1_790_000_002_000_000_000;

/// A table without the columns that came later.
async fn create_old_table(settings: &StoreSettings) -> TestResult {
    let dir = settings.table_dir();
    std::fs::create_dir_all(&dir)?;
    let schema = columns::schema();
    let old = COLUMNS.iter().zip(schema.fields()).filter(|(column, _)| !column.is_optional);
    let day = delta_schema()?.field(DAY).cloned();
    CreateBuilder::new()
        .with_location(Url::from_directory_path(&dir).map_err(|()| "no folder")?)
        .with_table_name("spans")
        .with_columns(delta_fields(old.map(|(_, field)| field))?.into_iter().chain(day))
        .with_partition_columns([DAY])
        .with_configuration(properties())
        .await?;
    Ok(())
}

fn settings(dir: &std::path::Path) -> StoreSettings {
    StoreSettings {
        flush_interval: Duration::from_secs(3600),
        maintenance: false,
        compaction_cpu_share: 1.0,
        compaction_files: 4,
        vacuum_retention: Duration::ZERO,
        ..StoreSettings::new(dir.to_owned(), Arc::new(|| NOW))
    }
}

/// Appends and flushes a span with these stamps.
async fn file(store: &Store, id: u8, stamps: &[(&str, &str)]) -> TestResult {
    let attribute = |(key, value): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue((*value).to_owned())) }),
        ..KeyValue::default()
    };
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        start_time_unix_nano: NOW.cast_unsigned(),
        end_time_unix_nano: NOW.cast_unsigned(),
        attributes: stamps.iter().map(attribute).collect(),
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    let payload = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    let (columns, _) = otlp::decode(&payload, NOW)?;
    let (digest, payload) = (u128::from(id), payload.into());
    store.append(Request { received_at_unix_nano: NOW, digest, payload, columns }).await?;
    Ok(store.flush().await?)
}

type Found = (u8, Option<i64>, Option<i64>, Option<i64>);

/// Span, and the values of its start, end and refused stamps.
async fn found(store: &Store) -> Result<Vec<Found>, Box<dyn std::error::Error>> {
    let mut found = Vec::new();
    store.snapshot().await?.read(&mut |batch| {
        let rows = SpanRows::new(batch).expect("the schema");
        found.extend((0..rows.len).map(|row| {
            let stamps = rows.stamps.get(row);
            let (start, end) = (stamps.start.map(|s| s.hlc), stamps.end.map(|s| s.hlc));
            (rows.span_id.value(row)[0], start, end, stamps.rejected.map(|s| s.hlc))
        }));
    })?;
    found.sort_unstable();
    Ok(found)
}

/// Optional columns of the live files.
async fn optional_columns(store: &Store) -> Result<Vec<&'static str>, Box<dyn std::error::Error>> {
    let mut names = Vec::new();
    store.snapshot().await?.read(&mut |batch| {
        let is_there = |name| batch.column_by_name(name).is_some();
        names.extend(COLUMNS.iter().filter(|c| c.is_optional && is_there(c.name)).map(|c| c.name));
    })?;
    Ok(names)
}

async fn columns_of_table(settings: &StoreSettings) -> Result<usize, crate::StoreError> {
    let folder = TableFolder::new(settings.table_dir(), Arc::new(RealDisk));
    let table = SpansTable::open(folder).await?;
    let schema = table.arrow_schema()?;
    let is_there = |name| schema.field_with_name(name).is_ok();
    Ok(COLUMNS.iter().filter(|column| column.is_optional && is_there(column.name)).count())
}

/// Scenario: a folder whose table was made before there were stamps gets untagged spans, then tagged
/// ones, then some with further stamps; its files are merged.
/// Guarantee: it opens and goes on; columns are added to the table when the first value comes and
/// not before, stand only in files that need them, and every value is there before and after.
#[tokio::test]
async fn an_old_table_gets_columns_when_values_come() -> TestResult {
    let dir = tempfile::tempdir()?;
    let settings = settings(dir.path());
    create_old_table(&settings).await?;
    let store = Store::open(settings.clone(), &mut Registry::default()).await?;
    file(&store, 1, &[]).await?;
    assert_eq!(columns_of_table(&settings).await?, 0);
    assert_eq!(optional_columns(&store).await?, Vec::<&str>::new());

    file(&store, 2, &[("hlc.start", "a11ce00000000001:18d75b8420f30a00+7")]).await?;
    assert_eq!(columns_of_table(&settings).await?, 3);
    let start = ["hlc_start", "hlc_start_lead", "hlc_node"];
    assert_eq!(optional_columns(&store).await?, start);
    let end = ("hlc.end", "a11ce00000000001:18d75b8420f30a01");
    file(&store, 3, &[end, ("hlc.reject", "b0b0000000000002:7fffffffffffffff")]).await?;
    assert_eq!(columns_of_table(&settings).await?, 7);
    file(&store, 4, &[]).await?;
    let first = 0x18d7_5b84_20f3_0a00;
    let expected = [
        (1, None, None, None),
        (2, Some(first), None, None),
        (3, None, Some(first + 1), Some(i64::MAX)),
        (4, None, None, None),
    ];
    assert_eq!(found(&store).await?, expected);

    store.maintain().await?;
    assert_eq!(store.snapshot().await?.files.len(), 1, "the files were merged");
    assert_eq!(found(&store).await?, expected);
    let end = ["hlc_end", "hlc_end_lead", "hlc_end_node", "hlc_reject"];
    assert_eq!(optional_columns(&store).await?, [&start[..], &end].concat());
    store.close(Duration::ZERO).await?;
    let store = Store::open(settings, &mut Registry::default()).await?;
    assert_eq!(found(&store).await?, expected);
    Ok(())
}

/// Scenario: files without stamps are merged. Guarantee: the merged file has no columns for them.
#[tokio::test]
async fn merging_untagged_files_adds_no_columns() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = Store::open(settings(dir.path()), &mut Registry::default()).await?;
    for id in 1..=4 {
        file(&store, id, &[]).await?;
    }
    store.maintain().await?;
    assert_eq!(store.snapshot().await?.files.len(), 1, "the files were merged");
    assert_eq!(optional_columns(&store).await?, Vec::<&str>::new());
    Ok(())
}
