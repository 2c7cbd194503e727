//! Conditions on attribute columns, checked once more above the files.
//!
//! A file that lacks a column answers for it from its map of attributes, and the Parquet reader
//! leaves out conditions on maps although it promised to apply the condition on the column. So
//! these conditions are applied to what comes out of the reader as well; where it did apply them,
//! few rows are left to check.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::plan_datafusion_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

/// A filter that stays where it is: conditions are neither moved into it nor out of it.
#[derive(Debug)]
pub(crate) struct RecheckExec(FilterExec);

impl RecheckExec {
    /// Keeps the rows of `input` for which `condition` holds.
    pub(crate) fn try_new(
        condition: Arc<dyn PhysicalExpr>,
        input: Arc<dyn ExecutionPlan>,
    ) -> Result<Self> {
        FilterExec::try_new(condition, input).map(Self)
    }
}

impl DisplayAs for RecheckExec {
    fn fmt_as(&self, _kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecheckExec: {}", self.0.predicate())
    }
}

impl ExecutionPlan for RecheckExec {
    fn name(&self) -> &'static str {
        "RecheckExec"
    }

    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.0.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.0.children()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        visit(self.0.predicate())
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| plan_datafusion_err!("a filter has one input"))?;
        Ok(Arc::new(Self::try_new(Arc::clone(self.0.predicate()), input)?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.0.execute(partition, context)
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }
}
