//! Conditions on what users see, as conditions on what is stored.
//!
//! The views are made of functions over storage columns, so a condition arrives here as, say,
//! `id_hex(trace_id) = 'ab..'`. Undoing the function gives `trace_id = X'AB..'`, which statistics,
//! page indexes and bloom filters can answer without reading. Only conditions that must hold are
//! rewritten (under AND and OR, never under NOT), so "unknown" and "false" need not be told apart.
//! What cannot be undone stays as it is: it is still exact, only not pruned.

use std::ops::RangeInclusive;

use causeway_model::columns::name;
use causeway_model::ids::unhex;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, InList, ScalarFunction};
use datafusion::logical_expr::utils::{conjunction, disjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, binary_expr, lit};
use datafusion::scalar::ScalarValue;

use crate::functions::{
    attribute, id_hex, span_duration, span_end, status_of, unix_time, unsigned,
};

/// The expression with single attributes taken from their columns instead of from the map of all.
pub(crate) fn with_own_columns(expr: Expr) -> Result<Expr> {
    let simpler = expr.transform_up(|expr| {
        let simpler = match &expr {
            Expr::ScalarFunction(ScalarFunction { func, args })
                if [attribute::NAME, attribute::OF_SPAN].contains(&func.name()) =>
            {
                attribute::simplified(args)
            }
            _ => None,
        };
        Ok(simpler.map_or_else(|| Transformed::no(expr), Transformed::yes))
    })?;
    Ok(simpler.data)
}

/// The keys of attributes that a condition looks up in the map, as they have no column.
pub(crate) fn keys_in_map(condition: &Expr) -> Vec<String> {
    let mut keys = Vec::new();
    // The visitor never fails.
    let _ = condition.apply(|expr| {
        if let Expr::ScalarFunction(ScalarFunction { func, args }) = expr
            && [attribute::NAME, attribute::OF_SPAN].contains(&func.name())
            && let [Expr::Column(column), Expr::Literal(key, _)] = args.as_slice()
            && column.name == name::ATTRIBUTES
        {
            keys.extend(key.try_as_str().flatten().map(str::to_owned));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    keys
}

/// Rewrites a condition that must hold.
pub(crate) fn to_storage(condition: &Expr) -> Expr {
    rewritten(condition).unwrap_or_else(|| condition.clone())
}

fn rewritten(condition: &Expr) -> Option<Expr> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And | Operator::Or => {
                Some(binary_expr(to_storage(left), *op, to_storage(right)))
            }
            _ => match (constant(left), constant(right)) {
                (None, Some(value)) => comparison(left, *op, value),
                (Some(value), None) => comparison(right, op.swap()?, value),
                _ => None,
            },
        },
        Expr::Between(Between { expr, negated: false, low, high }) => {
            let low = comparison(expr, Operator::GtEq, constant(low)?)?;
            Some(low.and(comparison(expr, Operator::LtEq, constant(high)?)?))
        }
        Expr::InList(InList { expr, list, negated: false }) => in_list(expr, list),
        _ => None,
    }
}

fn constant(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) if !value.is_null() => Some(value),
        _ => None,
    }
}

/// The function behind a user column and its arguments. Casts that DataFusion adds to bring two
/// timestamps to one time zone do not change the moment.
fn call(expr: &Expr) -> Option<(&str, &[Expr])> {
    match expr {
        Expr::ScalarFunction(ScalarFunction { func, args }) => Some((func.name(), args)),
        Expr::Cast(cast) if cast.field.data_type().is_temporal() => {
            call(&cast.expr).filter(|(name, _)| *name == unix_time::NAME)
        }
        _ => None,
    }
}

fn comparison(expr: &Expr, op: Operator, value: &ScalarValue) -> Option<Expr> {
    let (function, args) = call(expr)?;
    match (function, args) {
        (id_hex::NAME, [id]) => id_comparison(id, op, value.try_as_str()??),
        (unix_time::NAME, [time]) => time_comparison(time, op, nanos(value)?),
        (unsigned::NAME, [bits]) => match value {
            ScalarValue::UInt64(Some(value)) => unsigned_comparison(bits, op, *value),
            _ => None,
        },
        (span_duration::NAME, [start, duration]) => {
            let end = crate::functions::call(span_end::NAME, vec![start.clone(), duration.clone()]);
            let usable = start.clone().gt(lit(0_i64)).and(end.gt(lit(0_i64)));
            let value = Expr::Literal(value.clone(), None);
            is_comparison(op).then(|| binary_expr(duration.clone(), op, value).and(usable))
        }
        (status_of::NAME, [code]) => status_comparison(code, op, value),
        _ => None,
    }
}

fn is_comparison(op: Operator) -> bool {
    use Operator as O;
    matches!(op, O::Eq | O::NotEq | O::Lt | O::LtEq | O::Gt | O::GtEq)
}

