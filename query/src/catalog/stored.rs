//! The stored spans of one snapshot as a table: recent batches and Parquet files.
//!
//! ```text
//! SpansExec -- Union -- Projection -- Filter -- recent batches
//!                    '- Projection -- Recheck -- Filter -- Parquet files   (the filter moves into the reader)
//! ```
//!
//! Every condition is exact here: it is evaluated on storage columns, after [`super::predicate`] has
//! undone what can be undone. Files are dropped by their start-time range, and by the bloom filters
//! in memory when traces are asked for by id, before they are opened; row groups by their dictionaries
//! ([`super::screen`]), and like pages by statistics and bloom filters, when they are. Columns that an
//! old file does not have read as null.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use causeway_model::batch::{AttributeColumn, AttributeColumns};
use causeway_store::{DataFile, Snapshot};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetAccessPlan,
};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

use super::own_columns::{self, Adapters};
use super::predicate;
use super::pruned::{Extent, PrunedExec};
use super::recheck::RecheckExec;
use super::root::{TableRoot, root_url};
use super::screen::{Screen, Screened};
use crate::error::QueryError;
use crate::read::{Reader, object_meta};

/// The stored spans of one snapshot.
#[derive(Debug)]
pub(crate) struct StoredSpans {
    reader: Reader,
    schema: SchemaRef,
    root: Arc<TableRoot>,
}

impl StoredSpans {
    /// A table over the snapshot of `reader`, read through `root`.
    pub(crate) fn new(reader: Reader, root: Arc<TableRoot>) -> Self {
        let schema = own_columns::table_schema(&reader.snapshot.attribute_columns);
        Self { reader, schema, root }
    }

    /// The attributes that have a column.
    pub(crate) fn attribute_columns(&self) -> &AttributeColumns {
        &self.reader.snapshot.attribute_columns
    }

    /// Reads the same snapshot by trace id.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    fn snapshot(&self) -> &Snapshot {
        &self.reader.snapshot
    }

    /// Files that may hold rows for which all `conditions` hold, by their time range.
    fn candidates(&self, conditions: &[Expr]) -> Vec<&DataFile> {
        let wanted = predicate::start_range(conditions);
        let may_match = |file: &&DataFile| match (&wanted, file.start_time_range) {
            (Some(range), Some((low, high))) => low <= *range.end() && *range.start() <= high,
            // Nothing is known of the condition or of the file.
            _ => true,
        };
        self.snapshot().files.iter().map(Arc::as_ref).filter(may_match).collect()
    }

    /// Those of `files` that may hold a trace the conditions ask for, by their bloom filters.
    async fn by_bloom<'a>(
        &self,
        files: Vec<&'a DataFile>,
        conditions: &[Expr],
    ) -> Result<Vec<&'a DataFile>> {
        let Some(ids) = predicate::trace_ids(conditions) else {
            return Ok(files);
        };
        let index = Arc::clone(&self.snapshot().index);
        let owned: Vec<DataFile> = files.iter().map(|file| (*file).clone()).collect();
        let may_hold = tokio::task::spawn_blocking(move || {
            // What cannot be read is kept, and reported by the scan.
            let may_hold = |file| index.filters(file).map(|f| ids.iter().any(|id| f.may_hold(id)));
            owned.iter().map(|file| may_hold(file).unwrap_or(true)).collect::<Vec<bool>>()
        });
        let may_hold = may_hold.await.map_err(|error| QueryError::Internal(error.to_string()))?;
        let kept = files.into_iter().zip(may_hold).filter(|(_, may_hold)| *may_hold);
        Ok(kept.map(|(file, _)| file).collect())
    }

    /// Those of `files` that may hold a row for which the conditions hold, by their dictionaries; and
    /// how many row groups of how many that were looked at.
    async fn by_dictionaries<'a>(
        &self,
        state: &dyn Session,
        files: Vec<&'a DataFile>,
        conditions: &[Expr],
    ) -> Result<(Vec<Kept<'a>>, (usize, usize))> {
        let Some(screen) = Screen::new(conditions, &self.schema, state)? else {
            return Ok((files.into_iter().map(|file| (file, None)).collect(), (0, 0)));
        };
        let (reader, owned) =
            (self.reader.clone(), files.iter().copied().cloned().collect::<Vec<_>>());
        let screened = tokio::task::spawn_blocking(move || screen.files(&reader, &owned));
        let screened = screened.await.map_err(|error| QueryError::Internal(error.to_string()))?;
        let (mut kept, mut row_groups) = (Vec::new(), (0, 0));
        for (file, screened) in files.into_iter().zip(screened) {
            let Some(Screened { plan, kept: count }) = screened else {
                kept.push((file, None));
                continue;
            };
            row_groups = (row_groups.0 + count, row_groups.1 + plan.len());
            if count > 0 {
                kept.push((file, Some(plan)));
            }
        }
        Ok((kept, row_groups))
    }

    fn recent(&self, partitions: usize, projection: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
        let mut parts = vec![Vec::new(); partitions.clamp(1, self.snapshot().recent.len().max(1))];
        let count = parts.len();
        for (at, batch) in self.snapshot().recent.iter().enumerate() {
            parts[at % count].push(own_columns::project(batch, &self.schema, projection)?);
        }
        let schema = Arc::new(self.schema.project(projection)?);
        Ok(MemorySourceConfig::try_new_exec(&parts, schema, None)?)
    }

    fn files(
        &self,
        state: &dyn Session,
        files: Vec<Kept<'_>>,
        projection: &[usize],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let store = self.root.open(&self.snapshot().table_root)?;
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let source = ParquetSource::new(TableSchema::from(Arc::clone(&self.schema)))
            .with_pushdown_filters(true)
            .with_bloom_filter_on_read(true)
            .with_enable_page_index(true)
            .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(
                store, cache,
            )));
        let mut groups = vec![Vec::new(); state.config().target_partitions().clamp(1, files.len())];
        let count = groups.len();
        for (at, (file, row_groups)) in files.into_iter().enumerate() {
            let mut part = PartitionedFile::new_from_meta(object_meta(file)?);
            if let Some(row_groups) = row_groups {
                part = part.with_extension(row_groups);
            }
            groups[at % count].push(part);
        }
        let config = FileScanConfigBuilder::new(root_url()?, Arc::new(source))
            .with_file_groups(groups.into_iter().map(FileGroup::new).collect())
            .with_projection_indices(Some(projection.to_vec()))?
            .with_expr_adapter(Some(Arc::new(Adapters)))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// A file to read, and which row groups of it if not all.
