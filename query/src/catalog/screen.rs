//! Row groups that cannot hold what is looked for, found by trying conditions on distinct values.
//!
//! ```text
//! conditions -- those on one column of repeated text -----------> Screen
//! row group  -- its bloom filters and dictionaries, a page each ----'---> may some row fulfil them?
//! ```
//!
//! A condition on one column can hold for a row only if it holds for one of the column's distinct
//! values, or for null. Conditions on anything else may hold. So a rare value costs a look into the
//! dictionaries instead of into all pages, whatever is asked of it: equality, a pattern, a function.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Field, Schema};
use causeway_model::columns::repeated_text;
use causeway_model::value::push_json_string;
use causeway_store::DataFile;
use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::physical_plan::PhysicalExpr;

use crate::functions::{attribute, attribute_text};
use crate::read::{Dictionaries, Distinct, Reader};

/// What must hold for a row, as far as distinct values can tell.
#[derive(Debug)]
pub(crate) enum Screen {
    /// All of these.
    All(Vec<Screen>),
    /// One of these.
    Any(Vec<Screen>),
    /// A condition on one column.
    Column(OnColumn),
}

/// A condition on one column of repeated text.
#[derive(Debug)]
pub(crate) struct OnColumn {
    /// Of that column only.
    schema: Arc<Schema>,
    condition: Arc<dyn PhysicalExpr>,
    /// What a value must contain for the condition to hold.
    needle: Option<String>,
    /// The values of which it must be one; none if that is not known.
    equal_to: Vec<Vec<u8>>,
}

impl OnColumn {
    fn column(&self) -> &str {
        self.schema.fields().first().map_or("", |field| field.name())
    }

    /// Whether the condition may hold for one of these values.
    fn may_hold(&self, values: &Distinct) -> bool {
        if self.needle.as_ref().is_some_and(|needle| !values.may_contain(needle.as_bytes())) {
            return false;
        }
        values.array().is_none_or(|values| self.holds_for_any(values))
    }

    /// One that cannot be tried may hold.
    fn holds_for_any(&self, values: ArrayRef) -> bool {
        let rows = values.len();
        let Ok(batch) = RecordBatch::try_new(Arc::clone(&self.schema), vec![values]) else {
            return true;
        };
        let held = self.condition.evaluate(&batch).and_then(|held| held.into_array(rows));
        match held.as_ref().map(|held| held.as_boolean_opt()) {
            Ok(Some(held)) => held.true_count() > 0,
            _ => true,
        }
    }
}

/// Which row groups of a file to read.
#[derive(Debug)]
pub(crate) struct Screened {
    pub(crate) plan: ParquetAccessPlan,
    /// How many of them.
    pub(crate) kept: usize,
}

impl Screen {
    /// What distinct values can tell about conditions that must all hold; `None` if nothing.
    pub(crate) fn new(
        conditions: &[Expr],
        schema: &Schema,
        session: &dyn Session,
    ) -> Result<Option<Self>> {
        let mut all = Vec::new();
        for condition in conditions {
            all.extend(screen(condition, schema, session)?);
        }
        Ok((!all.is_empty()).then_some(Self::All(all)))
    }

    /// Which row groups of each file may hold a row. Blocking; `None` for a file of which nothing is
    /// known, because it cannot be read or the time is over: the scan tells.
    pub(crate) fn files(&self, reader: &Reader, files: &[DataFile]) -> Vec<Option<Screened>> {
        let budget = reader.budget();
        let one = |file| match budget.check_time().and_then(|()| reader.dictionaries(file)) {
            Ok(dictionaries) => Some(self.row_groups(&dictionaries)),
            Err(_) => None,
        };
        let share = files.len().div_ceil(reader.threads.max(1)).max(1);
        std::thread::scope(|scope| {
            let shares: Vec<_> = files
                .chunks(share)
                .map(|share| (share.len(), scope.spawn(|| share.iter().map(one).collect())))
                .collect();
            let mut all = Vec::with_capacity(files.len());
            for (count, share) in shares {
                let unknown = |_| std::iter::repeat_with(|| None).take(count).collect();
                let found: Vec<_> = share.join().unwrap_or_else(unknown);
                all.extend(found);
            }
            all
        })
    }

