//! Sessions: one per statement, all made from one template, each over one snapshot.
//!
//! The runtime (memory pool, metadata cache, table root) is shared by all of them, so its limits
//! hold for all queries together.

use std::sync::Arc;

use async_trait::async_trait;
use causeway_store::Snapshot;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProviderList, SchemaProvider, TableProvider,
};
use datafusion::common::ParamValues;
use datafusion::datasource::{TableType, ViewTable};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, GreedyMemoryPool, MemoryPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::execution::{FunctionRegistry, SessionStateDefaults, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

use super::attributes::{AttributeAccess, Comparisons};
use super::questions::{self, Answers, QuestionFunction};
use super::root::TableRoot;
use super::stored::StoredSpans;
use super::{statement, trace_functions, views};
use crate::error::{QueryError, Result};
use crate::functions;
use crate::read::{Footers, Reader, RecentParts};
use crate::settings::QuerySettings;
use crate::watch::TraceWatch;

const CATALOG: &str = "causeway";
const SCHEMA: &str = "public";

/// Makes sessions.
#[derive(Debug)]
pub(crate) struct Catalog {
    template: SessionState,
    root: Arc<TableRoot>,
    footers: Footers,
    recent_parts: RecentParts,
    threads: usize,
    time: std::time::Duration,
    trace_spans_max: usize,
    statement_bytes_max: usize,
    watch: Arc<TraceWatch>,
}

impl Catalog {
    /// Prepares everything that sessions share.
    pub(crate) fn new(settings: &QuerySettings, watch: Arc<TraceWatch>) -> Result<Self> {
        let root = Arc::new(TableRoot::default());
        let mut config = SessionConfig::new()
            .with_target_partitions(settings.query_threads.max(1))
            .with_information_schema(true)
            .with_default_catalog_and_schema(CATALOG, SCHEMA)
            .with_create_default_catalog_and_schema(false);
        config.options_mut().execution.parquet.schema_force_view_types = false;
        config.options_mut().execution.parquet.pushdown_filters = true;
        let mut planners = SessionStateDefaults::default_expr_planners();
        // Ours comes first: the default planner also knows maps.
        planners.insert(0, Arc::new(AttributeAccess));
        let mut template = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime(settings, Arc::clone(&root))?)
            .with_default_features()
            .with_expr_planners(planners)
            .build();
        for function in functions::all() {
            template.register_udf(Arc::clone(function))?;
        }
        template.register_function_rewrite(Arc::new(Comparisons))?;
        let footers = Footers::new(template.runtime_env().cache_manager.get_file_metadata_cache());
        Ok(Self {
            template,
            root,
            footers,
            recent_parts: RecentParts::default(),
            threads: settings.query_threads,
            time: settings.query_time_max,
            trace_spans_max: settings.trace_spans_max,
            statement_bytes_max: settings.statement_bytes_max,
            watch,
        })
    }

    /// Reads `snapshot` by trace id.
    pub(crate) fn reader(&self, snapshot: Snapshot) -> Reader {
        Reader {
            snapshot,
            footers: self.footers.clone(),
            recent_parts: self.recent_parts.clone(),
            threads: self.threads,
            time: self.time,
            trace_spans_max: self.trace_spans_max,
        }
    }

    /// A session over the snapshot of `reader`. It copies the registries of functions, which takes
    /// longer than reading a trace.
    pub(crate) fn session(&self, reader: Reader) -> Result<Session> {
        let of_traces = trace_functions::of_statement(&reader, &self.watch);
        let functions = questions::FUNCTIONS.map(|(name, arguments)| {
            let (reader, watch) = (reader.clone(), Arc::clone(&self.watch));
            (name, QuestionFunction { name, arguments, reader, watch })
        });
        let stored = Arc::new(StoredSpans::new(reader, Arc::clone(&self.root)));
        let catalogs = MemoryCatalogProviderList::new();
        let (of_tables, watch) = (Arc::clone(&stored), Arc::clone(&self.watch));
        let tables = Arc::new(Tables { stored: of_tables, watch });
        catalogs.register_catalog(CATALOG.to_owned(), tables);
        let mut state = SessionStateBuilder::new_from_existing(self.template.clone())
            .with_catalog_list(Arc::new(catalogs))
            .build();
        for (name, function) in functions {
            state.register_udtf(name, Arc::new(function));
        }
        for function in of_traces {
            state.register_udf(function)?;
        }
        // The moment that now() means throughout the statement.
        state.mark_start_execution();
        Ok(Session { state, stored, statement_bytes_max: self.statement_bytes_max })
    }
}