type Kept<'a> = (&'a DataFile, Option<ParquetAccessPlan>);

/// The condition and the columns around one side of the union.
struct Frame {
    /// Columns to read, as positions in the storage schema: those of the output come first.
    read: Vec<usize>,
    output_count: usize,
    predicate: Option<Arc<dyn PhysicalExpr>>,
    /// The conditions on attribute columns among them.
    on_attributes: Option<Arc<dyn PhysicalExpr>>,
}

impl Frame {
    fn new(
        state: &dyn Session,
        schema: &Schema,
        projection: Vec<usize>,
        conditions: &[Expr],
    ) -> Result<Self> {
        let output_count = projection.len();
        let mut read = projection;
        let Some(predicate) = conjunction(conditions.to_vec()) else {
            return Ok(Self { read, output_count, predicate: None, on_attributes: None });
        };
        let mut needed: Vec<_> = predicate.column_refs().into_iter().collect();
        needed.sort_by(|a, b| a.name.cmp(&b.name));
        for column in needed {
            let at = schema.index_of(&column.name)?;
            if !read.contains(&at) {
                read.push(at);
            }
        }
        let input = DFSchema::try_from(schema.project(&read)?)?;
        let is_on_attributes = |condition: &&Expr| {
            let columns = condition.column_refs();
            columns.iter().any(|c| {
                schema
                    .field_with_name(&c.name)
                    .is_ok_and(|f| AttributeColumn::of_field(f).is_some())
            })
        };
        let on_attributes = conjunction(conditions.iter().filter(is_on_attributes).cloned());
        let physical = |expr| state.create_physical_expr(expr, &input);
        Ok(Self {
            predicate: Some(physical(predicate)?),
            on_attributes: on_attributes.map(physical).transpose()?,
            read,
            output_count,
        })
    }

    fn around(
        &self,
        input: Arc<dyn ExecutionPlan>,
        is_files: bool,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(predicate) = &self.predicate else {
            return Ok(input);
        };
        let mut filtered: Arc<dyn ExecutionPlan> =
            Arc::new(FilterExec::try_new(Arc::clone(predicate), input)?);
        if let Some(condition) = self.on_attributes.as_ref().filter(|_| is_files) {
            filtered = Arc::new(RecheckExec::try_new(Arc::clone(condition), filtered)?);
        }
        if self.output_count == self.read.len() {
            return Ok(filtered);
        }
        let schema = filtered.schema();
        let kept = schema.fields().iter().take(self.output_count).enumerate().map(|(at, field)| {
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), at));
            (column, field.name().clone())
        });
        Ok(Arc::new(ProjectionExec::try_new(kept.collect::<Vec<_>>(), filtered)?))
    }
}

#[async_trait]
impl TableProvider for StoredSpans {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let projection =
            projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        // Conditions name columns by table; the plan below knows one table only.
        let conditions: Vec<Expr> = filters
            .iter()
            .map(|filter| {
                let filter = predicate::with_own_columns(filter.clone())?;
                predicate::unqualified(predicate::to_storage(&filter))
            })
            .collect::<Result<_>>()?;
        for key in conditions.iter().flat_map(predicate::keys_in_map) {
            self.snapshot().filtered_keys.add(&key);
        }
        let by_time = self.candidates(&conditions);
        let files_by_time = by_time.len();
        let by_bloom = self.by_bloom(by_time, &conditions).await?;
        let files_by_bloom = by_bloom.len();
        let (files, row_groups) = self.by_dictionaries(state, by_bloom, &conditions).await?;
        let extent = Extent {
            files_total: self.snapshot().files.len(),
            files_by_time,
            files_by_bloom,
            files_kept: files.len(),
            row_groups,
            recent_rows: self.snapshot().recent.iter().map(|batch| batch.num_rows()).sum(),
        };
        let frame = Frame::new(state, &self.schema, projection.clone(), &conditions)?;
        let mut sides = Vec::new();
        if extent.recent_rows > 0 {
            let recent = self.recent(state.config().target_partitions(), &frame.read)?;
            sides.push(frame.around(recent, false)?);
        }
        if !files.is_empty() {
            sides.push(frame.around(self.files(state, files, &frame.read)?, true)?);
        }
        let input = match (sides.len(), sides.pop()) {
            (_, None) => Arc::new(EmptyExec::new(project_schema(&self.schema, Some(&projection))?)),
            (1, Some(only)) => only,
            (_, Some(last)) => {
                sides.push(last);
                UnionExec::try_new(sides)?
            }
        };
        let files = Arc::clone(&self.snapshot().files);
        Ok(Arc::new(PrunedExec::new(input, extent, files)))
    }
}
