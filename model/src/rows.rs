//! Typed access to the rows of a batch of the `spans` schema.
//!
//! The one place that knows which Arrow array stands behind which column. Columns are found by
//! name, so a batch may have more of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroU64;

use arrow::array::{
    Array, AsArray, BinaryArray, DictionaryArray, Int32Array, Int64Array, ListArray, MapArray,
    RecordBatch, StringArray, StructArray,
};
use arrow::datatypes::{Int32Type, Int64Type};
use causeway_clock::{NodeId, Stamp};

use crate::batch::AttributeColumn;
use crate::columns::name;
use crate::stamps::SpanStamps;

/// A batch that lacks a column of the schema, or has it with another type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {0} is missing or has an unexpected type")]
pub struct RowsError(pub &'static str);

/// Text that repeats: keys into distinct values.
#[derive(Debug, Clone, Copy)]
pub struct Repeated<'a> {
    keys: &'a Int32Array,
    values: &'a StringArray,
}

impl<'a> Repeated<'a> {
    fn of(array: &'a dyn Array) -> Option<Self> {
        let dictionary: &DictionaryArray<Int32Type> = array.as_dictionary_opt()?;
        Some(Self { keys: dictionary.keys(), values: dictionary.values().as_string_opt()? })
    }

    /// The text of a row; `None` for null.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        self.key(row).map(|key| self.values.value(key))
    }

    /// The position of the row's text among the distinct values.
    #[inline]
    pub fn key(&self, row: usize) -> Option<usize> {
        self.keys.is_valid(row).then(|| usize::try_from(self.keys.value(row)).ok()).flatten()
    }

    /// The distinct values.
    pub fn values(&self) -> &'a StringArray {
        self.values
    }
}

/// The event columns behind a batch's lists.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are documented by columns::event_fields")]
pub struct EventRows<'a> {
    pub lists: &'a ListArray,
    pub time_unix_nano: &'a Int64Array,
    pub name: &'a StringArray,
    pub attributes: &'a StringArray,
    pub dropped_attributes_count: &'a Int64Array,
}

/// The link columns behind a batch's lists.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are documented by columns::link_fields")]
pub struct LinkRows<'a> {
    pub lists: &'a ListArray,
    pub trace_id: &'a BinaryArray,
    pub span_id: &'a BinaryArray,
    pub trace_state: &'a StringArray,
    pub attributes: &'a StringArray,
    pub dropped_attributes_count: &'a Int64Array,
    pub flags: &'a Int64Array,
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeText<'a> {
    /// An integer.
    Int(i64),
    /// [Value text](crate::value).
    Text(&'a str),
}

impl<'a> AttributeText<'a> {
    /// The value as text.
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

/// An attribute column of a batch.
#[derive(Debug, Clone, Copy)]
enum Own<'a> {
    Text(Repeated<'a>),
    Int(&'a Int64Array),
}

impl<'a> Own<'a> {
    fn of(array: &'a dyn Array) -> Option<Self> {
        Repeated::of(array).map(Self::Text).or_else(|| array.as_primitive_opt().map(Self::Int))
    }

    #[inline]
    fn get(self, row: usize) -> Option<AttributeText<'a>> {
        match self {
            Self::Text(texts) => texts.get(row).map(AttributeText::Text),
            Self::Int(ints) => ints.is_valid(row).then(|| AttributeText::Int(ints.value(row))),
        }
    }
}

/// A key of a span, and the column that may hold its value.
#[derive(Debug, Clone)]
struct OrderedKey<'a> {
    key: String,
    own: Option<Own<'a>>,
}

/// The attributes of a batch: in columns of their own, the rest in maps.
#[derive(Debug, Clone)]
pub struct AttributeRows<'a> {
    maps: &'a MapArray,
    keys: &'a StringArray,
    values: &'a StringArray,
    own: HashMap<String, Own<'a>>,
    order: Option<Repeated<'a>>,
    /// The keys of each distinct order.
    orders: Vec<Vec<OrderedKey<'a>>>,
}

