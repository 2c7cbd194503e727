//! The table `findings`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt32Array,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use causeway_analysis::detectors::Finding;

use crate::functions::unix_time::{time_array, timestamp};
use crate::functions::{META_SPAN_ID, META_TRACE_ID, with_meaning};

/// Its columns.
pub(crate) fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    let ids = Field::new("item", DataType::Utf8, true);
    Arc::new(Schema::new(vec![
        text("finding_id"),
        text("detector"),
        Field::new("rule_version", DataType::UInt32, true),
        text("fallacy"),
        text("severity"),
        text("title"),
        with_meaning(text("trace_id"), META_TRACE_ID),
        Field::new("revision", DataType::UInt64, true),
        text("entry_service"),
        text("entry_operation"),
        text("group_key"),
        with_meaning(text("parent_span_id"), META_SPAN_ID),
        Field::new("span_ids", DataType::List(Arc::new(ids)), true),
        Field::new("count", DataType::UInt64, true),
        long("wasted_ns"),
        long("saving_ns"),
        long("critical_path_ns"),
        text("evidence"),
        Field::new("first_seen", timestamp(), true),
        Field::new("last_seen", timestamp(), true),
    ]))
}

/// The text of a span's id; none for zero.
pub(super) fn span_text(id: u64) -> Option<String> {
    (id != 0).then(|| format!("{id:016x}"))
}

/// Findings as rows.
///
/// # Errors
/// The rows do not fit an Arrow batch.
pub(crate) fn batch<'a>(
    findings: impl Iterator<Item = &'a Finding>,
) -> Result<RecordBatch, ArrowError> {
    let all: Vec<&Finding> = findings.collect();
    let texts = |text: &dyn Fn(&Finding) -> Option<String>| -> ArrayRef {
        Arc::new(all.iter().map(|finding| text(finding)).collect::<StringArray>())
    };
    let longs = |long: fn(&Finding) -> i64| -> Int64Array {
        all.iter().map(|finding| Some(long(finding))).collect()
    };
    let counts = |count: fn(&Finding) -> u64| -> ArrayRef {
        Arc::new(all.iter().map(|finding| count(finding)).collect::<UInt64Array>())
    };
    let mut span_ids = ListBuilder::new(StringBuilder::new());
    for finding in &all {
        span_ids.append_value(finding.span_ids.iter().map(|id| Some(format!("{id:016x}"))));
    }
    let columns: Vec<ArrayRef> = vec![
        texts(&|finding| Some(finding.finding_id.to_string())),
        texts(&|finding| Some(finding.detector.to_owned())),
        Arc::new(all.iter().map(|finding| finding.rule_version).collect::<UInt32Array>()),
        texts(&|finding| Some(finding.fallacy.label().to_owned())),
        texts(&|finding| Some(finding.severity.label().to_owned())),
        texts(&|finding| Some(finding.title.clone())),
        texts(&|finding| Some(finding.trace_id.to_string())),
        counts(|finding| finding.revision),
        texts(&|finding| Some(finding.entry_service.clone())),
        texts(&|finding| Some(finding.entry_operation.clone())),
        texts(&|finding| Some(finding.group_key.to_string())),
        texts(&|finding| span_text(finding.parent_span_id)),
        Arc::new(span_ids.finish()),
        counts(|finding| finding.count),
        Arc::new(longs(|finding| finding.wasted_ns)),
        Arc::new(longs(|finding| finding.saving_ns)),
        Arc::new(longs(|finding| finding.critical_path_ns)),
        texts(&|finding| Some(finding.evidence.to_string())),
        Arc::new(time_array(&longs(|finding| finding.first_seen_unix_nano))),
        Arc::new(time_array(&longs(|finding| finding.last_seen_unix_nano))),
    ];
    RecordBatch::try_new(schema(), columns)
}
