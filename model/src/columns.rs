//! The one column table: every column of the `spans` table, once.
//!
//! The Arrow schema, the Delta schema, the writer's settings and `docs/formats/spans.md` derive
//! from [`COLUMNS`]. Columns are only added, never re-typed. All integers are signed because Delta
//! has no unsigned types: 64-bit times are kept bit for bit, so a time above 2^63-1 reads as a
//! negative number here, comes back exactly, and counts as "no usable time" elsewhere.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use causeway_clock::order::Fault;

/// Set in the metadata of an integer attribute column when other values of the attribute are in the
/// map beside it.
const META_MIXED: &str = "causeway.mixed";

/// Marks an attribute column some of whose values are in the map.
pub fn mixed(field: Field) -> Field {
    field.with_metadata(HashMap::from([(META_MIXED.to_owned(), "true".to_owned())]))
}

/// Whether some values of an attribute column are in the map.
pub fn is_mixed(field: &Field) -> bool {
    field.metadata().contains_key(META_MIXED)
}

/// The shape of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Raw bytes (ids).
    Bytes,
    /// Text that differs from row to row.
    Text,
    /// Text that repeats: dictionary-encoded in memory, plain text to other readers.
    Repeated,
    /// Signed 32-bit integer.
    Int,
    /// Signed 64-bit integer.
    Long,
    /// Microseconds since the Unix epoch, UTC.
    TimestampMicros,
    /// Attribute key to [value text](crate::value), in the sender's order, repeated keys kept.
    Attributes,
    /// List of events.
    Events,
    /// List of links.
    Links,
    /// A tick of a clock: node, value, lead.
    Stamp,
    /// List of ticks.
    Stamps,
}

/// One column of the `spans` table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in files and in SQL.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it may be null, and what null means is said in `doc`.
    pub nullable: bool,
    /// Whether batches and files in which it would be null everywhere are without it.
    pub is_optional: bool,
    /// Whether file statistics are kept for it, for pruning.
    pub statistics: bool,
    /// What it holds, for the generated documentation.
    pub doc: &'static str,
}

const fn column(name: &'static str, kind: Kind, doc: &'static str) -> Column {
    Column { name, kind, nullable: false, is_optional: false, statistics: false, doc }
}

impl Column {
    const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    const fn optional(mut self) -> Self {
        self.is_optional = true;
        self.nullable()
    }

    const fn pruned(mut self) -> Self {
        self.statistics = true;
        self
    }

    /// The Arrow field.
    pub fn field(&self) -> Field {
        Field::new(self.name, self.kind.data_type(), self.nullable)
    }
}

/// Names of the columns, for those who fill or read them.
pub mod name {
    #![expect(missing_docs, reason = "each constant is documented by its row in COLUMNS")]
    pub const TRACE_ID: &str = "trace_id";
    pub const SPAN_ID: &str = "span_id";
    pub const PARENT_SPAN_ID: &str = "parent_span_id";
    pub const START_TIME: &str = "start_time";
    pub const START_TIME_UNIX_NANO: &str = "start_time_unix_nano";
    pub const DURATION_NS: &str = "duration_ns";
    pub const SERVICE_NAME: &str = "service_name";
    pub const NAME: &str = "name";
    pub const KIND: &str = "kind";
    pub const STATUS_CODE: &str = "status_code";
    pub const STATUS_MESSAGE: &str = "status_message";
    pub const TRACE_STATE: &str = "trace_state";
    pub const FLAGS: &str = "flags";
    pub const RESOURCE_ATTRIBUTES: &str = "resource_attributes";
    pub const RESOURCE_DROPPED_ATTRIBUTES_COUNT: &str = "resource_dropped_attributes_count";
    pub const RESOURCE_ENTITY_REFS: &str = "resource_entity_refs";
    pub const RESOURCE_SCHEMA_URL: &str = "resource_schema_url";
    pub const SCOPE_NAME: &str = "scope_name";
    pub const SCOPE_VERSION: &str = "scope_version";
    pub const SCOPE_ATTRIBUTES: &str = "scope_attributes";
    pub const SCOPE_DROPPED_ATTRIBUTES_COUNT: &str = "scope_dropped_attributes_count";
    pub const SCOPE_SCHEMA_URL: &str = "scope_schema_url";
    pub const ATTRIBUTES: &str = "other_attributes";
    pub const ATTRIBUTE_KEYS: &str = "attribute_keys";
    pub const DROPPED_ATTRIBUTES_COUNT: &str = "dropped_attributes_count";
    pub const EVENTS: &str = "events";
    pub const DROPPED_EVENTS_COUNT: &str = "dropped_events_count";
    pub const LINKS: &str = "links";
    pub const DROPPED_LINKS_COUNT: &str = "dropped_links_count";
    pub const RECEIVED_AT_UNIX_NANO: &str = "received_at_unix_nano";
    pub const CLOCK_FLAGS: &str = "clock_flags";
    pub const HLC_START: &str = "hlc_start";
    pub const HLC_START_LEAD: &str = "hlc_start_lead";
    pub const HLC_NODE: &str = "hlc_node";
    pub const HLC_END: &str = "hlc_end";
    pub const HLC_END_LEAD: &str = "hlc_end_lead";
    pub const HLC_END_NODE: &str = "hlc_end_node";
    pub const RECV_HLC: &str = "recv_hlc";
    pub const RECV_LEAD: &str = "recv_lead";
    pub const RECV_NODE: &str = "recv_node";
    pub const RESP: &str = "resp";
    pub const HLC_REJECT: &str = "hlc_reject";
}

