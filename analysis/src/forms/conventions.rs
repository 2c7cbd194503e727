//! The one table of attribute names, old and new semantic conventions alike.
//!
//! First step of [forming a call](super) and the only place that knows attribute names: [`NAMES`] maps
//! each name to the [`Field`] it means and the generation of conventions it belongs to; of several names
//! for one field the earlier in the table wins. [`Fields`] are the values one span has. Unknown
//! names are not an error. Sources: OpenTelemetry semantic conventions 1.4 to 1.37, Zipkin and Brave,
//! OpenTracing's tags.

use xxhash_rust::xxh3::xxh3_64;

use Field::*;
use Generation::{Foreign, New, Old, Shared};

/// What an attribute means, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "each field is explained by its names in NAMES")]
pub enum Field {
    DbSystem,
    DbNamespace,
    DbCollection,
    DbOperation,
    DbStatement,
    DbSummary,
    DbRows,
    DbBatchSize,
    HttpMethod,
    HttpStatus,
    HttpRoute,
    HttpHost,
    HttpTarget,
    HttpResendCount,
    UrlTemplate,
    UrlFull,
    UrlPath,
    UrlScheme,
    RequestBytes,
    ResponseBytes,
    PeerService,
    ServerAddress,
    ServerPort,
    PeerAddress,
    PeerPort,
    NetworkTransport,
    NetworkProtocol,
    NetworkProtocolVersion,
    TlsProtocol,
    TlsEstablished,
    SecurityPolicy,
    RpcSystem,
    RpcService,
    RpcMethod,
    RpcStatus,
    MessagingSystem,
    MessagingOperation,
    MessagingOperationType,
    MessagingDestination,
    MessagingDestinationTemplate,
    MessagingDestinationTemporary,
    MessagingDestinationAnonymous,
    MessagingRoutingKey,
    MessagingPartition,
    MessagingConsumerGroup,
    MessagingMessageId,
    MessagingBatchSize,
    GenAiOperation,
    GenAiProvider,
    GenAiModel,
    GenAiTool,
    GenAiAgent,
    McpMethod,
    FaasInvokedName,
    GraphqlType,
    GraphqlName,
    GraphqlDocument,
    ErrorType,
    IdempotencyKey,
    CacheHit,
}

/// How many fields there are.
const FIELD_COUNT: usize = CacheHit as usize + 1;

impl Field {
    /// A bit of its own.
    pub(super) const fn bit(self) -> u64 {
        1 << self as u64
    }
}

/// The bits of some fields.
pub(super) const fn bits(fields: &[Field]) -> u64 {
    let mut bits = 0;
    let mut rest = fields;
    while let Some((field, after)) = rest.split_first() {
        bits |= field.bit();
        rest = after;
    }
    bits
}

/// Which conventions a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Generation {
    /// Replaced by a stable name of OpenTelemetry's.
    Old,
    /// Stable, or the latest proposal.
    New,
    /// The same in both.
    Shared,
    /// Of another project: Zipkin, OpenTracing, a framework.
    Foreign,
}

