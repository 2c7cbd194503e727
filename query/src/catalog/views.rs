//! The tables users see, as views over the stored spans.
//!
//! Views are plans, so conditions and the choice of columns reach the storage by themselves: a filter
//! on `trace_id` of any of these tables prunes files, row groups and pages. Field metadata marks
//! what ids and attributes are, for comparisons and for output.

use std::collections::BTreeMap;
use std::sync::Arc;

use causeway_model::batch::{AttributeColumn, AttributeKind};
use causeway_model::columns::name;
use datafusion::common::Column;
use datafusion::common::metadata::FieldMetadata;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, max, min};
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, col, lit};

use super::edges;
use super::stored::StoredSpans;
use super::traces;
use crate::functions::{
    self, META, META_MAP, META_SET, META_SPAN_ID, META_TRACE_ID, all_attributes, attribute, call,
    id_hex, span_duration, span_end, stamps, status_of, unix_time, unsigned,
};

/// Makes the plan of a table.
type MakeView = fn(&Arc<StoredSpans>) -> Result<LogicalPlan>;

/// Name and maker of every table, in the order of the documentation.
pub(crate) const VIEWS: &[(&str, MakeView)] = &[
    ("spans", spans),
    ("events", events),
    ("links", links),
    ("traces", traces),
    ("services", services),
    ("edges", edges::edges),
    ("attribute_columns", attribute_columns),
];

/// A scan of the storage columns.
pub(crate) fn stored(table: &Arc<StoredSpans>) -> Result<LogicalPlanBuilder> {
    let provider: Arc<StoredSpans> = Arc::clone(table);
    LogicalPlanBuilder::scan("stored", provider_as_source(provider), None)
}

fn meant(expr: Expr, name: &str, meaning: &str) -> Expr {
    let metadata = BTreeMap::from([(META.to_owned(), meaning.to_owned())]);
    expr.alias_with_metadata(name, Some(FieldMetadata::from(metadata)))
}

fn hex(column: &str) -> Expr {
    call(id_hex::NAME, vec![col(column)])
}

fn end() -> Expr {
    call(span_end::NAME, vec![col(name::START_TIME_UNIX_NANO), col(name::DURATION_NS)])
}

fn resource(key: &str) -> Expr {
    call(attribute::NAME, vec![col(name::RESOURCE_ATTRIBUTES), lit(key)])
}

/// The attributes of a span, wherever they are stored.
pub(crate) fn all_attributes(table: &StoredSpans) -> Expr {
    let mut args = vec![col(name::ATTRIBUTES), col(name::ATTRIBUTE_KEYS)];
    for column in table.attribute_columns().iter() {
        args.push(lit(column.key.as_str()));
        args.push(Expr::Column(Column::new_unqualified(column.field().name())));
    }
    call(all_attributes::NAME, args)
}

/// The columns of `spans`.
pub(crate) fn span_columns(table: &StoredSpans) -> Vec<Expr> {
    let start = || col(name::START_TIME_UNIX_NANO);
    vec![
        meant(hex(name::TRACE_ID), name::TRACE_ID, META_TRACE_ID),
        meant(hex(name::SPAN_ID), name::SPAN_ID, META_SPAN_ID),
        meant(hex(name::PARENT_SPAN_ID), name::PARENT_SPAN_ID, META_SPAN_ID),
        col(name::NAME),
        col(name::KIND),
        call(unix_time::NAME, vec![start()]).alias("start_time"),
        call(unix_time::NAME, vec![end()]).alias("end_time"),
        call(unsigned::NAME, vec![start()]).alias("start_time_unix_nano"),
        call(unsigned::NAME, vec![end()]).alias("end_time_unix_nano"),
        call(span_duration::NAME, vec![start(), col(name::DURATION_NS)]).alias("duration_ns"),
        call(status_of::NAME, vec![col(name::STATUS_CODE)]).alias("status_code"),
        col(name::STATUS_MESSAGE),
        col(name::SERVICE_NAME),
        resource("service.namespace").alias("service_namespace"),
        resource("service.instance.id").alias("service_instance_id"),
        resource("service.version").alias("service_version"),
        col(name::SCOPE_NAME),
        col(name::SCOPE_VERSION),
        col(name::TRACE_STATE),
        col(name::FLAGS),
        meant(all_attributes(table), "attributes", META_MAP),
        col(name::RESOURCE_ATTRIBUTES),
        col(name::SCOPE_ATTRIBUTES),
        call("span_events", vec![col(name::EVENTS)]).alias("events"),
        call("span_links", vec![col(name::LINKS)]).alias("links"),
        col(name::RESOURCE_SCHEMA_URL),
        col(name::SCOPE_SCHEMA_URL),
        col(name::RESOURCE_ENTITY_REFS),
        col(name::DROPPED_ATTRIBUTES_COUNT),
        col(name::DROPPED_EVENTS_COUNT),
        col(name::DROPPED_LINKS_COUNT),
        col(name::RESOURCE_DROPPED_ATTRIBUTES_COUNT),
        col(name::SCOPE_DROPPED_ATTRIBUTES_COUNT),
        call(unix_time::NAME, vec![col(name::RECEIVED_AT_UNIX_NANO)]).alias("received_at"),
        col(name::CLOCK_FLAGS),
        col(name::HLC_START),
        col(name::HLC_START_LEAD),
        col(name::HLC_END),
        col(name::HLC_END_LEAD),
        meant(hex(name::HLC_NODE), name::HLC_NODE, META_SPAN_ID),
        meant(hex(name::HLC_END_NODE), name::HLC_END_NODE, META_SPAN_ID),
        meant(hex(name::RECV_NODE), name::RECV_NODE, META_SPAN_ID),
        col(name::RECV_HLC),
        col(name::RECV_LEAD),
        call(stamps::LIST, vec![col(name::RESP)]).alias(name::RESP),
        call(stamps::ONE, vec![col(name::HLC_REJECT)]).alias(name::HLC_REJECT),
    ]
}

