//! A line in `EXPLAIN` that tells how much of the table a scan looks at.
//!
//! Passes everything through, in execution and in optimisation. Holds the files of its snapshot
//! until the last row was read, so that the store does not delete them.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use causeway_store::DataFile;
use datafusion::common::config::ConfigOptions;
use datafusion::common::plan_datafusion_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::filter_pushdown::{FilterDescription, FilterPushdownPhase};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::StreamExt;

/// What of a snapshot a scan looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Files of the table.
    pub(crate) files_total: usize,
    /// Files that may hold matching spans by their time range.
    pub(crate) files_by_time: usize,
    /// Files of those that may hold them by their bloom filters too.
    pub(crate) files_by_bloom: usize,
    /// Files of those that may hold them by their dictionaries too: these are read.
    pub(crate) files_kept: usize,
    /// Row groups that may hold them by their dictionaries, of those whose dictionaries were looked at.
    pub(crate) row_groups: (usize, usize),
    /// Spans that are not in any file yet.
    pub(crate) recent_rows: usize,
}

/// The files of a snapshot; whoever holds them can read them.
pub(crate) type Files = Arc<Vec<Arc<DataFile>>>;

/// Shows the extent of the scan below it.
#[derive(Debug)]
pub(crate) struct PrunedExec {
    input: Arc<dyn ExecutionPlan>,
    extent: Extent,
    files: Files,
}

impl PrunedExec {
    /// Shows `extent` above `input`, which reads `files`.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, extent: Extent, files: Files) -> Self {
        Self { input, extent, files }
    }
}

impl DisplayAs for PrunedExec {
    fn fmt_as(&self, _kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Extent { files_total, files_by_time, files_by_bloom, files_kept, recent_rows, .. } =
            self.extent;
        write!(
            f,
            "SpansExec: files={files_kept} of {files_total}, \
             by_time={files_by_time}, by_bloom={files_by_bloom}, recent_rows={recent_rows}"
        )?;
        match self.extent.row_groups {
            (_, 0) => Ok(()),
            (kept, total) => write!(f, ", row_groups_by_dictionary={kept} of {total}"),
        }
    }
}

impl ExecutionPlan for PrunedExec {
    fn name(&self) -> &'static str {
        "SpansExec"
    }

    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| plan_datafusion_err!("a scan has one input"))?;
        Ok(Arc::new(Self { input, extent: self.extent, files: Arc::clone(&self.files) }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let (schema, files) = (rows.schema(), Arc::clone(&self.files));
        let rows = rows.inspect(move |_| {
            let _held = &files;
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn supports_limit_pushdown(&self) -> bool {
        self.input.output_partitioning().partition_count() > 0
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    fn gather_filters_for_pushdown(
        &self,
        _phase: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterDescription> {
        FilterDescription::from_children(parent_filters, &self.children())
    }
}