/// Every stored column, in file order. `SpanColumns::seal` fills them in this order.
pub const COLUMNS: &[Column] = &[
    column(name::TRACE_ID, Kind::Bytes, "16 bytes; files are sorted by it"),
    column(name::SPAN_ID, Kind::Bytes, "8 bytes"),
    column(name::PARENT_SPAN_ID, Kind::Bytes, "8 bytes; null when the sender set none").nullable(),
    column(name::START_TIME, Kind::TimestampMicros, "start in microseconds, rounded down, for readers that know no nanoseconds; null when the start is not usable").nullable().pruned(),
    column(name::START_TIME_UNIX_NANO, Kind::Long, "exact start; the unsigned 64-bit value of OTLP bit for bit, so negative above 2^63-1").pruned(),
    column(name::DURATION_NS, Kind::Long, "end minus start, wrapping at 64 bits, so that start + duration is the exact end").pruned(),
    column(name::SERVICE_NAME, Kind::Repeated, "resource attribute service.name as text; null without one").nullable().pruned(),
    column(name::NAME, Kind::Repeated, "span name").pruned(),
    column(name::KIND, Kind::Int, "OTLP number: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer"),
    column(name::STATUS_CODE, Kind::Int, "OTLP number: 0 unset, 1 ok, 2 error; null when the span has no status").nullable().pruned(),
    column(name::STATUS_MESSAGE, Kind::Repeated, "null when the span has no status").nullable(),
    column(name::TRACE_STATE, Kind::Repeated, "W3C tracestate"),
    column(name::FLAGS, Kind::Long, "OTLP span flags"),
    column(name::RESOURCE_ATTRIBUTES, Kind::Repeated, "attribute text of the resource; null when the sender gave no resource").nullable(),
    column(name::RESOURCE_DROPPED_ATTRIBUTES_COUNT, Kind::Long, "as sent"),
    column(name::RESOURCE_ENTITY_REFS, Kind::Repeated, "entity references of the resource as OTLP/JSON; null without any").nullable(),
    column(name::RESOURCE_SCHEMA_URL, Kind::Repeated, "schema URL of the resource"),
    column(name::SCOPE_NAME, Kind::Repeated, "instrumentation scope; null when the sender gave none").nullable(),
    column(name::SCOPE_VERSION, Kind::Repeated, "null when the sender gave no scope").nullable(),
    column(name::SCOPE_ATTRIBUTES, Kind::Repeated, "attribute text of the scope; null when the sender gave no scope").nullable(),
    column(name::SCOPE_DROPPED_ATTRIBUTES_COUNT, Kind::Long, "as sent"),
    column(name::SCOPE_SCHEMA_URL, Kind::Repeated, "schema URL of the scope"),
    column(name::ATTRIBUTES, Kind::Attributes, "span attributes that have no column of their own: key to value text; a null value is a key sent without a value"),
    column(name::ATTRIBUTE_KEYS, Kind::Repeated, "where attributes are in columns `attributes.<key>`: the keys of all attributes of the span in the sender's order, as a JSON list; null where all are in the map").nullable(),
    column(name::DROPPED_ATTRIBUTES_COUNT, Kind::Long, "as sent"),
    column(name::EVENTS, Kind::Events, "span events in the sender's order"),
    column(name::DROPPED_EVENTS_COUNT, Kind::Long, "as sent"),
    column(name::LINKS, Kind::Links, "span links in the sender's order"),
    column(name::DROPPED_LINKS_COUNT, Kind::Long, "as sent"),
    column(name::RECEIVED_AT_UNIX_NANO, Kind::Long, "when the collector received it, by its own clock"),
    column(name::CLOCK_FLAGS, Kind::Int, "bit set of what is wrong with times, stamps and identity, see below"),
    column(name::HLC_START, Kind::Long, "hybrid clock at the start (attribute `hlc.start`)").optional(),
    column(name::HLC_START_LEAD, Kind::Long, "how far it was ahead of the wall clock, nanoseconds").optional(),
    column(name::HLC_NODE, Kind::Bytes, "8 bytes: the clock node that ticked at the start").optional(),
    column(name::HLC_END, Kind::Long, "hybrid clock at the end (attribute `hlc.end`)").optional(),
    column(name::HLC_END_LEAD, Kind::Long, "how far it was ahead of the wall clock").optional(),
    column(name::HLC_END_NODE, Kind::Bytes, "the clock node that ticked at the end; another one than at the start if the clock was replaced in between").optional(),
    column(name::RECV_HLC, Kind::Long, "hybrid clock of the sender of the message that this span, or one above it in the same process, received (member `hlc` of `trace_state`)").optional(),
    column(name::RECV_LEAD, Kind::Long, "how far it was ahead of the sender's wall clock").optional(),
    column(name::RECV_NODE, Kind::Bytes, "the sender's clock node").optional(),
    column(name::RESP, Kind::Stamps, "stamps of responses received during the span (attribute `hlc.resp`), at most 8").optional(),
    column(name::HLC_REJECT, Kind::Stamp, "received stamp that was refused for being too far ahead (attribute `hlc.reject`)").optional(),
];

