//! A snapshot made by hand: some spans in Parquet files, some recent.

use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{SortColumn, SortOptions, lexsort_to_indices, take_record_batch};
use axum::body::Body;
use causeway_model::batch::{AttributeColumns, AttributeUse};
use causeway_model::parts::PartsBuilder;
use causeway_model::{batch, otlp};
use causeway_query::format::{self, Format, Options};
use causeway_query::{Query, QueryError, QuerySettings, SnapshotSource};
use causeway_store::{DataFile, FileIndex, Snapshot};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::proto::common::v1::{AnyValue, KeyValue, any_value::Value};
use causeway_testkit::proto::resource::v1::Resource;
use causeway_testkit::proto::trace::v1::span::{Event, Link};
use causeway_testkit::proto::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use http_body_util::BodyExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use prost::Message;
use tower::ServiceExt;

pub(crate) const T0: u64 = 1_700_000_000_000_000_000;
pub(crate) const MS: u64 = 1_000_000;

/// A key with a value.
pub(crate) fn kv(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

pub(crate) fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

pub(crate) fn trace_id(trace: u64) -> Vec<u8> {
    u128::from(trace).to_be_bytes().to_vec()
}

/// A span of `trace` that starts `start_ms` after [`T0`] and takes `ms`.
pub(crate) fn span(trace: u64, id: u64, parent: u64, name: &str, start_ms: u64, ms: u64) -> Span {
    let start = T0 + start_ms * MS;
    Span {
        trace_id: trace_id(trace),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 { Vec::new() } else { parent.to_be_bytes().to_vec() },
        name: name.to_owned(),
        kind: 1,
        start_time_unix_nano: start,
        end_time_unix_nano: start + ms * MS,
        ..Span::default()
    }
}

/// A request with the spans of one service.
pub(crate) fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![
            kv("service.name", text(service)),
            kv("service.version", text("1.2")),
            kv("host.cpus", Value::IntValue(8)),
        ],
        ..Resource::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

/// Requests as one batch of the storage schema.
pub(crate) fn seal(requests: &[ExportTraceServiceRequest]) -> RecordBatch {
    let parts: Vec<_> = requests
        .iter()
        .map(|request| {
            let received_at = (T0 + 60_000 * MS) as i64;
            let (columns, refusals) =
                otlp::decode(&request.encode_to_vec(), received_at).expect("decodes");
            assert_eq!(refusals.total(), 0);
            Arc::new(columns)
        })
        .collect();
    // Some batches have columns for frequent attributes, others keep all in the map.
    let mut counted = AttributeUse::default();
    let spans: usize = parts.iter().map(|part| part.len()).sum();
    if spans % 2 == 1 {
        parts.iter().for_each(|part| counted.add(part));
    }
    let columns = counted.choose(&AttributeColumns::default(), &HashSet::new());
    batch::seal(&parts, &columns).expect("seals")
}

/// A snapshot and a way to ask it.
pub(crate) struct World {
    pub(crate) query: Query,
    _folder: tempfile::TempDir,
}

/// Columns with a bloom filter instead of a dictionary, as those get whose texts hardly repeat.
const HARDLY_REPEAT: [&str; 2] = ["status_message", "url.path"];

/// Collects what a world holds.
pub(crate) struct WorldBuilder {
    folder: tempfile::TempDir,
    files: Vec<DataFile>,
    attribute_columns: AttributeColumns,
    recent: Vec<RecordBatch>,
    settings: QuerySettings,
}

impl WorldBuilder {
    pub(crate) fn new() -> Self {
        let settings = QuerySettings { query_threads: 2, ..QuerySettings::default() };
        let folder = tempfile::tempdir().expect("a folder");
        let attribute_columns = AttributeColumns::default();
        Self { folder, files: Vec::new(), attribute_columns, recent: Vec::new(), settings }
    }

    pub(crate) fn settings(mut self, change: impl FnOnce(&mut QuerySettings)) -> Self {
        change(&mut self.settings);
        self
    }

    pub(crate) fn recent(mut self, requests: &[ExportTraceServiceRequest]) -> Self {
        let batch = seal(requests);
        self.attribute_columns.extend(&AttributeColumns::of_schema(batch.schema_ref()));
        self.recent.push(batch);
        self
    }

    /// A sorted file in a folder of its own day, as the store writes it but with small pages.
    pub(crate) fn file(self, requests: &[ExportTraceServiceRequest]) -> Self {
        let batch = seal(requests);
        self.file_of(&batch)
    }

    pub(crate) fn file_of(mut self, batch: &RecordBatch) -> Self {
        let sort = ["trace_id", "start_time_unix_nano"].map(|name| SortColumn {
            values: Arc::clone(batch.column_by_name(name).expect("a column")),
            options: Some(SortOptions::default()),
        });
        let order = lexsort_to_indices(&sort, None).expect("sorts");
        let batch = take_record_batch(batch, &order).expect("takes");
        let mut properties = WriterProperties::builder()
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_column_bloom_filter_enabled("trace_id".into(), true)
            .set_max_row_group_row_count(Some(1_000))
            .set_data_page_row_count_limit(100)
            .set_write_batch_size(100);
        let schema = batch.schema();
        for name in schema.fields().iter().map(|field| field.name().as_str()) {
            if HARDLY_REPEAT.iter().any(|ending| name.ends_with(ending)) {
                let path = || ColumnPath::from(vec![name.to_owned()]);
                properties = properties
                    .set_column_bloom_filter_enabled(path(), true)
                    .set_column_dictionary_enabled(path(), false);
            }
        }
        let path = self.push_file(&batch, properties.build());
        let path = self.folder.path().join("traces").join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("is made");
        let mut parts = PartsBuilder::new();
        parts.push(&batch).expect("sorted spans");
        let parts = parts.finish().expect("parts");
        let file = File::create(&path).expect("is made");
        let mut writer = ArrowWriter::try_new(file, parts.schema(), None).expect("starts");
        writer.write(&parts).expect("writes");
        writer.close().expect("closes");
        self
    }

    /// A file as somebody else may write it: in any order, without filters, page index, summary.
    pub(crate) fn foreign_file(mut self, requests: &[ExportTraceServiceRequest]) -> Self {
        let properties = WriterProperties::builder()
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .build();
        self.push_file(&seal(requests), properties);
        self
    }

    /// Writes a file of the table; gives its name.
    fn push_file(&mut self, batch: &RecordBatch, properties: WriterProperties) -> String {
        self.attribute_columns.extend(&AttributeColumns::of_schema(batch.schema_ref()));
        let path = format!("day=2023-11-14/part {}.parquet", self.files.len());
        let full = self.folder.path().join("spans").join(&path);
        std::fs::create_dir_all(full.parent().expect("a folder")).expect("is made");
        let file = File::create(&full).expect("is made");
        let mut writer =
            ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("starts");
        writer.write(batch).expect("writes");
        writer.close().expect("closes");
        let starts = batch.column_by_name("start_time_unix_nano").expect("a column");
        let starts = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(starts);
        let usable = || starts.iter().flatten();
        self.files.push(DataFile {
            path: path.replace(' ', "%20"),
            bytes: full.metadata().expect("is there").len(),
            rows: batch.num_rows() as u64,
            start_time_range: usable().min().zip(usable().max()),
            modified_ms: 1_700_000_000_000,
        });
        path
    }

    pub(crate) fn build(self) -> World {
        let table_root = self.folder.path().join("spans");
        std::fs::create_dir_all(&table_root).expect("is made");
        let snapshot = Snapshot {
            table_root: table_root.clone(),
            files: Arc::new(self.files.into_iter().map(Arc::new).collect()),
            attribute_columns: Arc::new(self.attribute_columns),
            index: Arc::new(FileIndex::new(table_root, 64 << 20)),
            filtered_keys: Arc::default(),
            recent: self.recent,
        };
        let source: SnapshotSource = Arc::new(move || {
            let snapshot = snapshot.clone();
            Box::pin(async move { Ok(snapshot) })
        });
        let mut registry = prometheus_client::registry::Registry::default();
        let query = Query::over(source, self.settings, &mut registry).expect("starts");
        World { query, _folder: self.folder }
    }
}

impl World {
    /// The rows of a statement as CSV without the header; the error's text when it fails.
    pub(crate) async fn sql(&self, sql: &str) -> String {
        match self.csv(sql).await {
            Ok(csv) => {
                let (_, rows) = csv.split_once("\r\n").unwrap_or_default();
                rows.trim_end().replace("\r\n", "\n")
            }
            Err(error) => format!("error: {error}"),
        }
    }

    async fn csv(&self, sql: &str) -> Result<String, QueryError> {
        let mut out = Vec::new();
        let batches = self.query.sql(sql).await?;
        format::write(batches, Format::Csv, Options::default(), &mut out).await?;
        Ok(String::from_utf8(out).expect("UTF-8"))
    }

    /// Status and body of a request.
    pub(crate) async fn request(&self, request: http::Request<Body>) -> (u16, Vec<u8>) {
        let response = self.query.router().oneshot(request).await.expect("answers");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a whole body");
        (status, body.to_bytes().to_vec())
    }

    pub(crate) async fn get(&self, uri: &str) -> (u16, serde_json::Value) {
        let request = http::Request::get(uri).body(Body::empty()).expect("a request");
        let (status, body) = self.request(request).await;
        (status, serde_json::from_slice(&body).expect("JSON"))
    }
}

/// A small shop: one trace in a file, one recent, one split over both.
pub(crate) fn shop() -> World {
    let mut checkout = span(1, 0x11, 0, "GET /checkout", 0, 100);
    checkout.kind = 2;
    checkout.attributes = vec![
        kv("http.route", text("/checkout")),
        kv("http.status", Value::IntValue(404)),
        kv("ratio", Value::DoubleValue(0.5)),
        kv("ok", Value::BoolValue(true)),
        kv("big", Value::IntValue((1 << 53) + 1)),
    ];
    checkout.events = vec![Event {
        time_unix_nano: T0 + 5,
        name: "retry".to_owned(),
        attributes: vec![kv("attempt", Value::IntValue(2))],
        dropped_attributes_count: 0,
    }];
    let mut query = span(1, 0x12, 0x11, "SELECT", 10, 20);
    query.kind = 3;
    query.status = Some(Status { code: 2, message: "timeout".to_owned() });
    query.attributes = vec![kv("http.status", text("500")), kv("note", text("404 is not 500"))];
    query.links = vec![Link {
        trace_id: trace_id(2),
        span_id: 0x21_u64.to_be_bytes().to_vec(),
        ..Link::default()
    }];
    let recent = span(2, 0x21, 0, "GET /cart", 1_000, 30);
    let split = span(3, 0x31, 0, "GET /checkout", 2_000, 50);
    let late = span(3, 0x32, 0x99, "SELECT", 2_010, 10);
    let mut odd = span(4, 0x41, 0, "odd", 0, 0);
    odd.start_time_unix_nano = u64::MAX;
    odd.end_time_unix_nano = 0;
    WorldBuilder::new()
        .file(&[request("web", vec![checkout, split]), request("db", vec![query])])
        .recent(&[request("web", vec![recent, odd]), request("db", vec![late])])
        .build()
}

/// Numbers that look random and are the same for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}