impl<'a> AttributeRows<'a> {
    /// The attributes of a batch that has `attributes`, `attribute_keys`, and columns of
    /// attributes; `None` if one of them is damaged.
    pub fn of(batch: &'a RecordBatch) -> Option<Self> {
        let maps = batch.column_by_name(name::ATTRIBUTES)?.as_map_opt()?;
        let order = match batch.column_by_name(name::ATTRIBUTE_KEYS) {
            Some(array) => Some(Repeated::of(array.as_ref())?),
            None => None,
        };
        let mut own = HashMap::new();
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            if let Some(column) = AttributeColumn::of_field(field) {
                own.insert(column.key, Own::of(array.as_ref())?);
            }
        }
        let ordered = |list: Option<&str>| -> Option<Vec<OrderedKey<'a>>> {
            let mut keys: Vec<OrderedKey<'a>> = Vec::new();
            for key in serde_json::from_str::<Vec<String>>(list.unwrap_or("[]")).ok()? {
                // Only the first value of a repeated key is in the column.
                let is_first = keys.iter().all(|known| known.key != key);
                let own = own.get(&key).copied().filter(|_| is_first);
                keys.push(OrderedKey { key, own });
            }
            Some(keys)
        };
        let orders = match order {
            Some(order) => order.values().iter().map(ordered).collect::<Option<_>>()?,
            None => Vec::new(),
        };
        Some(Self {
            maps,
            keys: maps.keys().as_string_opt()?,
            values: maps.values().as_string_opt()?,
            own,
            order,
            orders,
        })
    }

    /// The first value of a key in a row; `None` also for a key without a value.
    pub fn get(&self, row: usize, key: &str) -> Option<AttributeText<'a>> {
        // Only the first value of a repeated key may be in the column.
        let own = self.own.get(key).and_then(|own| own.get(row));
        own.or_else(|| {
            let mut rest = offsets_range(self.maps.value_offsets(), row);
            let at = rest.find(|at| self.keys.value(*at) == key)?;
            self.values.is_valid(at).then(|| AttributeText::Text(self.values.value(at)))
        })
    }

    /// Key and value of each attribute of the row, in the sender's order; no value is a key that
    /// was sent without one.
    #[inline]
    pub fn entries(&self, row: usize) -> AttributeEntries<'_, 'a> {
        let order = self.order.and_then(|order| self.orders.get(order.key(row)?));
        AttributeEntries {
            rows: self,
            row,
            ordered: order.map(|order| order.iter()),
            rest: offsets_range(self.maps.value_offsets(), row),
        }
    }
}

/// The attributes of one row.
#[derive(Debug, Clone)]
pub struct AttributeEntries<'r, 'a> {
    rows: &'r AttributeRows<'a>,
    row: usize,
    /// The keys in order, unless all are in the map.
    ordered: Option<std::slice::Iter<'r, OrderedKey<'a>>>,
    rest: std::ops::Range<usize>,
}

impl<'r, 'a> Iterator for AttributeEntries<'r, 'a> {
    type Item = (&'r str, Option<AttributeText<'a>>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(ordered) = &mut self.ordered {
            let next = ordered.next()?;
            if let Some(value) = next.own.and_then(|own| own.get(self.row)) {
                return Some((next.key.as_str(), Some(value)));
            }
        }
        let (at, rows) = (self.rest.next()?, self.rows);
        let value = rows.values.is_valid(at).then(|| AttributeText::Text(rows.values.value(at)));
        Some((rows.keys.value(at), value))
    }
}

/// Columns of a tick that rows may have. Batches in which no row has one are without them.
#[derive(Debug, Clone, Copy)]
struct TickRows<'a> {
    node: &'a BinaryArray,
    hlc: &'a Int64Array,
    lead: &'a Int64Array,
}

impl<'a> TickRows<'a> {
    fn of_columns(
        batch: &'a RecordBatch,
        [node, hlc, lead]: [&'static str; 3],
    ) -> Result<Option<Self>, RowsError> {
        if batch.column_by_name(hlc).is_none() {
            return Ok(None);
        }
        let long = |name| typed(batch, name, |array| array.as_primitive_opt::<Int64Type>());
        let node = typed(batch, node, |array| array.as_binary_opt::<i32>())?;
        Ok(Some(Self { node, hlc: long(hlc)?, lead: long(lead)? }))
    }

    fn of_struct(fields: &'a StructArray) -> Option<Self> {
        Some(Self {
            node: fields.column_by_name("node")?.as_binary_opt()?,
            hlc: fields.column_by_name("hlc")?.as_primitive_opt()?,
            lead: fields.column_by_name("lead")?.as_primitive_opt()?,
        })
    }

    /// The tick of a row; `None` as well where a damaged file has none.
    fn get(self, row: usize) -> Option<Stamp> {
        if self.node.is_null(row) || self.hlc.is_null(row) || self.lead.is_null(row) {
            return None;
        }
        let node = self.node.value(row).try_into().map(u64::from_be_bytes).ok()?;
        let (hlc, lead) = (self.hlc.value(row), self.lead.value(row));
        let node = NodeId(NonZeroU64::new(node)?);
        (hlc > 0 && (0..=hlc).contains(&lead)).then_some(Stamp { node, hlc, lead })
    }
}

/// The stamps of a batch.
#[derive(Debug, Clone, Copy)]
pub struct StampRows<'a> {
    start: Option<TickRows<'a>>,
    end: Option<TickRows<'a>>,
    received: Option<TickRows<'a>>,
    rejected: Option<(&'a StructArray, TickRows<'a>)>,
    responses: Option<(&'a ListArray, TickRows<'a>)>,
}