/// The column with this name.
pub fn column_named(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// Set in `clock_flags` when another span with the same ids but other content was stored before.
pub const FLAG_DUP: i32 = Fault::Duplicate.bit().cast_signed();
/// Set in `clock_flags` when a time is zero or above 2^63-1, the end lies before the start, or more
/// than 5 ms behind the reading at the end tick.
pub const FLAG_TIME: i32 = Fault::Time.bit().cast_signed();

/// The bits of `clock_flags` that are stored, and what they mean.
pub const FLAGS: &[(Fault, &str)] = &[
    (
        Fault::Duplicate,
        "another span with the same ids and other content was stored before; found where both come together, in memory or in a merge",
    ),
    (
        Fault::Time,
        "a time is zero or above 2^63-1, the end lies before the start, or more than 5 ms after the reading of the end tick",
    ),
    (
        Fault::Malformed,
        "a stamp could not be read (no stamp, another version, another type, a key that came twice, more than 8 responses) and counts as absent",
    ),
    (
        Fault::Future,
        "a stamp lies more than 60.5 s after the time of receipt: the 500 ms that clocks accept, and 60 s on top",
    ),
    (
        Fault::Order,
        "the end tick does not follow the start tick on one node; or the start does not follow the received stamp, and `hlc.reject` does not excuse it (said only of spans that got the message themselves: by `flags` their parent is remote; where `flags` do not tell, their kind is server or consumer)",
    ),
    (Fault::Backdated, "the start is more than 5 ms from the reading of the start tick"),
];

impl Kind {
    /// The Arrow type in memory and in the files' Arrow schema.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Bytes => DataType::Binary,
            Self::Text => DataType::Utf8,
            Self::Repeated => repeated_text(),
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::TimestampMicros => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Attributes => map_type(),
            Self::Events => list_of(event_fields()),
            Self::Links => list_of(link_fields()),
            Self::Stamp => DataType::Struct(stamp_fields()),
            Self::Stamps => list_of(stamp_fields()),
        }
    }
}

/// Text with few distinct values.
pub fn repeated_text() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The struct inside an attribute map.
pub fn map_entry_fields() -> Fields {
    Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, true),
    ])
}

/// The field that wraps [`map_entry_fields`]; its name is what Delta and Parquet expect.
pub fn map_entries_field() -> Field {
    Field::new("key_value", DataType::Struct(map_entry_fields()), false)
}

fn map_type() -> DataType {
    DataType::Map(Arc::new(map_entries_field()), false)
}

/// Fields of one event.
pub fn event_fields() -> Fields {
    Fields::from(vec![
        Field::new("time_unix_nano", DataType::Int64, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("attributes", DataType::Utf8, false),
        Field::new("dropped_attributes_count", DataType::Int64, false),
    ])
}

/// Fields of one link.
pub fn link_fields() -> Fields {
    Fields::from(vec![
        Field::new("trace_id", DataType::Binary, false),
        Field::new("span_id", DataType::Binary, false),
        Field::new("trace_state", DataType::Utf8, false),
        Field::new("attributes", DataType::Utf8, false),
        Field::new("dropped_attributes_count", DataType::Int64, false),
        Field::new("flags", DataType::Int64, false),
    ])
}

/// Fields of one stamp.
pub fn stamp_fields() -> Fields {
    Fields::from(vec![
        Field::new("node", DataType::Binary, false),
        Field::new("hlc", DataType::Int64, false),
        Field::new("lead", DataType::Int64, false),
    ])
}

/// The element field of a list; Delta derives the name `element`.
pub fn element_field(fields: Fields) -> Field {
    Field::new("element", DataType::Struct(fields), false)
}

fn list_of(fields: Fields) -> DataType {
    DataType::List(Arc::new(element_field(fields)))
}

/// The schema of the table: batches and files may lack the optional columns.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(COLUMNS.iter().map(Column::field).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_statistics_are_within_the_first_32_columns() {
        let mut names: Vec<_> = COLUMNS.iter().map(|c| c.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COLUMNS.len());
        // Delta readers only consider statistics of the first 32 columns.
        assert!(COLUMNS.iter().skip(32).all(|c| !c.statistics));
    }
}