/// Every name that is understood.
pub const NAMES: &[(&str, Field, Generation)] = &[
    ("db.system.name", DbSystem, New),
    ("db.system", DbSystem, Old),
    ("db.type", DbSystem, Foreign),
    ("db.namespace", DbNamespace, New),
    ("db.name", DbNamespace, Old),
    ("db.redis.database_index", DbNamespace, Old),
    ("db.cassandra.keyspace", DbNamespace, Old),
    ("db.mssql.instance_name", DbNamespace, Old),
    ("db.instance", DbNamespace, Foreign),
    ("cassandra.keyspace", DbNamespace, Foreign),
    ("db.collection.name", DbCollection, New),
    ("db.sql.table", DbCollection, Old),
    ("db.cassandra.table", DbCollection, Old),
    ("db.mongodb.collection", DbCollection, Old),
    ("db.cosmosdb.container", DbCollection, Old),
    ("aws.dynamodb.table_names", DbCollection, Shared),
    ("db.operation.name", DbOperation, New),
    ("db.operation", DbOperation, Old),
    ("db.query.text", DbStatement, New),
    ("db.statement", DbStatement, Old),
    ("sql.query", DbStatement, Foreign),
    ("cassandra.query", DbStatement, Foreign),
    ("db.query.summary", DbSummary, New),
    ("db.response.returned_rows", DbRows, New),
    ("db.operation.batch.size", DbBatchSize, New),
    ("http.request.method", HttpMethod, New),
    ("http.method", HttpMethod, Old),
    ("http.response.status_code", HttpStatus, New),
    ("http.status_code", HttpStatus, Old),
    ("http.route", HttpRoute, Shared),
    ("url.template", UrlTemplate, New),
    ("url.full", UrlFull, New),
    ("http.url", UrlFull, Old),
    ("url.path", UrlPath, New),
    ("http.path", UrlPath, Foreign),
    ("http.target", HttpTarget, Old),
    ("url.scheme", UrlScheme, New),
    ("http.scheme", UrlScheme, Old),
    ("http.host", HttpHost, Old),
    ("http.server_name", HttpHost, Old),
    ("http.request.resend_count", HttpResendCount, New),
    ("http.resend_count", HttpResendCount, Old),
    ("http.retry_count", HttpResendCount, Old),
    ("http.request.body.size", RequestBytes, New),
    ("http.request.size", RequestBytes, New),
    ("http.request_content_length", RequestBytes, Old),
    ("http.request_content_length_uncompressed", RequestBytes, Old),
    ("http.request.header.content-length", RequestBytes, Shared),
    ("messaging.message.body.size", RequestBytes, New),
    ("messaging.message.envelope.size", RequestBytes, New),
    ("messaging.message.payload_size_bytes", RequestBytes, Old),
    ("messaging.message_payload_size_bytes", RequestBytes, Old),
    ("rpc.request.size", RequestBytes, Shared),
    ("http.response.body.size", ResponseBytes, New),
    ("http.response.size", ResponseBytes, New),
    ("http.response_content_length", ResponseBytes, Old),
    ("http.response_content_length_uncompressed", ResponseBytes, Old),
    ("http.response.header.content-length", ResponseBytes, Shared),
    ("rpc.response.size", ResponseBytes, Shared),
    ("service.peer.name", PeerService, New),
    ("peer.service", PeerService, Shared),
    ("server.address", ServerAddress, New),
    ("net.peer.name", ServerAddress, Old),
    ("peer.hostname", ServerAddress, Foreign),
    ("server.port", ServerPort, New),
    ("net.peer.port", ServerPort, Old),
    ("network.peer.address", PeerAddress, New),
    ("net.sock.peer.addr", PeerAddress, Old),
    ("net.peer.ip", PeerAddress, Old),
    ("peer.address", PeerAddress, Foreign),
    ("peer.ipv4", PeerAddress, Foreign),
    ("peer.ipv6", PeerAddress, Foreign),
    ("network.peer.port", PeerPort, New),
    ("net.sock.peer.port", PeerPort, Old),
    ("peer.port", PeerPort, Foreign),
    ("network.transport", NetworkTransport, New),
    ("net.transport", NetworkTransport, Old),
    ("network.protocol.name", NetworkProtocol, New),
    ("net.protocol.name", NetworkProtocol, Old),
    ("net.app.protocol.name", NetworkProtocol, Old),
    ("network.protocol.version", NetworkProtocolVersion, New),
    ("net.protocol.version", NetworkProtocolVersion, Old),
    ("net.app.protocol.version", NetworkProtocolVersion, Old),
    ("http.flavor", NetworkProtocolVersion, Old),
    ("tls.protocol.name", TlsProtocol, Shared),
    ("tls.protocol.version", TlsProtocol, Shared),
    ("tls.cipher", TlsProtocol, Shared),
    ("tls.established", TlsEstablished, Shared),
    ("connection_security_policy", SecurityPolicy, Foreign),
    ("rpc.system.name", RpcSystem, New),
    ("rpc.system", RpcSystem, Old),
    ("rpc.service", RpcService, Old),
    ("rpc.method", RpcMethod, Shared),
    ("rpc.response.status_code", RpcStatus, New),
    ("rpc.grpc.status_code", RpcStatus, Old),
    ("rpc.connect_rpc.error_code", RpcStatus, Old),
    ("grpc.status_code", RpcStatus, Foreign),
    ("messaging.system", MessagingSystem, Shared),
    ("messaging.operation.name", MessagingOperation, New),
    ("messaging.operation.type", MessagingOperationType, New),
    ("messaging.operation", MessagingOperationType, Old),
    ("messaging.destination.template", MessagingDestinationTemplate, Shared),
    ("messaging.destination.name", MessagingDestination, New),
    ("messaging.destination", MessagingDestination, Old),
    ("messaging.url", MessagingDestination, Old),
    ("kafka.topic", MessagingDestination, Foreign),
    ("rabbit.queue", MessagingDestination, Foreign),
    ("jms.queue", MessagingDestination, Foreign),
    ("jms.topic", MessagingDestination, Foreign),
    ("message_bus.destination", MessagingDestination, Foreign),
    ("messaging.destination.temporary", MessagingDestinationTemporary, New),
    ("messaging.temp_destination", MessagingDestinationTemporary, Old),
    ("messaging.destination.anonymous", MessagingDestinationAnonymous, New),
    ("messaging.rabbitmq.destination.routing_key", MessagingRoutingKey, New),
    ("messaging.rabbitmq.routing_key", MessagingRoutingKey, Old),
    ("rabbit.routing_key", MessagingRoutingKey, Foreign),
    ("messaging.destination.partition.id", MessagingPartition, New),
    ("messaging.kafka.destination.partition", MessagingPartition, Old),
    ("messaging.kafka.partition", MessagingPartition, Old),
    ("kafka.partition", MessagingPartition, Foreign),
    ("messaging.consumer.group.name", MessagingConsumerGroup, New),
    ("messaging.kafka.consumer.group", MessagingConsumerGroup, Old),
    ("messaging.kafka.consumer_group", MessagingConsumerGroup, Old),
    ("messaging.message.id", MessagingMessageId, New),
    ("messaging.message_id", MessagingMessageId, Old),
    ("messaging.batch.message_count", MessagingBatchSize, New),
    ("gen_ai.operation.name", GenAiOperation, New),
    ("llm.request.type", GenAiOperation, Foreign),
    ("gen_ai.provider.name", GenAiProvider, New),
    ("gen_ai.system", GenAiProvider, Old),
    ("gen_ai.request.model", GenAiModel, New),
    ("gen_ai.response.model", GenAiModel, New),
    ("llm.model_name", GenAiModel, Foreign),
    ("gen_ai.tool.name", GenAiTool, New),
    ("gen_ai.agent.name", GenAiAgent, New),
    ("mcp.method.name", McpMethod, New),
    ("faas.invoked_name", FaasInvokedName, Shared),
    ("graphql.operation.type", GraphqlType, Shared),
    ("graphql.operation.name", GraphqlName, Shared),
    ("graphql.document", GraphqlDocument, Shared),
    ("error.type", ErrorType, New),
    ("exception.type", ErrorType, Shared),
    ("error.kind", ErrorType, Foreign),
    ("http.request.header.idempotency-key", IdempotencyKey, Shared),
    ("http.request.header.idempotency_key", IdempotencyKey, Old),
    ("http.request.header.x-idempotency-key", IdempotencyKey, Shared),
    ("idempotency.key", IdempotencyKey, Foreign),
    ("idempotency_key", IdempotencyKey, Foreign),
    ("cache.hit", CacheHit, Foreign),
    ("cache_hit", CacheHit, Foreign),
];