fn runtime(settings: &QuerySettings, root: Arc<TableRoot>) -> Result<Arc<RuntimeEnv>> {
    let bytes = settings.query_memory_bytes_max;
    let (pool, disk): (Arc<dyn MemoryPool>, _) = match &settings.spill_dir {
        // Fair shares make sorts spill before they starve others; without a disk to spill to,
        // shares would only fail queries early.
        Some(folder) => (
            Arc::new(FairSpillPool::new(bytes)),
            DiskManagerBuilder::default()
                .with_mode(DiskManagerMode::Directories(vec![folder.clone()]))
                .with_max_temp_directory_size(settings.spill_bytes_max),
        ),
        None => (
            Arc::new(GreedyMemoryPool::new(bytes)),
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
        ),
    };
    Ok(RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        .with_disk_manager_builder(disk)
        .with_object_store_registry(root)
        .with_metadata_cache_limit(settings.metadata_cache_bytes_max)
        .build_arc()?)
}

/// One statement's view of the data.
#[derive(Debug)]
pub(crate) struct Session {
    state: SessionState,
    stored: Arc<StoredSpans>,
    statement_bytes_max: usize,
}

impl Session {
    /// Plans a statement; refuses what is not a read.
    pub(crate) async fn plan_sql(
        &self,
        sql: &str,
        params: Option<ParamValues>,
    ) -> Result<LogicalPlan> {
        if sql.len() > self.statement_bytes_max {
            let message = format!("the statement has {} bytes", sql.len());
            return Err(QueryError::Limit { limit: "statement_bytes_max", message });
        }
        let dialect = self.state.config_options().sql_parser.dialect;
        let parsed = self.state.sql_to_statement(sql, &dialect)?;
        statement::check(&parsed)?;
        let plan = self.state.statement_to_plan(parsed).await?;
        statement::check_plan(&plan)?;
        match params {
            Some(params) => Ok(plan.with_param_values(params)?),
            None => Ok(plan),
        }
    }

    /// The stored spans, for plans that are built without SQL.
    pub(crate) fn stored(&self) -> &Arc<StoredSpans> {
        &self.stored
    }

    /// An executable plan.
    pub(crate) async fn physical(&self, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.state.create_physical_plan(plan).await?)
    }

    /// What an executable plan runs in.
    pub(crate) fn task(&self) -> Arc<TaskContext> {
        self.state.task_ctx()
    }
}

/// Catalog and schema in one: there is one of each.
#[derive(Debug, Clone)]
struct Tables {
    stored: Arc<StoredSpans>,
    watch: Arc<TraceWatch>,
}

impl CatalogProvider for Tables {
    fn schema_names(&self) -> Vec<String> {
        vec![SCHEMA.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        (name == SCHEMA).then(|| Arc::new(self.clone()) as Arc<dyn SchemaProvider>)
    }
}

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        let views = views::VIEWS.iter().map(|(name, _)| *name);
        views.chain(questions::TABLES.map(|(name, _)| name)).map(str::to_owned).collect()
    }

    async fn table(&self, name: &str) -> datafusion::error::Result<Option<Arc<dyn TableProvider>>> {
        if let Some((_, question)) = questions::TABLES.into_iter().find(|(known, _)| *known == name)
        {
            let (reader, watch) = (self.stored.reader().clone(), Arc::clone(&self.watch));
            return Ok(Some(Arc::new(Answers { question, reader, watch })));
        }
        let Some((_, plan)) = views::VIEWS.iter().find(|(known, _)| *known == name) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(ViewTable::new(plan(&self.stored)?, None))))
    }

    async fn table_type(&self, name: &str) -> datafusion::error::Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|known| known == name)
    }
}