fn spans(table: &Arc<StoredSpans>) -> Result<LogicalPlan> {
    stored(table)?.project(span_columns(table))?.build()
}

/// One row per element of a list column, with what identifies its span.
fn unnested(table: &Arc<StoredSpans>, list: &str, function: &str) -> Result<LogicalPlanBuilder> {
    stored(table)?
        .project(vec![
            hex(name::TRACE_ID).alias("of_trace"),
            hex(name::SPAN_ID).alias("of_span"),
            col(name::SERVICE_NAME),
            col(name::NAME).alias("span_name"),
            call(function, vec![col(list)]).alias("item"),
        ])?
        .unnest_column("item")
}

fn item(field: &str) -> Expr {
    get_field(col("item"), field)
}

fn events(table: &Arc<StoredSpans>) -> Result<LogicalPlan> {
    unnested(table, name::EVENTS, "span_events")?
        .filter(col("item").is_not_null())?
        .project(vec![
            meant(col("of_trace"), "trace_id", META_TRACE_ID),
            meant(col("of_span"), "span_id", META_SPAN_ID),
            col(name::SERVICE_NAME),
            col("span_name"),
            item("time").alias("time"),
            item("time_unix_nano").alias("time_unix_nano"),
            item("name").alias("name"),
            meant(item("attributes"), "attributes", META_SET),
            item("dropped_attributes_count").alias("dropped_attributes_count"),
        ])?
        .build()
}

/// A part of the stamp that a link carries.
fn of_stamp(field: &str) -> Expr {
    get_field(call(stamps::CARRIED, vec![item("trace_state")]), field)
}

fn links(table: &Arc<StoredSpans>) -> Result<LogicalPlan> {
    unnested(table, name::LINKS, "span_links")?
        .filter(col("item").is_not_null())?
        .project(vec![
            meant(col("of_trace"), "trace_id", META_TRACE_ID),
            meant(col("of_span"), "span_id", META_SPAN_ID),
            col(name::SERVICE_NAME),
            col("span_name"),
            meant(item("trace_id"), "linked_trace_id", META_TRACE_ID),
            meant(item("span_id"), "linked_span_id", META_SPAN_ID),
            item("trace_state").alias("trace_state"),
            meant(item("attributes"), "attributes", META_SET),
            item("dropped_attributes_count").alias("dropped_attributes_count"),
            item("flags").alias("flags"),
            meant(of_stamp("node"), name::HLC_NODE, META_SPAN_ID),
            of_stamp("hlc").alias("hlc"),
            of_stamp("lead").alias("hlc_lead"),
        ])?
        .build()
}

fn traces(table: &Arc<StoredSpans>) -> Result<LogicalPlan> {
    let mut columns = vec![meant(hex(name::TRACE_ID), name::TRACE_ID, META_TRACE_ID)];
    for field in traces::schema().fields().iter().skip(1) {
        let value = col(field.name().as_str());
        if field.name() == "start_time_unix_nano" {
            columns.push(call(unix_time::NAME, vec![value.clone()]).alias("start_time"));
        }
        columns.push(match functions::meaning(field) {
            Some(meaning) => meant(value, field.name(), meaning),
            None => value,
        });
    }
    let provider = Arc::new(traces::StoredTraces::new(table.reader().clone()));
    LogicalPlanBuilder::scan("stored_traces", provider_as_source(provider), None)?
        .project(columns)?
        .build()
}

fn services(table: &Arc<StoredSpans>) -> Result<LogicalPlan> {
    let start = || call(unix_time::NAME, vec![col(name::START_TIME_UNIX_NANO)]);
    let errors = count(lit(1_i64)).filter(col(name::STATUS_CODE).eq(lit(2_i32))).build()?;
    let instance = resource("service.instance.id");
    stored(table)?
        .aggregate(
            vec![col(name::SERVICE_NAME)],
            vec![
                count(lit(1_i64)).alias("span_count"),
                errors.alias("error_count"),
                count_distinct(col(name::TRACE_ID)).alias("trace_count"),
                count_distinct(instance).alias("instance_count"),
                min(start()).alias("first_start_time"),
                max(start()).alias("last_start_time"),
            ],
        )?
        .project(vec![
            col(name::SERVICE_NAME),
            col("span_count"),
            col("error_count"),
            col("trace_count"),
            col("instance_count"),
            col("first_start_time"),
            col("last_start_time"),
        ])?
        .build()
}

/// The attributes that are kept in columns of their own.
fn attribute_columns(table: &Arc<StoredSpans>) -> Result<LogicalPlan> {
    let known = table.attribute_columns();
    let row = |column: &AttributeColumn| {
        let kind = match column.kind {
            AttributeKind::Text => "text",
            AttributeKind::Int => "int",
        };
        vec![lit(column.key.as_str()), lit(column.field().name().as_str()), lit(kind)]
    };
    let rows: Vec<_> = known.iter().map(row).collect();
    let is_empty = rows.is_empty();
    let plan = LogicalPlanBuilder::values(if is_empty { vec![vec![lit(""); 3]] } else { rows })?;
    let plan = if is_empty { plan.filter(lit(false))? } else { plan };
    plan.project(vec![
        col("column1").alias("key"),
        col("column2").alias("column_name"),
        col("column3").alias("type"),
    ])?
    .build()
}
