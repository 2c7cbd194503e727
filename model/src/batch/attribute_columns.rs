//! Which attributes have a column of their own, and how they are chosen.
//!
//! Frequent attributes are kept in typed columns `attributes.<key>`, the rest in the map
//! `attributes`. What is frequent is counted from what arrives; keys that queries filter on need
//! less. The choice is made anew for every file, from the columns the table already knows and room
//! for new ones, so no file is ever rewritten for it.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use hashbrown::HashMap;

use super::{EntryValue, SpanColumns};
use crate::columns;

/// What the names of these columns begin with.
const PREFIX: &str = "attributes.";
/// Most columns of one file; each costs some bytes per span in memory even where it is null.
pub const COLUMNS_PER_FILE_MAX: usize = 64;
/// Most columns the table ever gets. When they are used up, only these keys can be chosen.
const COLUMNS_PER_TABLE_MAX: usize = 256;
/// Longest key that can name a column.
const KEY_BYTES_MAX: usize = 96;
/// Most keys that are counted at a time; further ones stay in the map.
const KEYS_COUNTED_MAX: usize = 8_192;
/// A key that at least one span in so many has gets a column...
const SPANS_PER_USE_MAX: u64 = 100;
/// ... one that the table already has a column for needs one in so many, so that files agree...
const SPANS_PER_KNOWN_USE_MAX: u64 = 400;
/// ... and one that queries filter on one in so many.
const SPANS_PER_WANTED_USE_MAX: u64 = 2_000;

/// The type of an attribute column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// [Value text](crate::value) of any type.
    Text,
    /// Integers; a value of another type stays in the map.
    Int,
}

/// An attribute with a column of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeColumn {
    /// The attribute's key.
    pub key: String,
    /// The column's type.
    pub kind: AttributeKind,
}

impl AttributeColumn {
    /// The column's field in the storage schema.
    pub fn field(&self) -> Field {
        let data_type = match self.kind {
            AttributeKind::Text => columns::repeated_text(),
            AttributeKind::Int => DataType::Int64,
        };
        Field::new(format!("{PREFIX}{}", self.key), data_type, true)
    }

    /// The attribute that a storage column holds, if it is such a column.
    pub fn of_field(field: &Field) -> Option<Self> {
        let key = field.name().strip_prefix(PREFIX)?.to_owned();
        let kind = match field.data_type() {
            DataType::Int64 => AttributeKind::Int,
            _ => AttributeKind::Text,
        };
        Some(Self { key, kind })
    }
}

/// The attributes that have columns, in the order of the columns: by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeColumns(Vec<AttributeColumn>);

impl AttributeColumns {
    /// The columns in the order given.
    pub fn new(columns: Vec<AttributeColumn>) -> Self {
        Self(columns)
    }

    /// The attribute columns of a schema.
    pub fn of_schema(schema: &Schema) -> Self {
        let fields = schema.fields().iter();
        Self(fields.filter_map(|field| AttributeColumn::of_field(field)).collect())
    }

    /// The columns.
    pub fn iter(&self) -> impl Iterator<Item = &AttributeColumn> {
        self.0.iter()
    }

    /// The column of a key.
    pub fn get(&self, key: &str) -> Option<&AttributeColumn> {
        self.0.iter().find(|column| column.key == key)
    }

    /// The storage schema with these columns at its end.
    pub fn schema(&self) -> SchemaRef {
        let base = columns::schema();
        let own = self.0.iter().map(|column| Arc::new(column.field()));
        Arc::new(Schema::new(base.fields().iter().cloned().chain(own).collect::<Vec<_>>()))
    }

    /// Adds the columns of `other` that are missing here.
    pub fn extend(&mut self, other: &Self) {
        for column in &other.0 {
            if self.get(&column.key).is_none() {
                self.0.push(column.clone());
            }
        }
    }
}

/// How many of the spans seen lately have an attribute, and with which type.
#[derive(Debug, Clone, Copy, Default)]
struct KeyUse {
    spans: u64,
    ints: u64,
}

/// Counts attributes, to choose those that get columns.
#[derive(Debug, Default)]
pub struct AttributeUse {
    spans: u64,
    keys: HashMap<String, KeyUse>,
}

impl AttributeUse {
    /// Counts the attributes of a request.
    pub fn add(&mut self, columns: &SpanColumns) {
        let mut counts = vec![KeyUse::default(); columns.keys.len()];
        for entry in &columns.entries {
            if let Some(count) = counts.get_mut(entry.key as usize) {
                count.spans += 1;
                count.ints += u64::from(matches!(entry.value, EntryValue::Int(_)));
            }
        }
        self.spans += columns.len() as u64;
        for (key, count) in columns.keys.iter().zip(counts) {
            // Keys were checked when they came.
            let key = std::str::from_utf8(key).unwrap_or_default();
            if self.keys.len() >= KEYS_COUNTED_MAX && !self.keys.contains_key(key) {
                continue;
            }
            let known = self.keys.entry_ref(key).or_default();
            known.spans += count.spans;
            known.ints += count.ints;
        }
    }

