//! Which statements may run: queries, `EXPLAIN`, `SHOW` and `DESCRIBE`.
//!
//! Checked twice: the parsed statement by a list of what is allowed, and the plan by DataFusion's own
//! rules, so that a statement kind added to the parser is refused until someone allows it.

use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{SetExpr, Statement as Sql};

use crate::error::{QueryError, Result};

/// Refuses everything that is not a read.
pub(crate) fn check(statement: &Statement) -> Result<()> {
    match statement {
        Statement::Statement(sql) => check_sql(sql),
        Statement::Explain(explain) => check(&explain.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => {
            Err(refusal(&statement.to_string()))
        }
    }
}

fn check_sql(sql: &Sql) -> Result<()> {
    match sql {
        Sql::Query(query) if is_read(&query.body) => Ok(()),
        Sql::Explain { statement, .. } => check_sql(statement),
        Sql::ExplainTable { .. }
        | Sql::ShowTables { .. }
        | Sql::ShowColumns { .. }
        | Sql::ShowFunctions { .. }
        | Sql::ShowVariable { .. } => Ok(()),
        other => Err(refusal(&other.to_string())),
    }
}

fn is_read(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_none(),
        SetExpr::Query(query) => is_read(&query.body),
        SetExpr::SetOperation { left, right, .. } => is_read(left) && is_read(right),
        SetExpr::Values(_) | SetExpr::Table(_) => true,
        _ => false,
    }
}

fn refusal(text: &str) -> QueryError {
    let verb = text.split_whitespace().next().unwrap_or_default().to_uppercase();
    QueryError::BadRequest(format!(
        "{verb} is not allowed: only queries, EXPLAIN, SHOW and DESCRIBE are"
    ))
}

/// Refuses plans that would change anything.
pub(crate) fn check_plan(plan: &LogicalPlan) -> Result<()> {
    let options =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    Ok(options.verify_plan(plan)?)
}