impl<'a> StampRows<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, RowsError> {
        let ticks = |names| TickRows::of_columns(batch, names);
        let rejected = |array: &'a dyn Array| {
            let fields = array.as_struct_opt()?;
            Some((fields, TickRows::of_struct(fields)?))
        };
        let responses = |array: &'a dyn Array| {
            let (lists, fields) = structs(array)?;
            Some((lists, TickRows::of_struct(fields)?))
        };
        let has = |name| batch.column_by_name(name).is_some();
        Ok(Self {
            start: ticks([name::HLC_NODE, name::HLC_START, name::HLC_START_LEAD])?,
            end: ticks([name::HLC_END_NODE, name::HLC_END, name::HLC_END_LEAD])?,
            received: ticks([name::RECV_NODE, name::RECV_HLC, name::RECV_LEAD])?,
            rejected: has(name::HLC_REJECT)
                .then(|| typed(batch, name::HLC_REJECT, rejected))
                .transpose()?,
            responses: has(name::RESP).then(|| typed(batch, name::RESP, responses)).transpose()?,
        })
    }

    /// The stamps of a row.
    pub fn get(&self, row: usize) -> SpanStamps {
        let tick = |ticks: Option<TickRows<'a>>| ticks.and_then(|ticks| ticks.get(row));
        let responses = self.responses.filter(|(lists, _)| lists.is_valid(row));
        SpanStamps {
            start: tick(self.start),
            end: tick(self.end),
            received: tick(self.received),
            rejected: self
                .rejected
                .filter(|(fields, _)| fields.is_valid(row))
                .and_then(|(_, ticks)| ticks.get(row)),
            responses: responses.map_or_else(Vec::new, |(lists, ticks)| {
                offsets_range(lists.value_offsets(), row).filter_map(|at| ticks.get(at)).collect()
            }),
        }
    }
}

/// Positions of a row's elements behind list or map offsets.
#[inline]
pub fn offsets_range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    match offsets.get(row..row + 2) {
        Some([start, end]) => (*start).max(0) as usize..(*end).max(0) as usize,
        _ => 0..0,
    }
}

/// All columns of a batch.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are documented by columns::COLUMNS")]
pub struct SpanRows<'a> {
    pub len: usize,
    pub trace_id: &'a BinaryArray,
    pub span_id: &'a BinaryArray,
    pub parent_span_id: &'a BinaryArray,
    pub start_time_unix_nano: &'a Int64Array,
    pub duration_ns: &'a Int64Array,
    pub service_name: Repeated<'a>,
    pub name: Repeated<'a>,
    pub kind: &'a Int32Array,
    pub status_code: &'a Int32Array,
    pub status_message: Repeated<'a>,
    pub trace_state: Repeated<'a>,
    pub flags: &'a Int64Array,
    pub resource_attributes: Repeated<'a>,
    pub resource_dropped_attributes_count: &'a Int64Array,
    pub resource_entity_refs: Repeated<'a>,
    pub resource_schema_url: Repeated<'a>,
    pub scope_name: Repeated<'a>,
    pub scope_version: Repeated<'a>,
    pub scope_attributes: Repeated<'a>,
    pub scope_dropped_attributes_count: &'a Int64Array,
    pub scope_schema_url: Repeated<'a>,
    pub attributes: AttributeRows<'a>,
    pub dropped_attributes_count: &'a Int64Array,
    pub events: EventRows<'a>,
    pub dropped_events_count: &'a Int64Array,
    pub links: LinkRows<'a>,
    pub dropped_links_count: &'a Int64Array,
    pub received_at_unix_nano: &'a Int64Array,
    pub clock_flags: &'a Int32Array,
    pub stamps: StampRows<'a>,
}

