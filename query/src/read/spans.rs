//! The stored spans of some traces: files and recent batches of one snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use causeway_model::batch::AttributeColumns;
use causeway_model::columns::name;
use causeway_model::{SpanId, columns};
use causeway_store::{DataFile, FileFilters, Snapshot};
use parquet::errors::ParquetError;
use tokio::time::Instant;

use super::distinct::Dictionaries;
use super::footers::{Footers, SortedFile};
use super::recent;
use super::rows::{Ids, conform, rows_by_id};
use super::traces::RecentParts;
use crate::catalog::table_schema;
use crate::error::{QueryError, Result};
use crate::order::ORDER_ATTRIBUTES;
use crate::trace::has_repeated_ids;

impl From<ParquetError> for QueryError {
    fn from(error: ParquetError) -> Self {
        Self::Internal(format!("a file of the table cannot be read: {error}"))
    }
}

impl From<ArrowError> for QueryError {
    fn from(error: ArrowError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// Columns that neither the tree of a trace nor the order of its spans depends on.
const NOT_IN_OUTLINES: [&str; 12] = [
    name::START_TIME,
    name::STATUS_MESSAGE,
    name::TRACE_STATE,
    name::RESOURCE_DROPPED_ATTRIBUTES_COUNT,
    name::RESOURCE_ENTITY_REFS,
    name::RESOURCE_SCHEMA_URL,
    name::SCOPE_NAME,
    name::SCOPE_VERSION,
    name::SCOPE_ATTRIBUTES,
    name::SCOPE_DROPPED_ATTRIBUTES_COUNT,
    name::SCOPE_SCHEMA_URL,
    name::ATTRIBUTE_KEYS,
];

/// Which spans are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Of these traces ...
    pub(crate) ids: Ids,
    /// ... only the spans with this id, if there is one ...
    pub(crate) span: Option<SpanId>,
    /// ... with these columns of the storage schema.
    pub(crate) schema: SchemaRef,
}

impl Wanted {
    /// All there is of some traces in a snapshot.
    pub(crate) fn traces(ids: Ids, snapshot: &Snapshot) -> Self {
        Self { ids, span: None, schema: table_schema(&snapshot.attribute_columns) }
    }

    /// What is read of the same spans for their outlines, and the schema of those.
    fn outlines(&self, snapshot: &Snapshot) -> (Self, SchemaRef) {
        let keys = ORDER_ATTRIBUTES.iter();
        let own = keys.filter_map(|key| snapshot.attribute_columns.get(key)).cloned();
        let all = table_schema(&AttributeColumns::new(own.collect()));
        let is_left_out = |field: &FieldRef| NOT_IN_OUTLINES.contains(&field.name().as_str());
        let read = all.fields().iter().filter(|field| !is_left_out(field)).cloned();
        let outline = all.fields().iter().map(|field| match is_left_out(field) {
            true => Arc::new(field.as_ref().clone().with_nullable(true)),
            false => Arc::clone(field),
        });
        let [read, outline] = [read.collect::<Vec<_>>(), outline.collect()].map(Schema::new);
        (Self { schema: Arc::new(read), ..self.clone() }, Arc::new(outline))
    }
}

/// What reading may take.
#[derive(Debug)]
pub(crate) struct Budget {
    /// When it must be done.
    pub(crate) deadline: Instant,
    /// The time that ends then, for the error.
    pub(crate) time: std::time::Duration,
    /// Most spans (`trace_spans_max`).
    pub(crate) spans_max: usize,
}

impl Budget {
    /// # Errors
    /// The time is over.
    pub(crate) fn check_time(&self) -> Result<()> {
        match Instant::now() < self.deadline {
            true => Ok(()),
            false => Err(QueryError::time(self.time)),
        }
    }
}

/// Reads from one snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) snapshot: Snapshot,
    pub(crate) footers: Footers,
    pub(crate) recent_parts: RecentParts,
    pub(crate) threads: usize,
    /// Longest time of a query.
    pub(crate) time: std::time::Duration,
    /// Most spans of traces that are put together (`trace_spans_max`).
    pub(crate) trace_spans_max: usize,
}

impl Reader {
    /// What reading may take when it begins now and is bounded otherwise.
    pub(crate) fn budget(&self) -> Budget {
        Budget { deadline: Instant::now() + self.time, time: self.time, spans_max: usize::MAX }
    }

    /// The same for whole traces.
    pub(crate) fn trace_budget(&self) -> Budget {
        Budget { spans_max: self.trace_spans_max, ..self.budget() }
    }