    /// Halves what was counted: what is older counts less.
    pub fn fade(&mut self) {
        self.spans /= 2;
        self.keys.retain(|_, key| {
            *key = KeyUse { spans: key.spans / 2, ints: key.ints / 2 };
            key.spans > 0
        });
    }

    /// The columns of the next file. `known` are those of the table, whose types stay; `wanted` are
    /// keys that queries filter on.
    pub fn choose(&self, known: &AttributeColumns, wanted: &HashSet<String>) -> AttributeColumns {
        let mut frequent: Vec<(&String, KeyUse)> = Vec::new();
        for (key, count) in &self.keys {
            let spans_per_use_max = match wanted.contains(key) {
                true => SPANS_PER_WANTED_USE_MAX,
                false if known.get(key).is_some() => SPANS_PER_KNOWN_USE_MAX,
                false => SPANS_PER_USE_MAX,
            };
            if count.spans * spans_per_use_max >= self.spans && can_be_column(key) {
                frequent.push((key, *count));
            }
        }
        frequent.sort_unstable_by(|a, b| b.1.spans.cmp(&a.1.spans).then_with(|| a.0.cmp(b.0)));
        // Delta compares column names without case.
        let mut taken: HashSet<String> = known.iter().map(|it| it.key.to_lowercase()).collect();
        let mut chosen = Vec::new();
        for (key, count) in frequent {
            if chosen.len() >= COLUMNS_PER_FILE_MAX {
                break;
            }
            if let Some(column) = known.get(key) {
                if column.kind == AttributeKind::Text || count.is_int() {
                    chosen.push(column.clone());
                }
            } else if taken.len() < COLUMNS_PER_TABLE_MAX && taken.insert(key.to_lowercase()) {
                let kind = if count.is_int() { AttributeKind::Int } else { AttributeKind::Text };
                chosen.push(AttributeColumn { key: key.clone(), kind });
            }
        }
        chosen.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        AttributeColumns(chosen)
    }
}

impl KeyUse {
    /// Whether nearly all values are integers; a few others can stay in the map.
    fn is_int(self) -> bool {
        self.ints > 0 && (self.spans - self.ints) * 1_000 <= self.spans
    }
}

/// Whether a key can be part of a column name: Delta forbids some characters without its column
/// mapping, which not every reader knows.
fn can_be_column(key: &str) -> bool {
    let is_allowed =
        |c: char| !c.is_control() && !matches!(c, ' ' | ',' | ';' | '{' | '}' | '(' | ')' | '=');
    !key.is_empty() && key.len() <= KEY_BYTES_MAX && key.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(spans: u64, keys: &[(&str, u64, u64)]) -> AttributeUse {
        let keys = keys
            .iter()
            .map(|(key, spans, ints)| ((*key).to_owned(), KeyUse { spans: *spans, ints: *ints }));
        AttributeUse { spans, keys: keys.collect() }
    }

    fn names(columns: &AttributeColumns) -> Vec<(&str, AttributeKind)> {
        columns.iter().map(|column| (column.key.as_str(), column.kind)).collect()
    }

    #[test]
    fn frequent_keys_are_chosen_with_their_type() {
        let counts = counted(
            1_000,
            &[("often", 900, 0), ("number", 500, 500), ("mixed", 400, 200), ("rare", 9, 0)],
        );
        let chosen = counts.choose(&AttributeColumns::default(), &HashSet::new());
        use AttributeKind::{Int, Text};
        assert_eq!(names(&chosen), [("mixed", Text), ("number", Int), ("often", Text)]);
        let wanted = HashSet::from(["rare".to_owned()]);
        let chosen = counts.choose(&AttributeColumns::default(), &wanted);
        assert_eq!(names(&chosen).last(), Some(&("rare", Text)));
    }

    #[test]
    fn types_of_known_columns_stay_and_names_that_differ_in_case_only_are_left_out() {
        let known = AttributeColumns(vec![
            AttributeColumn { key: "a".to_owned(), kind: AttributeKind::Int },
            AttributeColumn { key: "b".to_owned(), kind: AttributeKind::Text },
        ]);
        let counts = counted(10, &[("a", 10, 0), ("b", 9, 9), ("B", 8, 0), ("with space", 8, 0)]);
        let chosen = counts.choose(&known, &HashSet::new());
        assert_eq!(names(&chosen), [("b", AttributeKind::Text)]);
    }

    #[test]
    fn the_number_of_columns_is_bounded() {
        let keys: Vec<String> = (0..1_000).map(|n| format!("key{n}")).collect();
        let counts: Vec<_> = keys.iter().map(|key| (key.as_str(), 10, 0)).collect();
        let chosen = counted(10, &counts).choose(&AttributeColumns::default(), &HashSet::new());
        assert_eq!(chosen.iter().count(), COLUMNS_PER_FILE_MAX);
        let known: Vec<_> = (0..COLUMNS_PER_TABLE_MAX)
            .map(|n| AttributeColumn { key: format!("other{n}"), kind: AttributeKind::Text })
            .collect();
        let chosen = counted(10, &counts).choose(&AttributeColumns(known), &HashSet::new());
        assert_eq!(chosen, AttributeColumns::default());
    }
}
