//! Databases, document stores and caches: statements, commands and whose data is used.

use super::{check, form};
use crate::forms::{Effect, Fields, Former, Kind, System, Value, sql};

#[test]
fn databases_are_told_apart_but_not_their_nodes() {
    let statement = ("db.query.text", "SELECT * FROM client WHERE id = ?");
    let at = |address| {
        [
            ("db.system.name", "cassandra"),
            ("db.namespace", "auth"),
            statement,
            ("server.address", address),
        ]
    };
    let expected = (System::Db, "cassandra/auth", "SELECT * FROM client WHERE id = ?");
    check("x", &at("10.0.0.117"), expected);
    check("x", &at("10.0.0.3"), expected);
    check("x", &at("cassandra-0.db"), (System::Db, "cassandra.db/auth", expected.2));
    check("x", &at("cassandra-12.db"), (System::Db, "cassandra.db/auth", expected.2));
    check("x", &at("other.db"), (System::Db, "other.db/auth", expected.2));
    let peer = [
        ("db.system", "cassandra"),
        ("peer.service", "auth-db"),
        statement,
        ("network.peer.address", "10.0.0.1"),
    ];
    check("x", &peer, (System::Db, "auth-db", expected.2));
}

#[test]
fn summaries_come_first() {
    let call = form(
        Kind::Client,
        "x",
        &[
            ("db.system.name", "mysql"),
            ("db.query.summary", "SELECT users"),
            ("db.query.text", "select 1 from users for update"),
        ],
    )
    .expect("a call");
    assert_eq!(call.template, "SELECT users");
    assert_eq!(
        (call.operation.as_str(), call.target.as_str(), call.effect),
        ("SELECT", "users", Effect::Read)
    );
}

#[test]
fn statements_with_other_values_are_one_call() {
    let mut former = Former::default();
    let mut template = |text: &str| {
        let fields = Fields::read([("db.query.text", Value::Text(text))]);
        former
            .form(Kind::Client, "x", &fields)
            .map(|call| call.template.clone())
            .unwrap_or_default()
    };
    for id in 0..3 {
        let text = format!("SELECT a FROM t WHERE b = {id} AND c = 'x{id}' /* trace {id} */");
        assert_eq!(template(&text), "SELECT a FROM t WHERE b = ? AND c = ?");
    }
    // Cut by the limit, and not: one skeleton, two forms.
    let with = |value: &str| format!("SELECT a FROM t WHERE b = '{value}' AND c = 1");
    assert_eq!(template(&with("x")), "SELECT a FROM t WHERE b = ? AND c = ?");
    assert_eq!(template(&with(&"x".repeat(sql::STATEMENT_BYTES_MAX))), "SELECT a FROM t WHERE b …");
}

#[test]
fn document_stores_go_by_operation_and_collection() {
    let find = [
        ("db.system", "mongodb"),
        ("db.name", "shop"),
        ("db.operation", "find"),
        ("db.mongodb.collection", "carts"),
    ];
    check("x", &find, (System::Db, "mongodb/shop", "find carts"));
    let text = r#"{"find":"carts","filter":{"user":17}}"#;
    check(
        "x",
        &[("db.system", "mongodb"), ("db.statement", text)],
        (System::Db, "mongodb", r#"{"find": "carts", "filter": {"user": ?}}"#),
    );
    let search = [
        ("db.system", "elasticsearch"),
        ("db.operation", "search"),
        ("http.request.method", "POST"),
        ("url.full", "http://es:9200/orders/_search?q=1"),
        ("server.address", "es-node-3"),
    ];
    check("x", &search, (System::Db, "es-node", "search /orders/_search"));
    check(
        "ListTables",
        &[
            ("db.system", "dynamodb"),
            ("db.operation", "GetItem"),
            ("aws.dynamodb.table_names", "[\"carts\"]"),
        ],
        (System::Db, "dynamodb", "GetItem carts"),
    );
}

#[test]
fn cache_commands_keep_the_shape_of_their_key() {
    let redis = |text| [("db.system", "redis"), ("db.statement", text)];
    check("x", &redis("GET user:17:cart"), (System::Cache, "redis", "GET user:{id}:cart"));
    check("x", &redis("get user:18:cart"), (System::Cache, "redis", "GET user:{id}:cart"));
    check(
        "x",
        &redis("HMSET product:OLJCESPC7Z name ? price ?"),
        (System::Cache, "redis", "HMSET product:{id}"),
    );
    check("x", &redis("MGET a:1 a:2 a:3"), (System::Cache, "redis", "MGET a:{id}"));
    check("x", &redis("SET ? ?"), (System::Cache, "redis", "SET"));
    check(
        "x",
        &redis("CLIENT SETINFO LIB-NAME redis-py"),
        (System::Cache, "redis", "CLIENT SETINFO"),
    );
    check(
        "GET",
        &[
            ("db.system.name", "redis"),
            ("db.operation.name", "GET"),
            ("db.query.text", "GET user:17"),
            ("db.namespace", "0"),
        ],
        (System::Cache, "redis/0", "GET user:{id}"),
    );
    check(
        "x",
        &[("db.system", "memcached"), ("db.operation", "get"), ("db.statement", "k17")],
        (System::Cache, "memcached", "GET k17"),
    );
    let effect = |text| {
        form(Kind::Client, "x", &redis(text)).map(|call| (call.effect, call.is_housekeeping))
    };
    assert_eq!(effect("HGET a b"), Some((Effect::Read, false)));
    assert_eq!(effect("DEL a"), Some((Effect::Write, false)));
    assert_eq!(effect("PING"), Some((Effect::Unknown, true)));
    assert_eq!(effect("MULTI"), Some((Effect::Unknown, true)));
}