    /// The dictionaries of a file. Blocking.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn dictionaries(&self, file: &DataFile) -> Result<Dictionaries> {
        let sorted = SortedFile::data(&self.snapshot.table_root, file)?;
        let (file, metadata) = self.footers.open(&sorted)?;
        let schema = SchemaRef::clone(metadata.schema());
        Ok(Dictionaries::new(file, Arc::clone(metadata.metadata()), schema))
    }

    /// The spans that are wanted. Blocking.
    ///
    /// # Errors
    /// There are more than the budget allows, or a file cannot be read.
    pub(crate) fn spans(&self, wanted: &Wanted, budget: &Budget) -> Result<Vec<RecordBatch>> {
        let taken = Taken { rows: AtomicUsize::new(0), budget };
        let mut batches = Vec::new();
        let files = self.files_with(&wanted.ids)?;
        let share = files.len().div_ceil(self.threads.max(1)).max(1);
        let mut shares = files.chunks(share);
        let first = shares.next().unwrap_or_default();
        // Most traces lie in one or two files, so threads are started only for more.
        let read: Result<Vec<_>> = std::thread::scope(|scope| {
            let taken = &taken;
            let others: Vec<_> = shares
                .map(|share| scope.spawn(move || self.read_files(share, wanted, taken)))
                .collect();
            let mut read =
                vec![self.read_recent(wanted, taken), self.read_files(first, wanted, taken)];
            let panicked = |_| Err(QueryError::Internal("a reading thread panicked".to_owned()));
            read.extend(others.into_iter().map(|other| other.join().unwrap_or_else(panicked)));
            read.into_iter().collect()
        });
        read?.into_iter().for_each(|part| batches.extend(part));
        Ok(batches)
    }

    /// The spans of traces without most attributes that have columns and without what else neither their tree nor their
    /// order depends on, which is most of what there is to read: null or empty instead. All is only read where spans share
    /// an id, to tell copies from conflicts. Blocking.
    ///
    /// # Errors
    /// As of [`spans`](Self::spans).
    pub(crate) fn outlines(&self, ids: Ids, budget: &Budget) -> Result<Vec<RecordBatch>> {
        let all = Wanted::traces(ids, &self.snapshot);
        let (read, outline) = all.outlines(&self.snapshot);
        let read = self.spans(&read, budget)?.into_iter();
        let outlines = read.map(|batch| Ok(conform(&batch, &outline)?));
        let outlines = outlines.collect::<Result<Vec<_>>>()?;
        if !has_repeated_ids(&outlines)? {
            return Ok(outlines);
        }
        // Large traces need not be in memory twice.
        drop(outlines);
        self.spans(&all, budget)
    }

    /// Files that may hold one of the traces, with their filters. Blocking.
    pub(crate) fn files_with(&self, ids: &Ids) -> Result<Vec<(&DataFile, Arc<FileFilters>)>> {
        let mut found = Vec::new();
        for file in self.snapshot.files.iter() {
            let filters = self.filters(file)?;
            if ids.as_slice().iter().any(|id| filters.may_hold(id)) {
                found.push((file.as_ref(), filters));
            }
        }
        Ok(found)
    }

    /// The bloom filters of a file. Blocking when they are not in memory.
    pub(crate) fn filters(&self, file: &DataFile) -> Result<Arc<FileFilters>> {
        let filters = self.snapshot.index.filters(file);
        filters.map_err(|error| QueryError::Internal(format!("cannot read {}: {error}", file.path)))
    }

    fn read_files(
        &self,
        files: &[(&DataFile, Arc<FileFilters>)],
        wanted: &Wanted,
        taken: &Taken<'_>,
    ) -> Result<Vec<RecordBatch>> {
        let read = wanted.read_schema()?;
        let mut batches = Vec::new();
        for (file, filters) in files {
            let opened = self.footers.open(&SortedFile::data(&self.snapshot.table_root, file)?)?;
            let mut take = |batch| -> Result<()> {
                let batch = wanted.kept(&batch)?;
                taken.add(batch.num_rows())?;
                batches.push(batch);
                Ok(())
            };
            rows_by_id(opened, Some(filters), &wanted.ids, &read, &mut take)?;
        }
        Ok(batches)
    }

    fn read_recent(&self, wanted: &Wanted, taken: &Taken<'_>) -> Result<Vec<RecordBatch>> {
        let read = wanted.read_schema()?;
        let mut batches = Vec::new();
        for batch in &self.snapshot.recent {
            if let Some(rows) = recent::rows_of(&conform(batch, &read)?, &wanted.ids)? {
                let batch = wanted.kept(&rows)?;
                taken.add(batch.num_rows())?;
                batches.push(batch);
            }
        }
        Ok(batches)
    }
}

impl Wanted {
    /// The columns to read: those asked for and those the conditions need.
    fn read_schema(&self) -> Result<SchemaRef> {
        let needed = |column: &str| {
            column == name::TRACE_ID || (column == name::SPAN_ID && self.span.is_some())
        };
        let stored = columns::schema();
        let conditions = stored.fields().iter().filter(|field| {
            needed(field.name()) && self.schema.column_with_name(field.name()).is_none()
        });
        let fields = self.schema.fields().iter().chain(conditions).cloned();
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }

    fn kept(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let conformed = match self.span {
            None => conform(batch, &self.schema)?,
            Some(span) => {
                let ids = batch.column_by_name(name::SPAN_ID).map(|ids| ids.as_binary::<i32>());
                let is_wanted = |id: Option<&[u8]>| Some(id == Some(span.0.as_slice()));
                let mask: BooleanArray = ids.into_iter().flatten().map(is_wanted).collect();
                conform(&filter_record_batch(batch, &mask)?, &self.schema)?
            }
        };
        Ok(conformed)
    }
}

/// Rows taken so far, by all threads.
struct Taken<'a> {
    rows: AtomicUsize,
    budget: &'a Budget,
}

impl Taken<'_> {
    fn add(&self, rows: usize) -> Result<()> {
        self.budget.check_time()?;
        let total = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        if total > self.budget.spans_max {
            let message = format!("more than {} spans", self.budget.spans_max);
            return Err(QueryError::Limit { limit: "trace_spans_max", message });
        }
        Ok(())
    }
}
