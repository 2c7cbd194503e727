//! The traces of one snapshot as a table: one row a trace, made of the parts beside the files.
//!
//! Rows come by ascending trace id, merged from all sources at once; spans are read only where a
//! parent may lie in another file, and only if somebody asks. A condition on trace ids reads these
//! traces alone; one on the start of traces first looks which these are, in files of that time, and
//! reads them by id when they are few. Other conditions are evaluated on whole traces, above.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Int64Array, ListArray, RecordBatch, RecordBatchOptions,
    StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use causeway_model::columns::name;
use causeway_model::parts::{service_element, service_fields};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::internal_datafusion_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};

use super::predicate;
use crate::error::QueryError;
use crate::functions::{META_SPAN_ID, with_meaning};
use crate::read::{Ids, Merged, Reader, Share, Times, merge};
use crate::trace::summary::Summary;

/// Columns that cost reading spans.
const OF_PARENTS: [&str; 2] = ["missing_parents", "complete"];

/// Rows of one batch.
const ROWS_PER_BATCH: usize = 4_096;

/// The columns of a trace, with the id as bytes.
pub(crate) fn schema() -> SchemaRef {
    let id = with_meaning(Field::new("root_span_id", DataType::Utf8, true), META_SPAN_ID);
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    Arc::new(Schema::new(vec![
        Field::new(name::TRACE_ID, DataType::Binary, false),
        id,
        Field::new("root_service", DataType::Utf8, true),
        Field::new("root_name", DataType::Utf8, true),
        long("start_time_unix_nano"),
        long("duration_ns"),
        long("envelope_ns"),
        long("span_count"),
        long("error_count"),
        long("service_count"),
        long("missing_parents"),
        Field::new("complete", DataType::Boolean, true),
        Field::new("services", DataType::List(service_element()), true),
    ]))
}

/// The traces of one snapshot.
#[derive(Debug)]
pub(crate) struct StoredTraces {
    reader: Reader,
}

impl StoredTraces {
    pub(crate) fn new(reader: Reader) -> Self {
        Self { reader }
    }
}

#[async_trait]
impl TableProvider for StoredTraces {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = schema();
        let projected = match projection {
            Some(projection) => Arc::new(all.project(projection)?),
            None => all,
        };
        let conditions: Vec<Expr> = filters
            .iter()
            .map(|filter| predicate::unqualified(predicate::to_storage(filter)))
            .collect::<Result<_>>()?;
        let ids = predicate::trace_ids(&conditions).map(|ids| {
            // Ids of another length are in no trace.
            Ids::new(ids.into_iter().filter_map(|id| id.try_into().ok()).collect())
        });
        // A trace that starts in a range has a span there. Without a lower bound, traces without any
        // usable start are meant too.
        let times = predicate::start_range(&conditions).map(RangeInclusive::into_inner);
        let times = times.filter(|(from, _)| *from > 0);
        let files_total = self.reader.snapshot.files.len();
        let files_kept = match &ids {
            None => files_total,
            Some(ids) => {
                let (reader, ids) = (self.reader.clone(), ids.clone());
                let counting = tokio::task::spawn_blocking(move || {
                    reader.files_with(&ids).map(|files| files.len())
                });
                counting.await.map_err(|error| QueryError::Internal(error.to_string()))??
            }
        };
        // A few traces are read at once; a limit is one of all rows, in the order of ids.
        let shares = match ids.is_some() || times.is_some() || limit.is_some() {
            true => vec![Share::ALL],
            false => Share::split(self.reader.threads),
        };
        Ok(Arc::new(TracesExec {
            properties: Arc::new(PlanProperties::new(
                EquivalenceProperties::new(Arc::clone(&projected)),
                Partitioning::UnknownPartitioning(shares.len()),
                EmissionType::Incremental,
                Boundedness::Bounded,
            )),
            reader: self.reader.clone(),
            ids,
            times,
            limit,
            schema: projected,
            files: (files_kept, files_total),
            shares,
        }))
    }
}

/// Merges parts into rows.
#[derive(Debug)]
struct TracesExec {
    reader: Reader,
    ids: Option<Ids>,
    /// Only traces that start in this range are wanted; others may come too.
    times: Option<Times>,
    limit: Option<usize>,
    schema: SchemaRef,
    /// Files that are read, and all there are.
    files: (usize, usize),
    /// What each partition merges.
    shares: Vec<Share>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for TracesExec {
    fn fmt_as(&self, _kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kept, total) = self.files;
        let columns: Vec<&str> = self.schema.fields().iter().map(|f| f.name().as_str()).collect();
        let recent: usize = self.reader.snapshot.recent.iter().map(|batch| batch.num_rows()).sum();
        write!(
            f,
            "TracesExec: files={kept} of {total}, by_bloom={kept}, recent_rows={recent}, \
             columns=[{}]",
            columns.join(", ")
        )?;
        match &self.ids {
            Some(ids) => write!(f, ", trace_ids={}", ids.as_slice().len()),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for TracesExec {
    fn name(&self) -> &'static str {
        "TracesExec"
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), 2);
        let (sender, reader, schema) = (stream.tx(), self.reader.clone(), Arc::clone(&self.schema));
        let (ids, times) = (self.ids.clone(), self.times);
        let share = self.shares.get(partition).copied();
        let share = share.ok_or_else(|| internal_datafusion_err!("no partition {partition}"))?;
        let limit = self.limit.unwrap_or(usize::MAX);
        stream.spawn_blocking(move || {
            // Whoever ends the query drops the receiver, and nothing more is read.
            let mut send = |batch| sender.blocking_send(Ok(batch)).is_ok();
            let ids = match (ids, times) {
                (None, Some(times)) => reader.candidates(times)?,
                (ids, _) => ids,
            };
            rows(&reader, ids.as_ref(), share, limit, &schema, &mut send)
                .map_err(DataFusionError::from)
        });
        Ok(stream.build())
    }
}

