//! What SQL writes about attributes and ids, brought into functions that mean it.
//!
//! - `attributes['key']` becomes `attribute(attributes, 'key')`.
//! - An attribute compared with a number becomes `compare_number(attribute, number) <op> 0`, wherever
//!   the comparison stands (WHERE, CASE, HAVING, JOIN, the select list), before types are coerced.
//! - An id compared with text compares with the canonical text: any case, zeros on the left optional.
//!
//! Attributes and ids are recognised by field metadata, so they stay what they are in subqueries,
//! under other names and as group keys.

use arrow::datatypes::{DataType, Field};
use causeway_model::{SpanId, TraceId};
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Case, InList};
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, GetFieldAccess, Operator, binary_expr, lit,
};
use datafusion::scalar::ScalarValue;

use crate::functions::{
    META_ATTRIBUTE, META_MAP, META_SET, META_SPAN_ID, META_TRACE_ID, attribute, call,
    compare_number, meaning,
};

/// Plans `attributes['key']`.
#[derive(Debug)]
pub(crate) struct AttributeAccess;

impl ExprPlanner for AttributeAccess {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let is_attributes = means(&access.expr, schema, &[META_MAP, META_SET]);
        let function = match means(&access.expr, schema, &[META_MAP]) {
            true => attribute::OF_SPAN,
            false => attribute::NAME,
        };
        Ok(match &access.field_access {
            GetFieldAccess::NamedStructField { name } if is_attributes => {
                let key = Expr::Literal(name.clone(), None);
                PlannerResult::Planned(call(function, vec![access.expr, key]))
            }
            GetFieldAccess::ListIndex { key } if is_attributes => {
                let key = key.as_ref().clone();
                PlannerResult::Planned(call(function, vec![access.expr, key]))
            }
            _ => PlannerResult::Original(access),
        })
    }
}

fn means(expr: &Expr, schema: &DFSchema, meanings: &[&str]) -> bool {
    let has_meaning = |field: &Field| meaning(field).is_some_and(|m| meanings.contains(&m));
    expr.to_field(schema).is_ok_and(|(_, field)| has_meaning(&field))
}

/// Rewrites comparisons of attributes and ids.
#[derive(Debug)]
pub(crate) struct Comparisons;

impl FunctionRewrite for Comparisons {
    fn name(&self) -> &'static str {
        "causeway_comparisons"
    }

    fn rewrite(
        &self,
        expr: Expr,
        schema: &DFSchema,
        _config: &ConfigOptions,
    ) -> Result<Transformed<Expr>> {
        let rewritten = match &expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                comparison(left, *op, right, schema)
            }
            Expr::Between(between) => rewrite_between(between, schema),
            Expr::InList(list) => in_list(list, schema),
            Expr::Case(case) => simple_case(case, schema),
            _ => None,
        };
        Ok(rewritten.map_or_else(|| Transformed::no(expr), Transformed::yes))
    }
}

/// `left op right` in other words, if one side is an attribute or an id.
fn comparison(left: &Expr, op: Operator, right: &Expr, schema: &DFSchema) -> Option<Expr> {
    use Operator as O;
    let is_comparison = matches!(
        op,
        O::Eq
            | O::NotEq
            | O::Lt
            | O::LtEq
            | O::Gt
            | O::GtEq
            | O::IsDistinctFrom
            | O::IsNotDistinctFrom
    );
    if !is_comparison {
        return None;
    }
    one_sided(left, op, right, schema).or_else(|| one_sided(right, op.swap()?, left, schema))
}

fn one_sided(subject: &Expr, op: Operator, other: &Expr, schema: &DFSchema) -> Option<Expr> {
    let (_, field) = subject.to_field(schema).ok()?;
    if !is_text(field.data_type()) {
        return None;
    }
    match meaning(&field)? {
        META_ATTRIBUTE => with_number(subject, op, other, schema),
        META_TRACE_ID => {
            let id = text(other)?.parse::<TraceId>().ok()?.to_string();
            (text(other)? != id).then(|| binary_expr(subject.clone(), op, lit(id)))
        }
        META_SPAN_ID => {
            let id = text(other)?.parse::<SpanId>().ok()?.to_string();
            (text(other)? != id).then(|| binary_expr(subject.clone(), op, lit(id)))
        }
        _ => None,
    }
}

