//! Spans that tell the same make the same call, so most need not be formed at all.
//!
//! A short cut of [`Former`](super::Former): a hash of all that forming reads of a span, under which its call is
//! remembered. Spans whose paths or keys hold ids come but once and are left to forming, which is quick for them.

use xxhash_rust::xxh3::xxh3_64;

use super::cache;
use super::call::Kind;
use super::conventions::{Field, Fields, Value, bits};

/// Fields that forming does not read.
const UNREAD: u64 = {
    use Field::*;
    bits(&[
        DbRows,
        DbBatchSize,
        HttpStatus,
        HttpResendCount,
        UrlScheme,
        RequestBytes,
        ResponseBytes,
        NetworkTransport,
        NetworkProtocol,
        NetworkProtocolVersion,
        TlsProtocol,
        TlsEstablished,
        SecurityPolicy,
        RpcStatus,
        MessagingConsumerGroup,
        MessagingMessageId,
        MessagingBatchSize,
        GraphqlDocument,
        ErrorType,
        IdempotencyKey,
        CacheHit,
    ])
};

/// Fields of an HTTP span that its template makes needless.
const PATHS: u64 = bits(&[Field::UrlPath, Field::UrlFull, Field::HttpTarget]);

/// Fields that make a span a call of a database, unless it has one of [`GEN_AI`].
pub(super) const DB: u64 = bits(&[
    Field::DbSystem,
    Field::DbStatement,
    Field::DbSummary,
    Field::DbOperation,
    Field::DbNamespace,
]);

/// Fields that make a span a call of a model, agent or tool.
pub(super) const GEN_AI: u64 = bits(&[
    Field::GenAiOperation,
    Field::GenAiModel,
    Field::GenAiTool,
    Field::GenAiAgent,
    Field::McpMethod,
]);

/// Fields that make a span something else than HTTP.
const NOT_HTTP: u64 = {
    use Field::*;
    DB | GEN_AI
        | bits(&[
            MessagingSystem,
            MessagingDestination,
            MessagingOperation,
            MessagingOperationType,
            RpcSystem,
            RpcService,
            RpcMethod,
            FaasInvokedName,
            GraphqlType,
            GraphqlDocument,
        ])
};

/// A hash of all that forming reads of a span; `None` for spans better formed.
pub(super) fn hash(kind: Kind, name: &str, fields: &Fields<'_>) -> Option<u128> {
    let (present, values) = fields.all();
    let has_path = present & PATHS != 0 && present & NOT_HTTP == 0;
    let has_template = [Field::UrlTemplate, Field::HttpRoute]
        .into_iter()
        .any(|field| fields.text(field).is_some());
    if has_path && !has_template {
        return None;
    }
    if fields.text(Field::DbSystem).is_some_and(cache::is_cache) {
        return None;
    }
    let needless = UNREAD | needless_addresses(kind, fields, present, has_path);
    // Whether a field is there counts even where its value does not.
    let mut mixed = Mixed::default();
    mixed.add(present);
    mixed.add(kind as u64);
    mixed.add(xxh3_64(name.as_bytes()));
    for (field, value, hash) in values.filter(|(field, ..)| field.bit() & needless == 0) {
        mixed.add((field as u64) << 8 | u64::from(value_type(value)));
        mixed.add(hash);
    }
    Some(mixed.finish())
}

/// A hash of a sequence of hashes: two products, as one has but 64 bits.
#[derive(Debug, Default)]
struct Mixed(u64, u64);

impl Mixed {
    // Both are odd, so no step loses anything: 2^64 divided by the golden ratio, and a prime of xxHash.
    const FACTORS: (u64, u64) = (0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f);

    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(Self::FACTORS.0).rotate_left(31);
        self.1 = (self.1.rotate_left(29) ^ word).wrapping_mul(Self::FACTORS.1);
    }

    fn finish(mut self) -> u128 {
        // The last word has reached the upper bits alone.
        self.add(self.1 >> 32);
        u128::from(self.1) << 64 | u128::from(self.0)
    }
}

/// Addresses that change no callee. They differ from one connection to the next, so it pays to know them.
fn needless_addresses(kind: Kind, fields: &Fields<'_>, present: u64, has_path: bool) -> u64 {
    use Field::*;
    const CONNECTION: u64 = bits(&[PeerAddress, PeerPort]);
    const HOST: u64 = bits(&[ServerAddress, ServerPort, HttpHost, PeerService]);
    let has_host = fields.text(ServerAddress).is_some();
    let paths = if has_path && (has_host || kind == Kind::Server) { PATHS } else { 0 };
    if kind == Kind::Server {
        paths | CONNECTION | HOST
    } else if present & DB != 0 && present & GEN_AI == 0 {
        paths | CONNECTION | bits(&[ServerPort])
    } else if has_host && fields.int(ServerPort).is_some() {
        paths | CONNECTION
    } else {
        paths
    }
}

fn value_type(value: Value<'_>) -> u8 {
    match value {
        Value::Text(_) => 0,
        Value::Int(_) => 1,
        Value::Double(_) => 2,
        Value::Bool(_) => 3,
    }
}