fn id_comparison(id: &Expr, op: Operator, text: &str) -> Option<Expr> {
    let is_canonical = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let bytes = is_canonical.then(|| unhex(text)).flatten();
    match (op, bytes) {
        // Hex keeps the order of bytes, so every comparison can be undone.
        (_, Some(bytes)) if is_comparison(op) => {
            Some(binary_expr(id.clone(), op, lit(ScalarValue::Binary(Some(bytes)))))
        }
        (Operator::Eq, None) => Some(lit(false)),
        _ => None,
    }
}

/// Nanoseconds of a timestamp constant of any unit; `None` where they do not fit.
pub(crate) fn nanos(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::TimestampNanosecond(Some(t), _) => Some(*t),
        ScalarValue::TimestampMicrosecond(Some(t), _) => t.checked_mul(1_000),
        ScalarValue::TimestampMillisecond(Some(t), _) => t.checked_mul(1_000_000),
        ScalarValue::TimestampSecond(Some(t), _) => t.checked_mul(1_000_000_000),
        _ => None,
    }
}

/// `time` counts only when it is above zero, which a lower bound implies.
fn time_comparison(time: &Expr, op: Operator, value: i64) -> Option<Expr> {
    let compared = binary_expr(time.clone(), op, lit(value));
    let is_set = time.clone().gt(lit(0_i64));
    match op {
        Operator::Eq | Operator::Gt | Operator::GtEq if value > 0 => Some(compared),
        _ if is_comparison(op) => Some(is_set.and(compared)),
        _ => None,
    }
}

/// Unsigned order on signed bits: what is negative comes after all that is not.
fn unsigned_comparison(bits: &Expr, op: Operator, value: u64) -> Option<Expr> {
    let signed = value.cast_signed();
    let compared = binary_expr(bits.clone(), op, lit(signed));
    let (low, high) = (bits.clone().gt_eq(lit(0_i64)), bits.clone().lt(lit(0_i64)));
    match (op, signed >= 0) {
        (Operator::Eq | Operator::NotEq, _) => Some(compared),
        (Operator::Lt | Operator::LtEq, true) => Some(low.and(compared)),
        (Operator::Lt | Operator::LtEq, false) => Some(low.or(compared)),
        (Operator::Gt | Operator::GtEq, true) => Some(high.or(compared)),
        (Operator::Gt | Operator::GtEq, false) => Some(high.and(compared)),
        _ => None,
    }
}

/// A null code is 0.
fn status_comparison(code: &Expr, op: Operator, value: &ScalarValue) -> Option<Expr> {
    let ScalarValue::Int32(Some(value)) = value else {
        return None;
    };
    let holds_for_unset = match op {
        Operator::Eq => 0 == *value,
        Operator::NotEq => 0 != *value,
        Operator::Lt => 0 < *value,
        Operator::LtEq => 0 <= *value,
        Operator::Gt => 0 > *value,
        Operator::GtEq => 0 >= *value,
        _ => return None,
    };
    let compared = binary_expr(code.clone(), op, lit(*value));
    Some(if holds_for_unset { compared.or(code.clone().is_null()) } else { compared })
}

fn in_list(expr: &Expr, list: &[Expr]) -> Option<Expr> {
    let (function, args) = call(expr)?;
    if function == id_hex::NAME {
        let texts: Option<Vec<&str>> =
            list.iter().map(|item| constant(item)?.try_as_str()?).collect();
        let ids = texts?.into_iter().filter_map(|text| {
            let is_canonical = !text.bytes().any(|b| b.is_ascii_uppercase());
            unhex(text).filter(|_| is_canonical)
        });
        let ids = ids.map(|id| lit(ScalarValue::Binary(Some(id)))).collect();
        return args.first().map(|id| id.clone().in_list(ids, false));
    }
    let alternatives: Option<Vec<Expr>> =
        list.iter().map(|item| comparison(expr, Operator::Eq, constant(item)?)).collect();
    disjunction(alternatives?)
}

/// The stored start times that rows may have under conditions that must all hold; `None` when
/// nothing is known.
pub(crate) fn start_range(conditions: &[Expr]) -> Option<RangeInclusive<i64>> {
    let joined = conjunction(conditions.to_vec())?;
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    for condition in split_conjunction(&joined) {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else {
            continue;
        };
        let (Expr::Column(column), Some(ScalarValue::Int64(Some(value)))) =
            (left.as_ref(), constant(right))
        else {
            continue;
        };
        if column.name != name::START_TIME_UNIX_NANO {
            continue;
        }
        match op {
            Operator::Eq => (low, high) = (low.max(*value), high.min(*value)),
            Operator::Gt => low = low.max(value.saturating_add(1)),
            Operator::GtEq => low = low.max(*value),
            Operator::Lt => high = high.min(value.saturating_sub(1)),
            Operator::LtEq => high = high.min(*value),
            _ => {}
        }
    }
    ((low, high) != (i64::MIN, i64::MAX)).then_some(low..=high)
}

