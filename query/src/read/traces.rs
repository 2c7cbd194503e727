//! Traces of one snapshot from the parts that its files and recent batches hold.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Weak};

use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{Int64Type, SchemaRef};
use causeway_model::columns::{self, name};
use causeway_model::parts::{self, PartsBuilder, SPAN_COLUMNS};
use causeway_store::{DataFile, FileColumns, FileFilters, summary_path};
use object_store::path::Path;
use parking_lot::Mutex;

use super::footers::{SortedFile, object_meta};
use super::parts::{Cursor, Merged, PartBatch, Share, Times, Within, merge, part_schema};
use super::recent;
use super::rows::{Ids, conform, rows_between, rows_by_id};
use super::spans::{Budget, Reader};
use crate::error::{QueryError, Result};

/// Parts of recent batches, made once for each batch and dropped with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecentParts(Arc<Mutex<Vec<PartsOfBatch>>>);

/// The first column of a batch, and its parts.
type PartsOfBatch = (Weak<dyn Array>, RecordBatch);

impl RecentParts {
    fn of(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        // All clones of a batch share their columns, and no other batch does.
        let column = batch.column(0);
        let is_known =
            |kept: &Weak<dyn Array>| kept.upgrade().is_some_and(|kept| Arc::ptr_eq(&kept, column));
        if let Some((_, parts)) = self.0.lock().iter().find(|(kept, _)| is_known(kept)) {
            return Ok(parts.clone());
        }
        let parts = parts_of_spans(&conform(batch, &span_schema()?)?)?;
        let mut kept = self.0.lock();
        kept.retain(|(batch, _)| batch.strong_count() > 0);
        kept.push((Arc::downgrade(column), parts.clone()));
        Ok(parts)
    }
}

/// The columns of spans that parts are made of.
fn span_schema() -> Result<SchemaRef> {
    stored_columns(&SPAN_COLUMNS)
}

fn stored_columns(names: &[&str]) -> Result<SchemaRef> {
    let all = columns::schema();
    let at: Vec<usize> =
        names.iter().map(|name| all.index_of(name)).collect::<std::result::Result<_, _>>()?;
    Ok(Arc::new(all.project(&at)?))
}

/// One part for each trace among spans in any order.
fn parts_of_spans(spans: &RecordBatch) -> Result<RecordBatch> {
    let mut builder = PartsBuilder::new();
    builder.push(&sorted_by_trace(spans)?)?;
    Ok(builder.finish()?)
}

fn sorted_by_trace(batch: &RecordBatch) -> Result<RecordBatch> {
    let ids = batch.column_by_name(name::TRACE_ID).and_then(|ids| ids.as_binary_opt::<i32>());
    let ids = ids.ok_or_else(|| QueryError::Internal("no column trace_id".to_owned()))?;
    let mut order: Vec<(u128, u32)> = (0..ids.len())
        // A batch has far fewer than 2^32 rows.
        .map(|row| (ids.value(row).try_into().map_or(0, u128::from_be_bytes), row as u32))
        .collect();
    if order.is_sorted() {
        return Ok(batch.clone());
    }
    order.sort_unstable();
    let order: UInt32Array = order.into_iter().map(|(_, row)| row).collect();
    Ok(take_record_batch(batch, &order)?)
}

/// So many traces are read by id; for more the parts of all traces are merged.
pub(crate) const BY_ID_MAX: usize = 10_000;

/// Rows that are decoded at once, for each of up to hundreds of files.
const ROWS_PER_READ: usize = 1_024;

/// Spans that are turned into parts at once, of a file without a summary.
const SPANS_PER_READ: usize = 65_536;

impl Reader {
    /// Traces of `ids` by id, each whole but for [`close_parents`](Self::close_parents). Blocking.
    ///
    /// # Errors
    /// A file cannot be read, or the time is over.
    pub(crate) fn traces(
        &self,
        ids: &Ids,
        times: Option<Times>,
        budget: &Budget,
    ) -> Result<Vec<Merged>> {
        let mut traces: BTreeMap<[u8; 16], Merged> = BTreeMap::new();
        let mut add = |batch: &RecordBatch| -> Result<()> {
            let parts = PartBatch::new(batch)?;
            for row in 0..parts.len() {
                let merged = traces.entry(parts.id(row).to_be_bytes()).or_default();
                merged.add(&parts, row, times);
            }
            Ok(())
        };
        for (file, filters) in self.files_with(ids)? {
            budget.check_time()?;
            self.parts_by_id(file, &filters, ids, &mut add)?;
        }
        let spans = self.recent_by_id(ids, &span_schema()?)?;
        if !spans.is_empty() {
            add(&parts_of_spans(&concat_batches(&span_schema()?, &spans)?)?)?;
        }
        Ok(traces.into_values().collect())
    }