/// A known attribute name; look it up once a column or dictionary entry, not once a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    field: Field,
    generation: Generation,
    /// Position in [`NAMES`]; the lower wins.
    rank: u8,
}

/// Slots of the table by which names are found; a power of two, about three times their number.
const SLOT_COUNT: usize = 512;

/// A slot without a name.
const EMPTY: u8 = u8::MAX;

// Ranks are bytes, fields are bits.
const _: () = assert!(NAMES.len() < EMPTY as usize && FIELD_COUNT <= 64);

/// For each slot the rank of a name, found by its hash and then one after another.
static SLOTS: [u8; SLOT_COUNT] = {
    let mut slots = [EMPTY; SLOT_COUNT];
    let mut rank = 0;
    while rank < NAMES.len() {
        let mut slot = slot_of(NAMES[rank].0.as_bytes());
        while slots[slot] != EMPTY {
            slot = (slot + 1) % SLOT_COUNT;
        }
        slots[slot] = rank as u8;
        rank += 1;
    }
    slots
};

/// Where the search for a key begins: of its length and its first and last eight bytes.
///
/// A general hash takes longer than all the rest of reading an attribute.
const fn slot_of(key: &[u8]) -> usize {
    let mut mixed = key.len() as u64;
    if let (Some(head), Some(tail)) = (key.first_chunk(), key.last_chunk()) {
        mixed ^= u64::from_le_bytes(*head) ^ u64::from_le_bytes(*tail).rotate_left(29);
    } else {
        let mut rest = key;
        while let Some((byte, after)) = rest.split_first() {
            mixed = mixed << 8 ^ *byte as u64;
            rest = after;
        }
    }
    // The highest nine bits of a product with 2^64 divided by the golden ratio.
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize
}