    fn row_groups(&self, dictionaries: &Dictionaries) -> Screened {
        let count = dictionaries.row_groups();
        let mut screened = Screened { plan: ParquetAccessPlan::new_all(count), kept: count };
        for row_group in 0..count {
            let mut group = Group { dictionaries, row_group, known: Vec::new() };
            if !self.may_hold(&mut group) {
                screened.plan.skip(row_group);
                screened.kept -= 1;
            }
        }
        screened
    }

    fn may_hold<'a>(&'a self, group: &mut Group<'a>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.may_hold(group)),
            Self::Any(any) => any.iter().any(|one| one.may_hold(group)),
            Self::Column(on) => {
                let Group { dictionaries, row_group, .. } = *group;
                (on.equal_to.is_empty()
                    || dictionaries.may_have(row_group, on.column(), &on.equal_to))
                    && group.values(on.column()).is_none_or(|values| on.may_hold(values))
            }
        }
    }
}

/// A row group that is looked at.
struct Group<'a> {
    dictionaries: &'a Dictionaries,
    row_group: usize,
    /// Values that were asked for before.
    known: Vec<(&'a str, Option<Distinct>)>,
}

impl<'a> Group<'a> {
    fn values(&mut self, column: &'a str) -> Option<&Distinct> {
        let at = self.known.iter().position(|(known, _)| *known == column);
        let at = at.unwrap_or_else(|| {
            self.known.push((column, self.dictionaries.values(self.row_group, column)));
            self.known.len() - 1
        });
        self.known.get(at)?.1.as_ref()
    }
}

/// `None`: any row may fulfil the condition, as far as distinct values can tell.
fn screen(condition: &Expr, schema: &Schema, session: &dyn Session) -> Result<Option<Screen>> {
    if let Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) =
        condition
    {
        let sides = [screen(left, schema, session)?, screen(right, schema, session)?];
        return Ok(match (op, sides) {
            (Operator::And, [Some(left), Some(right)]) => Some(Screen::All(vec![left, right])),
            (Operator::And, [left, right]) => left.or(right),
            (_, [Some(left), Some(right)]) => Some(Screen::Any(vec![left, right])),
            _ => None,
        });
    }
    let columns = condition.column_refs();
    let (Some(column), 1) = (columns.iter().next(), columns.len()) else {
        return Ok(None);
    };
    let Some(field) = repeated_field(schema, &column.name) else {
        return Ok(None);
    };
    if condition.is_volatile() {
        return Ok(None);
    }
    let schema = Arc::new(Schema::new(vec![field]));
    let input = DFSchema::try_from(Arc::clone(&schema))?;
    let (needle, equal_to) = sought(condition).unwrap_or_default();
    let condition = session.create_physical_expr(condition.clone(), &input)?;
    Ok(Some(Screen::Column(OnColumn { schema, condition, needle, equal_to })))
}

/// What a value must contain to be equal to a constant, itself or an attribute in it: the constant, if
/// no escape can be in it. And the values of which it must be one, if it is not a set of attributes.
fn sought(condition: &Expr) -> Option<(Option<String>, Vec<Vec<u8>>)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else {
        return None;
    };
    let sides = (left.as_ref(), right.as_ref());
    let ((side, Expr::Literal(text, _)) | (Expr::Literal(text, _), side)) = sides else {
        return None;
    };
    let text = text.try_as_str().flatten().filter(|text| !text.is_empty())?;
    let (itself, mut quoted) = (text.as_bytes().to_vec(), Vec::new());
    push_json_string(text, &mut quoted);
    // Between its quotes, without an escape.
    let needle = (quoted.len() == text.len() + 2).then(|| text.to_owned());
    let equal_to = match side {
        Expr::Column(_) => vec![itself],
        Expr::ScalarFunction(call) => match call.func.name() {
            attribute_text::NAME => vec![itself, quoted],
            attribute::NAME | attribute::OF_SPAN => Vec::new(),
            _ => return None,
        },
        _ => return None,
    };
    Some((needle, equal_to))
}

fn repeated_field(schema: &Schema, column: &str) -> Option<Field> {
    let field = schema.field_with_name(column).ok()?;
    (field.data_type() == &repeated_text()).then(|| field.clone().with_nullable(true))
}