    /// Ids of all traces that may have a span that starts within the range; `None` when they are more
    /// than it pays to read one by one, or when no file can be left out. Blocking.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn candidates(&self, times: Times) -> Result<Option<Ids>> {
        let (from, to) = times;
        let overlaps = |file: &&Arc<DataFile>| match file.start_time_range {
            Some((low, high)) => low <= to && from <= high,
            None => true,
        };
        let files: Vec<_> = self.snapshot.files.iter().filter(overlaps).collect();
        if files.len() == self.snapshot.files.len() {
            return Ok(None);
        }
        let mut cursors = self.cursors(files, false, Share::ALL)?;
        cursors.extend(self.recent_cursors(Share::ALL)?);
        let mut ids = Vec::new();
        merge(cursors, Some(times), &mut |trace| {
            if trace.within != Within::No {
                ids.push(trace.trace_id);
            }
            Ok(ids.len() <= BY_ID_MAX)
        })?;
        Ok((ids.len() <= BY_ID_MAX).then(|| Ids::new(ids)))
    }

    fn recent_by_id(&self, ids: &Ids, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
        let mut found = Vec::new();
        for batch in &self.snapshot.recent {
            found.extend(recent::rows_of(&conform(batch, schema)?, ids)?);
        }
        Ok(found)
    }

    fn parts_by_id(
        &self,
        file: &DataFile,
        filters: &FileFilters,
        ids: &Ids,
        add: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let ids = ids.within(filters);
        if let Some(summary) = self.summary_file(file)? {
            let opened = self.footers.open(&summary)?;
            return rows_by_id(opened, None, &ids, &parts::schema(), &mut |batch| add(&batch));
        }
        let (mut spans, schema) = (Vec::new(), span_schema()?);
        let opened = self.footers.open(&SortedFile::data(&self.snapshot.table_root, file)?)?;
        let mut keep = |batch| -> Result<()> {
            spans.push(batch);
            Ok(())
        };
        rows_by_id(opened, Some(filters), &ids, &schema, &mut keep)?;
        add(&parts_of_spans(&concat_batches(&schema, &spans)?)?)
    }

    /// The summary of a data file, if it has one.
    fn summary_file(&self, file: &DataFile) -> Result<Option<SortedFile>> {
        let path = summary_path(&self.snapshot.table_root, file);
        let Ok(found) = path.metadata() else {
            return Ok(None);
        };
        let mut meta = object_meta(file)?;
        // In the cache of footers it must not be taken for its data file.
        meta.location = Path::from(format!("traces/{}", meta.location));
        meta.size = found.len();
        Ok(Some(SortedFile { path, meta }))
    }

    /// Finds out which missing parents are in other files than their children. Blocking.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn close_parents(&self, traces: &mut [Merged]) -> Result<()> {
        let mut open: BTreeMap<[u8; 16], &mut Merged> = traces
            .iter_mut()
            .filter(|trace| trace.has_open_parents())
            .map(|trace| (trace.trace_id, trace))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let ids = Ids::new(open.keys().copied().collect());
        let schema = stored_columns(&[name::TRACE_ID, name::SPAN_ID])?;
        let mut found = |batch: RecordBatch| -> Result<()> {
            let (traces, spans) =
                (batch.column(0).as_binary::<i32>(), batch.column(1).as_binary::<i32>());
            for (trace, span) in traces.iter().zip(spans.iter()) {
                let trace = trace.and_then(|id| open.get_mut(id));
                let span = span.and_then(|id| id.try_into().ok()).map(u64::from_be_bytes);
                if let (Some(trace), Some(span)) = (trace, span) {
                    trace.found_span(span);
                }
            }
            Ok(())
        };
        self.visit_spans(&ids, &schema, &mut found)
    }

    /// Which of some traces have a span that starts within the range. Blocking.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn with_start_in(&self, ids: &Ids, (from, to): Times) -> Result<HashSet<[u8; 16]>> {
        let schema = stored_columns(&[name::TRACE_ID, name::START_TIME_UNIX_NANO])?;
        let mut found = HashSet::new();
        let mut look = |batch: RecordBatch| -> Result<()> {
            let (ids, starts) =
                (batch.column(0).as_binary::<i32>(), batch.column(1).as_primitive::<Int64Type>());
            for (id, start) in ids.iter().zip(starts.iter()) {
                let is_in = start.is_some_and(|start| from <= start && start <= to);
                found.extend(id.filter(|_| is_in).and_then(|id| <[u8; 16]>::try_from(id).ok()));
            }
            Ok(())
        };
        self.visit_spans(ids, &schema, &mut look)?;
        Ok(found)
    }

    fn visit_spans(
        &self,
        ids: &Ids,
        schema: &SchemaRef,
        visit: &mut dyn FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        for (file, filters) in self.files_with(ids)? {
            let opened = self.footers.open(&SortedFile::data(&self.snapshot.table_root, file)?)?;
            rows_by_id(opened, Some(&filters), ids, schema, visit)?;
        }
        self.recent_by_id(ids, schema)?.into_iter().try_for_each(visit)
    }

    /// Parts of some files, one sorted source each. Blocking, as are the sources.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn cursors<'a>(
        &self,
        files: impl IntoIterator<Item = &'a Arc<DataFile>>,
        has_texts: bool,
        share: Share,
    ) -> Result<Vec<Cursor>> {
        let mut cursors = Vec::new();
        for file in files {
            let batches: Box<dyn Iterator<Item = _> + Send> = match self.summary_file(file)? {
                Some(summary) => Box::new(self.summary_batches(&summary, has_texts, share)?),
                None => Box::new(std::iter::once(Ok(PartBatch::new(&self.made_parts(file)?)?))),
            };
            cursors.extend(Cursor::new(batches, share)?);
        }
        Ok(cursors)
    }

    /// Parts of what is recent, one sorted source for each batch.
    ///
    /// # Errors
    /// A batch is not of the storage schema.
    pub(crate) fn recent_cursors(&self, share: Share) -> Result<Vec<Cursor>> {
        let mut cursors = Vec::new();
        for batch in &self.snapshot.recent {
            let parts = PartBatch::new(&self.recent_parts.of(batch)?)?;
            cursors.extend(Cursor::new(Box::new(std::iter::once(Ok(parts))), share)?);
        }
        Ok(cursors)
    }

    fn summary_batches(
        &self,
        summary: &SortedFile,
        has_texts: bool,
        share: Share,
    ) -> Result<impl Iterator<Item = Result<PartBatch>> + Send + use<>> {
        let (file, metadata) = self.footers.open(summary)?;
        let schema = part_schema(has_texts);
        let (first, last) = (share.first.to_be_bytes(), share.last.to_be_bytes());
        let selection = match share == Share::ALL {
            true => None,
            false => rows_between(metadata.metadata(), first, last),
        };
        let columns = FileColumns::all(file, metadata)?;
        let wanted = columns.named(|name| schema.column_with_name(name).is_some());
        let reader = columns.batches(wanted, selection, ROWS_PER_READ)?;
        Ok(reader.map(move |batch| Ok(PartBatch::new(&conform(&batch?, &schema)?)?)))
    }

    /// The parts of a file without a summary, sorted.
    fn made_parts(&self, file: &DataFile) -> Result<RecordBatch> {
        let data = SortedFile::data(&self.snapshot.table_root, file)?;
        let (opened, metadata) = self.footers.open(&data)?;
        let schema = span_schema()?;
        let columns = FileColumns::all(opened, metadata)?;
        let wanted = columns.named(|name| schema.column_with_name(name).is_some());
        let reader = columns.batches(wanted, None, SPANS_PER_READ)?;
        let mut made = Vec::new();
        for batch in reader {
            made.push(parts_of_spans(&conform(&batch?, &schema)?)?);
        }
        sorted_by_trace(&concat_batches(&parts::schema(), &made)?)
    }
}

/// Kept by [`RecentParts`] for as long as their batch lives.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_batch_are_made_once_and_dropped_with_it() {
        let batch = RecordBatch::new_empty(columns::schema());
        let kept = RecentParts::default();
        kept.of(&batch).expect("is made");
        kept.of(&batch.clone()).expect("is found");
        assert_eq!(kept.0.lock().len(), 1);
        let column: Weak<dyn Array> = Arc::downgrade(batch.column(0));
        drop(batch);
        assert_eq!(column.strong_count(), 0);
        kept.of(&RecordBatch::new_empty(columns::schema())).expect("is made");
        assert_eq!(kept.0.lock().len(), 1);
    }
}