impl Name {
    /// The name `key`, if it is in [`NAMES`].
    pub fn of(key: &str) -> Option<Self> {
        let mut slot = slot_of(key.as_bytes());
        loop {
            let rank = *SLOTS.get(slot)?;
            // There is always an empty slot, and at it every search ends.
            let &(known, field, generation) = NAMES.get(usize::from(rank))?;
            if known == key {
                return Some(Self { field, generation, rank });
            }
            slot = (slot + 1) % SLOT_COUNT;
        }
    }

    /// What it means.
    pub fn field(self) -> Field {
        self.field
    }

    /// Where it comes from.
    pub fn generation(self) -> Generation {
        self.generation
    }
}

/// The value of an attribute, as far as forms look at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A string; arrays and other values as their stored text.
    Text(&'a str),
    /// An integer.
    Int(i64),
    /// A double: some senders send status codes as such.
    Double(f64),
    /// A truth value.
    Bool(bool),
}

/// The known attributes of one span.
///
/// Made for reuse: [`Fields::clear`] keeps the memory.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    /// The fields there are, by their bits.
    present: u64,
    /// For each field that is present its position in `values`.
    slots: [u8; FIELD_COUNT],
    values: Vec<Held<'a>>,
    has_old: bool,
    has_new: bool,
}

/// The value of a field.
#[derive(Debug, Clone, Copy)]
struct Held<'a> {
    /// Position of the attribute's name in [`NAMES`].
    rank: u8,
    value: Value<'a>,
    /// Of a text what [`text_hash`] gives; 0 where it was not needed yet.
    hash: u64,
}

impl Held<'_> {
    fn hash(&self) -> u64 {
        match self.value {
            Value::Text(text) if self.hash == 0 => text_hash(text),
            Value::Text(_) => self.hash,
            Value::Int(int) => int.cast_unsigned(),
            Value::Double(double) => double.to_bits(),
            Value::Bool(bool) => u64::from(bool),
        }
    }
}

/// A hash of a value's text as it is stored, by which it is known again; never 0.
pub(crate) fn text_hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes()).max(1)
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self {
            present: 0,
            slots: [0; FIELD_COUNT],
            values: Vec::with_capacity(16),
            has_old: false,
            has_new: false,
        }
    }
}

impl<'a> Fields<'a> {
    /// The known ones of a span's attributes.
    pub fn read(attributes: impl IntoIterator<Item = (&'a str, Value<'a>)>) -> Self {
        let mut fields = Self::default();
        for (key, value) in attributes {
            if let Some(name) = Name::of(key) {
                fields.set(name, value);
            }
        }
        fields
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.present = 0;
        self.values.clear();
        self.has_old = false;
        self.has_new = false;
    }

    /// Adds one attribute; where two names mean one field, the earlier in [`NAMES`] wins.
    pub fn set(&mut self, name: Name, value: Value<'a>) {
        self.set_held(name, Held { rank: name.rank, value, hash: 0 });
    }

    /// The same of a text whose [hash](text_hash) is known.
    pub(crate) fn set_text(&mut self, name: Name, text: &'a str, hash: u64) {
        self.set_held(name, Held { rank: name.rank, value: Value::Text(text), hash });
    }

    fn set_held(&mut self, name: Name, new: Held<'a>) {
        self.has_old |= name.generation == Old;
        self.has_new |= name.generation == New;
        let Some(slot) = self.slots.get_mut(name.field as usize) else { return };
        if self.present & name.field.bit() == 0 {
            self.present |= name.field.bit();
            // At most one value a field, so it fits.
            *slot = self.values.len() as u8;
            self.values.push(new);
        } else if let Some(held) = self.values.get_mut(usize::from(*slot))
            && new.rank < held.rank
        {
            *held = new;
        }
    }