fn with_number(subject: &Expr, op: Operator, other: &Expr, schema: &DFSchema) -> Option<Expr> {
    let other_type = other.get_type(schema).ok()?;
    if other_type == DataType::Boolean {
        let Expr::Literal(ScalarValue::Boolean(Some(value)), _) = other else {
            return None;
        };
        return Some(binary_expr(subject.clone(), op, lit(value.to_string())));
    }
    let is_distinct = matches!(op, Operator::IsDistinctFrom | Operator::IsNotDistinctFrom);
    // With a column on the other side both may be null, which a comparison with 0 cannot tell.
    if !other_type.is_numeric() || (is_distinct && !matches!(other, Expr::Literal(..))) {
        return None;
    }
    let order = call(compare_number::NAME, vec![subject.clone(), other.clone()]);
    Some(binary_expr(order, op, lit(0_i32)))
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_text(value),
        other => other.is_string(),
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str()?,
        _ => None,
    }
}

fn rewrite_between(between: &Between, schema: &DFSchema) -> Option<Expr> {
    let Between { expr, negated, low, high } = between;
    let from = comparison(expr, Operator::GtEq, low, schema);
    let to = comparison(expr, Operator::LtEq, high, schema);
    if from.is_none() && to.is_none() {
        return None;
    }
    let from = from.unwrap_or_else(|| expr.as_ref().clone().gt_eq(low.as_ref().clone()));
    let to = to.unwrap_or_else(|| expr.as_ref().clone().lt_eq(high.as_ref().clone()));
    let both = from.and(to);
    Some(if *negated { Expr::Not(Box::new(both)) } else { both })
}

fn in_list(in_list: &InList, schema: &DFSchema) -> Option<Expr> {
    let InList { expr, list, negated } = in_list;
    let mut is_changed = false;
    let (mut plain, mut others) = (Vec::new(), Vec::new());
    for item in list {
        match comparison(expr, Operator::Eq, item, schema) {
            // An id, or text in place of a boolean: still one text of the list.
            Some(Expr::BinaryExpr(equal)) if *equal.left == **expr => {
                is_changed = true;
                plain.push(*equal.right);
            }
            Some(other) => {
                is_changed = true;
                others.push(other);
            }
            None => plain.push(item.clone()),
        }
    }
    if !is_changed {
        return None;
    }
    if !plain.is_empty() {
        others.push(expr.as_ref().clone().in_list(plain, false));
    }
    let any = balanced_or(others)?;
    Some(if *negated { Expr::Not(Box::new(any)) } else { any })
}

/// Any of the alternatives, as a shallow tree: lists may be long and plans are walked recursively.
fn balanced_or(mut alternatives: Vec<Expr>) -> Option<Expr> {
    while alternatives.len() > 1 {
        let mut pairs = Vec::with_capacity(alternatives.len().div_ceil(2));
        let mut rest = alternatives.into_iter();
        while let Some(first) = rest.next() {
            pairs.push(match rest.next() {
                Some(second) => first.or(second),
                None => first,
            });
        }
        alternatives = pairs;
    }
    alternatives.pop()
}

/// `CASE attribute WHEN 5 THEN ..` as a searched case.
fn simple_case(case: &Case, schema: &DFSchema) -> Option<Expr> {
    let base = case.expr.as_ref()?;
    let compare = |when: &Expr| comparison(base, Operator::Eq, when, schema);
    if !case.when_then_expr.iter().any(|(when, _)| compare(when).is_some()) {
        return None;
    }
    let branches = case.when_then_expr.iter().map(|(when, then)| {
        let equal = || base.as_ref().clone().eq(when.as_ref().clone());
        (Box::new(compare(when).unwrap_or_else(equal)), then.clone())
    });
    Some(Expr::Case(Case::new(None, branches.collect(), case.else_expr.clone())))
}
