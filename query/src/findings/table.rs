//! The table `findings`.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, ListBuilder, RecordBatch, StringArray,
    StringBuilder, UInt32Array, UInt64Array,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, FieldRef, Int64Type, Schema, SchemaRef,
    TimestampNanosecondType, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use causeway_analysis::detectors::{DETECTORS, Finding, FindingId, GroupKey, Severity};

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
        text("caller_service"),
        text("callee_service"),
        text("service_version"),
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

fn some_text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Findings that are rows in memory at one time: all of them would take some hundred megabytes.
const BATCH_ROWS: usize = 1_000;

/// Findings as rows, some at a time.
pub(crate) fn batches<'a>(
    mut findings: impl Iterator<Item = &'a Finding>,
) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> {
    std::iter::from_fn(move || {
        let some: Vec<&Finding> = findings.by_ref().take(BATCH_ROWS).collect();
        (!some.is_empty()).then(|| batch(&some))
    })
}

fn batch(all: &[&Finding]) -> Result<RecordBatch, ArrowError> {
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
    for finding in all {
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
        texts(&|finding| some_text(&finding.caller_service)),
        texts(&|finding| some_text(&finding.callee_service)),
        texts(&|finding| some_text(&finding.service_version)),
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

/// Findings of single traces from such rows. What a detector found that is not there any more is left out, and rows that
/// lack a column are as if it said nothing.
///
/// # Errors
/// The rows are not those of [`batches`].
pub(super) fn findings(batch: &RecordBatch) -> Result<Vec<Finding>, ArrowError> {
    let rows = FindingRows::new(batch)?;
    Ok((0..batch.num_rows()).filter_map(|row| rows.get(row)).collect())
}

/// Columns of the table by name.
struct FindingRows<'a> {
    batch: &'a RecordBatch,
    span_ids: &'a ListArray,
}

impl<'a> FindingRows<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        // Columns that came later are missing in what an earlier version wrote.
        let known = schema();
        let is_known = |field: &FieldRef| known.fields().iter().any(|known| known == field);
        if !batch.schema().fields().iter().all(is_known) {
            return Err(ArrowError::SchemaError("not the columns of findings".to_owned()));
        }
        let column = batch.column_by_name("span_ids").and_then(|ids| ids.as_list_opt());
        let span_ids = column.ok_or_else(|| ArrowError::SchemaError("span_ids".to_owned()))?;
        Ok(Self { batch, span_ids })
    }

    fn text(&self, name: &str, row: usize) -> Option<&'a str> {
        let texts = self.batch.column_by_name(name)?.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| texts.value(row))
    }

    fn number<T: ArrowPrimitiveType>(&self, name: &str, row: usize) -> Option<T::Native> {
        Some(self.batch.column_by_name(name)?.as_primitive_opt::<T>()?.value(row))
    }

    fn get(&self, row: usize) -> Option<Finding> {
        let text = |name: &str| self.text(name, row);
        let owned = |name: &str| text(name).unwrap_or_default().to_owned();
        let long = |name: &str| self.number::<Int64Type>(name, row).unwrap_or(0);
        let time = |name: &str| self.number::<TimestampNanosecondType>(name, row).unwrap_or(0);
        let hash = |name: &str| u128::from_str_radix(text(name)?, 16).ok();
        let span = |text: &str| u64::from_str_radix(text, 16).ok();
        let detector = DETECTORS.iter().find(|known| text("detector") == Some(known.id()))?;
        let ids = self.span_ids.value(row);
        let ids = ids.as_string_opt::<i32>()?.iter().flatten().filter_map(span);
        let severities = [Severity::Low, Severity::Medium, Severity::High];
        Some(Finding {
            finding_id: FindingId(hash("finding_id")?),
            detector: detector.id(),
            rule_version: self.number::<UInt32Type>("rule_version", row)?,
            fallacy: detector.fallacy(),
            severity: severities.into_iter().find(|of| text("severity") == Some(of.label()))?,
            title: owned("title"),
            trace_id: text("trace_id")?.parse().ok()?,
            revision: self.number::<UInt64Type>("revision", row)?,
            entry_service: owned("entry_service"),
            entry_operation: owned("entry_operation"),
            caller_service: owned("caller_service"),
            callee_service: owned("callee_service"),
            service_version: owned("service_version"),
            group_key: GroupKey(hash("group_key")?),
            parent_span_id: text("parent_span_id").and_then(span).unwrap_or(0),
            span_ids: ids.collect(),
            count: self.number::<UInt64Type>("count", row)?,
            wasted_ns: long("wasted_ns"),
            saving_ns: long("saving_ns"),
            critical_path_ns: long("critical_path_ns"),
            evidence: text("evidence")?.parse().ok()?,
            first_seen_unix_nano: time("first_seen"),
            last_seen_unix_nano: time("last_seen"),
        })
    }
}