/// The only trace ids that rows may have under conditions that must all hold; `None` when nothing
/// is known.
pub(crate) fn trace_ids(conditions: &[Expr]) -> Option<Vec<Vec<u8>>> {
    let joined = conjunction(conditions.to_vec())?;
    // Every one of them is a bound; the tightest is worth the most.
    let bounds = split_conjunction(&joined).into_iter().filter_map(ids_of);
    bounds.min_by_key(Vec::len)
}

fn ids_of(condition: &Expr) -> Option<Vec<Vec<u8>>> {
    let is_trace_id =
        |expr: &Expr| matches!(expr, Expr::Column(column) if column.name == name::TRACE_ID);
    let bytes = |expr: &Expr| match constant(expr) {
        Some(ScalarValue::Binary(Some(id))) => Some(id.clone()),
        _ => None,
    };
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_trace_id(left) => {
            Some(vec![bytes(right)?])
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Some([ids_of(left)?, ids_of(right)?].concat())
        }
        Expr::InList(InList { expr, list, negated: false }) if is_trace_id(expr) => {
            list.iter().map(bytes).collect()
        }
        _ => None,
    }
}

/// The expression with the table's name taken off its columns.
pub(crate) fn unqualified(expr: Expr) -> Result<Expr> {
    let renamed = expr.transform(|expr| {
        Ok(match expr {
            Expr::Column(column) if column.relation.is_some() => {
                Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))
            }
            other => Transformed::no(other),
        })
    });
    Ok(renamed?.data)
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::col;

    use super::*;
    use crate::functions::call as function;

    fn check(condition: &Expr, expected: &str) {
        assert_eq!(to_storage(condition).to_string(), expected);
    }

    #[test]
    fn ids_are_compared_as_bytes() {
        let id = function(id_hex::NAME, vec![col("trace_id")]);
        check(&id.clone().eq(lit("00ff")), "trace_id = Binary(\"0,255\")");
        check(&id.clone().eq(lit("00FF")), "Boolean(false)");
        check(&lit("00ff").eq(id.clone()), "trace_id = Binary(\"0,255\")");
        check(&id.clone().eq(lit("nonsense")), "Boolean(false)");
        check(&id.in_list(vec![lit("0a"), lit("x")], false), "trace_id IN ([Binary(\"10\")])");
    }

    #[test]
    fn times_count_only_when_usable() {
        let start = function(unix_time::NAME, vec![col("s")]);
        let at = |n| lit(ScalarValue::TimestampNanosecond(Some(n), Some("UTC".into())));
        check(&start.clone().gt_eq(at(5)), "s >= Int64(5)");
        check(&start.clone().lt(at(5)), "s > Int64(0) AND s < Int64(5)");
        check(&start.gt(at(-5)), "s > Int64(0) AND s > Int64(-5)");
        let exact = function(unsigned::NAME, vec![col("s")]);
        check(&exact.clone().gt(lit(5_u64)), "s < Int64(0) OR s > Int64(5)");
        check(&exact.clone().lt(lit(u64::MAX)), "s >= Int64(0) OR s < Int64(-1)");
        check(&exact.eq(lit(u64::MAX)), "s = Int64(-1)");
    }

    #[test]
    fn a_missing_status_is_unset() {
        let status = function(status_of::NAME, vec![col("c")]);
        check(&status.clone().eq(lit(2_i32)), "c = Int32(2)");
        check(&status.clone().eq(lit(0_i32)), "c = Int32(0) OR c IS NULL");
        check(&status.not_eq(lit(2_i32)), "c != Int32(2) OR c IS NULL");
    }

    #[test]
    fn the_start_range_is_what_all_conditions_allow() {
        let s = col(name::START_TIME_UNIX_NANO);
        let conditions = [s.clone().gt(lit(5_i64)).and(col("x").eq(lit(1))), s.lt_eq(lit(9_i64))];
        assert_eq!(start_range(&conditions), Some(6..=9));
        assert_eq!(start_range(&[col("x").eq(lit(1_i64))]), None);
        assert_eq!(start_range(&[]), None);
    }

    #[test]
    fn wanted_trace_ids_are_found_under_and_or_and_in() {
        let id = |n: u8| lit(ScalarValue::Binary(Some(vec![n])));
        let t = || col(name::TRACE_ID);
        let other = || col("x").eq(lit(1_i64));
        assert_eq!(trace_ids(&[other(), t().eq(id(1))]), Some(vec![vec![1]]));
        assert_eq!(
            trace_ids(&[t().eq(id(1)).or(t().in_list(vec![id(2), id(3)], false)).and(other())]),
            Some(vec![vec![1], vec![2], vec![3]])
        );
        assert_eq!(trace_ids(&[t().eq(id(1)).or(other())]), None);
        assert_eq!(trace_ids(&[t().in_list(vec![id(2)], true)]), None);
        assert_eq!(trace_ids(&[t().gt(id(2))]), None);
        assert_eq!(trace_ids(&[]), None);
    }
}