/// Makes rows until `send` takes no more.
fn rows(
    reader: &Reader,
    ids: Option<&Ids>,
    share: Share,
    limit: usize,
    schema: &SchemaRef,
    send: &mut dyn FnMut(RecordBatch) -> bool,
) -> std::result::Result<(), QueryError> {
    let has_parents = OF_PARENTS.iter().any(|name| schema.column_with_name(name).is_some());
    let mut flush = |mut traces: Vec<Merged>| {
        if has_parents {
            reader.close_parents(&mut traces)?;
        }
        Ok::<_, QueryError>(send(to_batch(traces, schema)?))
    };
    if let Some(ids) = ids {
        for traces in reader.traces(ids, None, &reader.budget())?.chunks(ROWS_PER_BATCH) {
            flush(traces.to_vec())?;
        }
        return Ok(());
    }
    let mut cursors = reader.cursors(reader.snapshot.files.iter(), true, share)?;
    cursors.extend(reader.recent_cursors(share)?);
    let (mut waiting, mut count) = (Vec::new(), 0);
    merge(cursors, None, &mut |trace| {
        waiting.push(trace);
        count += 1;
        match waiting.len() < ROWS_PER_BATCH && count < limit {
            true => Ok(true),
            false => Ok(flush(std::mem::take(&mut waiting))? && count < limit),
        }
    })?;
    if !waiting.is_empty() {
        flush(waiting)?;
    }
    Ok(())
}

fn to_batch(traces: Vec<Merged>, schema: &SchemaRef) -> Result<RecordBatch> {
    let ids: Vec<[u8; 16]> = traces.iter().map(|trace| trace.trace_id).collect();
    let summaries: Vec<Summary> = traces.into_iter().map(Merged::summary).collect();
    let columns = schema.fields().iter().map(|field| column(field.name(), &ids, &summaries));
    // A count asks for rows without columns.
    let options = RecordBatchOptions::new().with_row_count(Some(ids.len()));
    let columns = columns.collect::<Result<_>>()?;
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn column(name: &str, ids: &[[u8; 16]], all: &[Summary]) -> Result<ArrayRef> {
    let long = |value: fn(&Summary) -> i64| -> ArrayRef {
        Arc::new(all.iter().map(|summary| Some(value(summary))).collect::<Int64Array>())
    };
    Ok(match name {
        name::TRACE_ID => Arc::new(BinaryArray::from_iter_values(ids)),
        "root_span_id" => {
            let ids = all.iter().map(|s| s.root_span_id.map(|id| format!("{id:016x}")));
            Arc::new(ids.collect::<StringArray>())
        }
        "root_service" => {
            Arc::new(StringArray::from_iter_values(all.iter().map(|s| &s.root_service)))
        }
        "root_name" => Arc::new(StringArray::from_iter_values(all.iter().map(|s| &s.root_name))),
        "start_time_unix_nano" => long(|s| s.start_time_unix_nano),
        "duration_ns" => Arc::new(all.iter().map(|s| s.duration_ns).collect::<Int64Array>()),
        "envelope_ns" => long(|s| s.envelope_ns),
        "span_count" => long(|s| s.spans),
        "error_count" => long(|s| s.errors),
        "service_count" => long(|s| s.services.len() as i64),
        "missing_parents" => long(|s| s.missing_parents),
        "complete" => Arc::new(all.iter().map(|s| Some(s.complete)).collect::<BooleanArray>()),
        _ => Arc::new(services(all)?),
    })
}

fn services(all: &[Summary]) -> Result<ListArray> {
    let each: Vec<_> = all.iter().flat_map(|summary| &summary.services).collect();
    let counts = StructArray::try_new(
        service_fields(),
        vec![
            Arc::new(StringArray::from_iter_values(each.iter().map(|service| &service.name))),
            Arc::new(Int64Array::from_iter_values(each.iter().map(|service| service.spans))),
            Arc::new(Int64Array::from_iter_values(each.iter().map(|service| service.errors))),
        ],
        None,
    )?;
    let offsets = OffsetBuffer::from_lengths(all.iter().map(|summary| summary.services.len()));
    Ok(ListArray::try_new(service_element(), offsets, Arc::new(counts), None)?)
}