impl<'a> SpanRows<'a> {
    /// Looks up every column.
    ///
    /// # Errors
    /// A column is missing or has another type than the schema says.
    pub fn new(batch: &'a RecordBatch) -> Result<Self, RowsError> {
        let long = |name| typed(batch, name, |a| a.as_primitive_opt::<Int64Type>());
        let int = |name| typed(batch, name, |a| a.as_primitive_opt::<Int32Type>());
        let bytes = |name| typed(batch, name, |a| a.as_binary_opt::<i32>());
        let repeated = |name| typed(batch, name, Repeated::of);
        Ok(Self {
            len: batch.num_rows(),
            trace_id: bytes(name::TRACE_ID)?,
            span_id: bytes(name::SPAN_ID)?,
            parent_span_id: bytes(name::PARENT_SPAN_ID)?,
            start_time_unix_nano: long(name::START_TIME_UNIX_NANO)?,
            duration_ns: long(name::DURATION_NS)?,
            service_name: repeated(name::SERVICE_NAME)?,
            name: repeated(name::NAME)?,
            kind: int(name::KIND)?,
            status_code: int(name::STATUS_CODE)?,
            status_message: repeated(name::STATUS_MESSAGE)?,
            trace_state: repeated(name::TRACE_STATE)?,
            flags: long(name::FLAGS)?,
            resource_attributes: repeated(name::RESOURCE_ATTRIBUTES)?,
            resource_dropped_attributes_count: long(name::RESOURCE_DROPPED_ATTRIBUTES_COUNT)?,
            resource_entity_refs: repeated(name::RESOURCE_ENTITY_REFS)?,
            resource_schema_url: repeated(name::RESOURCE_SCHEMA_URL)?,
            scope_name: repeated(name::SCOPE_NAME)?,
            scope_version: repeated(name::SCOPE_VERSION)?,
            scope_attributes: repeated(name::SCOPE_ATTRIBUTES)?,
            scope_dropped_attributes_count: long(name::SCOPE_DROPPED_ATTRIBUTES_COUNT)?,
            scope_schema_url: repeated(name::SCOPE_SCHEMA_URL)?,
            attributes: AttributeRows::of(batch).ok_or(RowsError(name::ATTRIBUTES))?,
            dropped_attributes_count: long(name::DROPPED_ATTRIBUTES_COUNT)?,
            events: typed(batch, name::EVENTS, event_rows)?,
            dropped_events_count: long(name::DROPPED_EVENTS_COUNT)?,
            links: typed(batch, name::LINKS, link_rows)?,
            dropped_links_count: long(name::DROPPED_LINKS_COUNT)?,
            received_at_unix_nano: long(name::RECEIVED_AT_UNIX_NANO)?,
            clock_flags: int(name::CLOCK_FLAGS)?,
            stamps: StampRows::new(batch)?,
        })
    }

    /// The parent's id; `None` when the sender set none or only zeros.
    pub fn parent(&self, row: usize) -> Option<&'a [u8]> {
        let id = self.parent_span_id;
        (id.is_valid(row) && id.value(row).iter().any(|b| *b != 0)).then(|| id.value(row))
    }

    /// The exact end as sent.
    pub fn end_time_unix_nano(&self, row: usize) -> i64 {
        self.start_time_unix_nano.value(row).wrapping_add(self.duration_ns.value(row))
    }

    /// Positions of the row's events in the event columns.
    pub fn event_range(&self, row: usize) -> std::ops::Range<usize> {
        offsets_range(self.events.lists.value_offsets(), row)
    }

    /// Positions of the row's links in the link columns.
    pub fn link_range(&self, row: usize) -> std::ops::Range<usize> {
        offsets_range(self.links.lists.value_offsets(), row)
    }
}

fn typed<'a, T>(
    batch: &'a RecordBatch,
    name: &'static str,
    cast: impl FnOnce(&'a dyn Array) -> Option<T>,
) -> Result<T, RowsError> {
    batch.column_by_name(name).and_then(|array| cast(array.as_ref())).ok_or(RowsError(name))
}

fn structs(array: &dyn Array) -> Option<(&ListArray, &StructArray)> {
    let lists = array.as_list_opt::<i32>()?;
    Some((lists, lists.values().as_struct_opt()?))
}

fn event_rows(array: &dyn Array) -> Option<EventRows<'_>> {
    let (lists, fields) = structs(array)?;
    Some(EventRows {
        lists,
        time_unix_nano: fields.column_by_name("time_unix_nano")?.as_primitive_opt()?,
        name: fields.column_by_name("name")?.as_string_opt()?,
        attributes: fields.column_by_name("attributes")?.as_string_opt()?,
        dropped_attributes_count: fields
            .column_by_name("dropped_attributes_count")?
            .as_primitive_opt()?,
    })
}

fn link_rows(array: &dyn Array) -> Option<LinkRows<'_>> {
    let (lists, fields) = structs(array)?;
    Some(LinkRows {
        lists,
        trace_id: fields.column_by_name("trace_id")?.as_binary_opt()?,
        span_id: fields.column_by_name("span_id")?.as_binary_opt()?,
        trace_state: fields.column_by_name("trace_state")?.as_string_opt()?,
        attributes: fields.column_by_name("attributes")?.as_string_opt()?,
        dropped_attributes_count: fields
            .column_by_name("dropped_attributes_count")?
            .as_primitive_opt()?,
        flags: fields.column_by_name("flags")?.as_primitive_opt()?,
    })
}
