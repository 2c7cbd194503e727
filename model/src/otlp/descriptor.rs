//! The messages of an `ExportTraceServiceRequest` as tables: JSON name, protobuf number, kind.
//!
//! Source: opentelemetry-proto 1.x, `trace/v1`, `common/v1`, `resource/v1`, and the OTLP/JSON rules
//! (ids as hex, 64-bit integers as strings, enums as integers, bytes as base64).

/// How a field is written in JSON and on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    String,
    Bool,
    /// `int64`, a varint.
    Int64,
    Uint32,
    Fixed32,
    Fixed64,
    Double,
    /// Bytes as base64.
    Bytes,
    /// Bytes as hex. A text that is not hex becomes bytes of a wrong length where `lenient`, so that
    /// the span is refused alone instead of the whole body.
    Hex {
        lenient: bool,
    },
    /// An enum as integer; names are accepted because older exporters send them.
    Enum(&'static [(&'static str, i32)]),
    Message(&'static Message),
    Messages(&'static Message),
    Strings,
}

impl Kind {
    pub(super) fn is_repeated(self) -> bool {
        matches!(self, Self::Messages(_) | Self::Strings)
    }
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) json: &'static str,
    /// The name in the `.proto` file, which readers of JSON must accept too.
    pub(super) proto: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
}

/// One message type.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) fields: &'static [Field],
}

impl Message {
    pub(super) fn by_number(&self, number: u32) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.number == number)
    }

    pub(super) fn by_name(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.json == name || field.proto == name)
    }
}

const fn field(json: &'static str, proto: &'static str, number: u32, kind: Kind) -> Field {
    Field { json, proto, number, kind }
}

const SPAN_KINDS: &[(&str, i32)] = &[
    ("SPAN_KIND_UNSPECIFIED", 0),
    ("SPAN_KIND_INTERNAL", 1),
    ("SPAN_KIND_SERVER", 2),
    ("SPAN_KIND_CLIENT", 3),
    ("SPAN_KIND_PRODUCER", 4),
    ("SPAN_KIND_CONSUMER", 5),
];

const STATUS_CODES: &[(&str, i32)] =
    &[("STATUS_CODE_UNSET", 0), ("STATUS_CODE_OK", 1), ("STATUS_CODE_ERROR", 2)];

pub(super) static REQUEST: Message = Message {
    fields: &[field("resourceSpans", "resource_spans", 1, Kind::Messages(&RESOURCE_SPANS))],
};

static RESOURCE_SPANS: Message = Message {
    fields: &[
        field("resource", "resource", 1, Kind::Message(&RESOURCE)),
        field("scopeSpans", "scope_spans", 2, Kind::Messages(&SCOPE_SPANS)),
        field("schemaUrl", "schema_url", 3, Kind::String),
    ],
};

pub(super) static RESOURCE: Message = Message {
    fields: &[
        field("attributes", "attributes", 1, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 2, Kind::Uint32),
        field("entityRefs", "entity_refs", 3, Kind::Messages(&ENTITY_REF)),
    ],
};

pub(super) static ENTITY_REF: Message = Message {
    fields: &[
        field("schemaUrl", "schema_url", 1, Kind::String),
        field("type", "type", 2, Kind::String),
        field("idKeys", "id_keys", 3, Kind::Strings),
        field("descriptionKeys", "description_keys", 4, Kind::Strings),
    ],
};

static SCOPE_SPANS: Message = Message {
    fields: &[
        field("scope", "scope", 1, Kind::Message(&SCOPE)),
        field("spans", "spans", 2, Kind::Messages(&SPAN)),
        field("schemaUrl", "schema_url", 3, Kind::String),
    ],
};

pub(super) static SCOPE: Message = Message {
    fields: &[
        field("name", "name", 1, Kind::String),
        field("version", "version", 2, Kind::String),
        field("attributes", "attributes", 3, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 4, Kind::Uint32),
    ],
};

pub(super) static SPAN: Message = Message {
    fields: &[
        field("traceId", "trace_id", 1, Kind::Hex { lenient: true }),
        field("spanId", "span_id", 2, Kind::Hex { lenient: true }),
        field("traceState", "trace_state", 3, Kind::String),
        field("parentSpanId", "parent_span_id", 4, Kind::Hex { lenient: true }),
        field("flags", "flags", 16, Kind::Fixed32),
        field("name", "name", 5, Kind::String),
        field("kind", "kind", 6, Kind::Enum(SPAN_KINDS)),
        field("startTimeUnixNano", "start_time_unix_nano", 7, Kind::Fixed64),
        field("endTimeUnixNano", "end_time_unix_nano", 8, Kind::Fixed64),
        field("attributes", "attributes", 9, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 10, Kind::Uint32),
        field("events", "events", 11, Kind::Messages(&EVENT)),
        field("droppedEventsCount", "dropped_events_count", 12, Kind::Uint32),
        field("links", "links", 13, Kind::Messages(&LINK)),
        field("droppedLinksCount", "dropped_links_count", 14, Kind::Uint32),
        field("status", "status", 15, Kind::Message(&STATUS)),
    ],
};

static EVENT: Message = Message {
    fields: &[
        field("timeUnixNano", "time_unix_nano", 1, Kind::Fixed64),
        field("name", "name", 2, Kind::String),
        field("attributes", "attributes", 3, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 4, Kind::Uint32),
    ],
};

static LINK: Message = Message {
    fields: &[
        field("traceId", "trace_id", 1, Kind::Hex { lenient: false }),
        field("spanId", "span_id", 2, Kind::Hex { lenient: false }),
        field("traceState", "trace_state", 3, Kind::String),
        field("attributes", "attributes", 4, Kind::Messages(&KEY_VALUE)),
        field("droppedAttributesCount", "dropped_attributes_count", 5, Kind::Uint32),
        field("flags", "flags", 6, Kind::Fixed32),
    ],
};

static STATUS: Message = Message {
    fields: &[
        field("message", "message", 2, Kind::String),
        field("code", "code", 3, Kind::Enum(STATUS_CODES)),
    ],
};

static KEY_VALUE: Message = Message {
    fields: &[
        field("key", "key", 1, Kind::String),
        field("value", "value", 2, Kind::Message(&ANY_VALUE)),
    ],
};

static ANY_VALUE: Message = Message {
    fields: &[
        field("stringValue", "string_value", 1, Kind::String),
        field("boolValue", "bool_value", 2, Kind::Bool),
        field("intValue", "int_value", 3, Kind::Int64),
        field("doubleValue", "double_value", 4, Kind::Double),
        field("arrayValue", "array_value", 5, Kind::Message(&ARRAY_VALUE)),
        field("kvlistValue", "kvlist_value", 6, Kind::Message(&KEY_VALUE_LIST)),
        field("bytesValue", "bytes_value", 7, Kind::Bytes),
    ],
};

pub(super) static ARRAY_VALUE: Message =
    Message { fields: &[field("values", "values", 1, Kind::Messages(&ANY_VALUE))] };

pub(super) static KEY_VALUE_LIST: Message =
    Message { fields: &[field("values", "values", 1, Kind::Messages(&KEY_VALUE))] };