    /// The value of a field.
    pub fn value(&self, field: Field) -> Option<Value<'a>> {
        if !self.has(field) {
            return None;
        }
        let slot = usize::from(*self.slots.get(field as usize)?);
        self.values.get(slot).map(|held| held.value)
    }

    /// Whether the span has the field.
    pub fn has(&self, field: Field) -> bool {
        self.has_any(field.bit())
    }

    /// Whether no attribute is known.
    pub fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// The fields there are, as [bits](bits), and their values with a hash of each, in the order in which they were set.
    pub(super) fn all(&self) -> (u64, impl Iterator<Item = (Field, Value<'a>, u64)>) {
        let field_of = |held: &Held<'_>| NAMES.get(usize::from(held.rank)).map(|name| name.1);
        let values = self.values.iter();
        let values =
            values.filter_map(move |held| Some((field_of(held)?, held.value, held.hash())));
        (self.present, values)
    }

    /// Whether the span has one of some fields, given by their [bits](bits).
    pub(super) fn has_any(&self, bits: u64) -> bool {
        self.present & bits != 0
    }

    /// The value of a field as text; empty texts count as absent, as senders mean by them.
    pub fn text(&self, field: Field) -> Option<&'a str> {
        match self.value(field)? {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The value of a field as an integer, also from texts (`"404"`) and whole doubles (`200.0`).
    pub fn int(&self, field: Field) -> Option<i64> {
        match self.value(field)? {
            Value::Int(int) => Some(int),
            Value::Text(text) => text.trim().trim_matches(['"', '[', ']']).parse().ok(),
            // Doubles beyond this are no counts, codes or ports.
            Value::Double(double) if double.fract() == 0.0 && double.abs() < 1e15 =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "whole and within 1e15")]
                Some(double as i64)
            }
            _ => None,
        }
    }

    /// The value of a field as a truth value, also from the text `true`.
    pub fn flag(&self, field: Field) -> bool {
        matches!(self.value(field), Some(Value::Bool(true) | Value::Text("true")))
    }

    /// The HTTP status code.
    pub fn http_status(&self) -> Option<u16> {
        u16::try_from(self.int(HttpStatus)?).ok()
    }

    /// Bytes of the request's or message's body.
    pub fn request_bytes(&self) -> Option<u64> {
        u64::try_from(self.int(RequestBytes)?).ok()
    }

    /// Bytes of the response's body.
    pub fn response_bytes(&self) -> Option<u64> {
        u64::try_from(self.int(ResponseBytes)?).ok()
    }

    /// How often the request had been sent before: 0 is the first attempt.
    pub fn resend_count(&self) -> Option<u64> {
        u64::try_from(self.int(HttpResendCount)?).ok()
    }

    /// Port of the callee.
    pub fn port(&self) -> Option<u16> {
        u16::try_from(self.int(ServerPort).or_else(|| self.int(PeerPort))?).ok()
    }

    /// Where the callee is: its logical address, else the address of the connection.
    pub fn peer_address(&self) -> Option<&'a str> {
        self.text(ServerAddress).or_else(|| self.text(HttpHost)).or_else(|| self.text(PeerAddress))
    }

    /// The scheme of the URL, from its own attribute or the full URL; case as sent.
    pub fn url_scheme(&self) -> Option<&'a str> {
        let from_url = || self.text(UrlFull)?.split_once("://").map(|(scheme, _)| scheme);
        self.text(UrlScheme).or_else(from_url)
    }

    /// The key that makes repeats of a write harmless, if one was sent.
    pub fn idempotency_key(&self) -> Option<&'a str> {
        self.text(IdempotencyKey)
    }

    /// `error.type` or what stands for it.
    pub fn error_type(&self) -> Option<&'a str> {
        self.text(ErrorType)
    }

    /// Which conventions the span follows: [`Shared`] when it shows both (double emission), `None`
    /// when it shows neither.
    pub fn generation(&self) -> Option<Generation> {
        match (self.has_old, self.has_new) {
            (true, true) => Some(Shared),
            (true, false) => Some(Old),
            (false, true) => Some(New),
            (false, false) => None,
        }
    }
}
