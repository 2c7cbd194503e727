//! Old names and new ones, values of every type.

use super::{Attributes, form};
use crate::forms::{Field, Fields, Generation, Kind, Value, conventions};

/// Spans of the old conventions and of the new ones.
const GENERATIONS: &[(Attributes<'static>, Attributes<'static>)] = &[
    (
        &[
            ("db.system", "postgresql"),
            ("db.name", "shop"),
            ("db.statement", "select 1 from a"),
            ("net.peer.name", "pg"),
        ],
        &[
            ("db.system.name", "postgresql"),
            ("db.namespace", "shop"),
            ("db.query.text", "SELECT  2 FROM a"),
            ("server.address", "pg"),
        ],
    ),
    (
        &[
            ("http.method", "GET"),
            ("http.url", "http://users:8080/users/17"),
            ("http.status_code", "200"),
        ],
        &[
            ("http.request.method", "GET"),
            ("url.full", "http://users:8080/users/18"),
            ("http.response.status_code", "200"),
        ],
    ),
    (
        &[
            ("rpc.system", "grpc"),
            ("rpc.service", "shop.Cart"),
            ("rpc.method", "Add"),
            ("rpc.grpc.status_code", "0"),
        ],
        &[
            ("rpc.system.name", "grpc"),
            ("rpc.method", "shop.Cart/Add"),
            ("rpc.response.status_code", "OK"),
        ],
    ),
    (
        &[
            ("messaging.system", "kafka"),
            ("messaging.operation", "publish"),
            ("messaging.destination", "orders"),
        ],
        &[
            ("messaging.system", "kafka"),
            ("messaging.operation.type", "send"),
            ("messaging.destination.name", "orders"),
        ],
    ),
    (
        &[
            ("gen_ai.system", "openai"),
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.request.model", "gpt-4o"),
        ],
        &[
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.request.model", "gpt-4o"),
        ],
    ),
];

#[test]
fn old_and_new_conventions_make_one_call() {
    for (old, new) in GENERATIONS {
        let (old_call, new_call) = (form(Kind::Client, "x", old), form(Kind::Client, "x", new));
        assert_eq!(old_call, new_call);
        assert!(old_call.is_some());
        let read = |attributes: Attributes<'_>| {
            let pairs = attributes.iter().map(|(key, value)| (*key, Value::Text(value)));
            Fields::read(pairs.collect::<Vec<_>>()).generation()
        };
        assert_eq!((read(old), read(new)).1, Some(Generation::New));
        assert!(matches!(read(old), Some(Generation::Old | Generation::Shared)));
    }
}

#[test]
fn fields_read_values_of_every_type() {
    let fields = Fields::read([
        ("http.status_code", Value::Text("401")),
        ("http.response.status_code", Value::Double(200.0)),
        ("http.response_content_length", Value::Int(300_000)),
        ("http.request.resend_count", Value::Int(2)),
        ("http.url", Value::Text("https://a:9/b")),
        ("net.peer.port", Value::Text("8080")),
        ("peer.service", Value::Text("")),
        ("idempotency_key", Value::Text("k")),
        ("unknown", Value::Bool(true)),
    ]);
    assert_eq!(fields.http_status(), Some(200), "the new name wins");
    assert_eq!(fields.response_bytes(), Some(300_000));
    assert_eq!(fields.resend_count(), Some(2));
    assert_eq!(fields.url_scheme(), Some("https"));
    assert_eq!(fields.port(), Some(8080));
    assert_eq!(fields.text(Field::PeerService), None);
    assert_eq!(fields.idempotency_key(), Some("k"));
    assert_eq!(fields.generation(), Some(Generation::Shared));
    assert_eq!(Fields::read([("a", Value::Int(1))]).generation(), None);
}

#[test]
fn names_of_the_table_are_unique() {
    let mut names: Vec<_> = conventions::NAMES.iter().map(|(name, ..)| name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
