//! Forms of every family: same calls one key, different calls different keys.

use proptest::prelude::*;

use super::*;

type Attributes<'a> = &'a [(&'a str, &'a str)];

fn form(kind: Kind, name: &str, attributes: Attributes<'_>) -> Option<std::sync::Arc<Call>> {
    let pairs = attributes.iter().map(|(key, value)| (*key, Value::Text(value)));
    Former::default().form(kind, name, &Fields::read(pairs))
}

/// Checks family, callee and template of a client span.
fn check(name: &str, attributes: Attributes<'_>, expected: (System, &str, &str)) {
    let call = form(Kind::Client, name, attributes).expect("client spans are calls");
    assert_eq!((call.system, call.callee.as_str(), call.template.as_str()), expected);
    assert!(call.is_exit);
}

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
fn http_calls_differ_by_service_method_and_route() {
    let get = ("http.request.method", "GET");
    check(
        "GET",
        &[get, ("url.full", "https://user:pw@api.shop.com:443/users/17?x=1")],
        (System::Http, "api.shop.com", "GET /users/{id}"),
    );
    check(
        "GET",
        &[get, ("url.full", "http://localhost:8081/a")],
        (System::Http, "localhost:8081", "GET /a"),
    );
    check(
        "GET",
        &[get, ("url.full", "http://localhost:8082/a")],
        (System::Http, "localhost:8082", "GET /a"),
    );
    check(
        "GET",
        &[
            get,
            ("url.template", "/users/{id}"),
            ("url.full", "http://u/users/joe"),
            ("server.address", "u"),
            ("server.port", "8080"),
        ],
        (System::Http, "u:8080", "GET /users/{id}"),
    );
    check(
        "get /clients/_uuid_",
        &[("http.path", "/clients/zipkin-sample-id")],
        (System::Http, "", "GET /clients/_uuid_"),
    );
    check(
        "GET /users",
        &[get, ("url.path", "/users/17/orders")],
        (System::Http, "", "GET /users/{id}/orders"),
    );
    check(
        "HTTP GET",
        &[get, ("http.target", "/a?b=1"), ("http.host", "H:80")],
        (System::Http, "h", "GET /a"),
    );
    check("x", &[("http.request.method", "post"), ("url.path", "/")], (System::Http, "", "POST /"));
    check(
        "x",
        &[
            get,
            ("url.path", "/"),
            ("network.peer.address", "10.0.0.7"),
            ("network.peer.port", "9000"),
        ],
        (System::Http, "10.0.0.7:9000", "GET /"),
    );
}

#[test]
fn bare_http_names_need_their_server() {
    let mut former = Former::default();
    let call = former.form(Kind::Unspecified, "HTTP GET", &Fields::default()).expect("a call");
    assert_eq!(
        (call.template.as_str(), call.target_known, call.source),
        ("GET", false, Source::Name)
    );
    assert!(call.is_exit);
    let a = former.with_target(&call, "stations", "/stations/id/{name}");
    let b = former.with_target(&call, "trains", "/trains/byName/{name}");
    assert_ne!(a.key, b.key);
    assert_eq!(a.template, "GET /stations/id/{name}");
    assert_eq!(former.with_target(&call, "stations", "GET /stations/id/{name}"), a);
}

#[test]
fn procedures_are_read_from_attributes_and_names() {
    let grpc = [
        ("rpc.system", "grpc"),
        ("rpc.service", "shop.Cart"),
        ("rpc.method", "AddItem"),
        ("server.address", "10.1.2.3"),
    ];
    check("x", &grpc, (System::Rpc, "", "shop.Cart/AddItem"));
    check(
        "x",
        &[
            ("rpc.system", "aws-api"),
            ("rpc.service", "S3"),
            ("rpc.method", "GetObject"),
            ("http.method", "GET"),
        ],
        (System::Rpc, "", "S3/GetObject"),
    );
    check("/geo.Geo/Nearby", &[("component", "gRPC")], (System::Rpc, "", "geo.Geo/Nearby"));
    check("shop.Cart/AddItem", &[("rpc.system", "grpc")], (System::Rpc, "", "shop.Cart/AddItem"));
    assert_eq!(form(Kind::Client, "x", &grpc).map(|call| call.effect), Some(Effect::Write));
    assert_eq!(form(Kind::Unspecified, "/api/v1/users", &[]), None);
}

#[test]
fn destinations_lose_what_is_of_one_occasion() {
    let to = |destination| {
        [
            ("messaging.system", "kafka"),
            ("messaging.operation", "publish"),
            ("messaging.destination.name", destination),
        ]
    };
    check("x", &to("orders"), (System::Messaging, "kafka", "send orders"));
    check("x", &to("iot-events360"), (System::Messaging, "kafka", "send iot-events360"));
    check(
        "x",
        &to("persistent://t/ns/orders-partition-3"),
        (System::Messaging, "kafka", "send persistent://t/ns/orders"),
    );
    check(
        "x",
        &to("amq.gen-JzTY20BRgKO-HjmUJj0wLg"),
        (System::Messaging, "kafka", "send (temporary)"),
    );
    check(
        "x",
        &to("replies.550e8400-e29b-41d4-a716-446655440000"),
        (System::Messaging, "kafka", "send replies.{id}"),
    );
    check(
        "x",
        &to("https://sqs.eu.amazonaws.com/123456789012/jobs"),
        (System::Messaging, "kafka", "send jobs"),
    );
    check(
        "x",
        &[
            ("messaging.system", "kafka"),
            ("messaging.destination.name", "orders-7"),
            ("messaging.destination.partition.id", "7"),
        ],
        (System::Messaging, "kafka", "send orders"),
    );
    check(
        "x",
        &[
            ("messaging.system", "jms"),
            ("messaging.destination.name", "q"),
            ("messaging.destination.temporary", "true"),
        ],
        (System::Messaging, "jms", "send (temporary)"),
    );
    check(
        "x",
        &[
            ("messaging.system", "x"),
            ("messaging.destination.template", "/c/{customer}"),
            ("messaging.destination.name", "/c/17"),
        ],
        (System::Messaging, "x", "send /c/{customer}"),
    );
    let poll =
        form(Kind::Consumer, "poll", &[("kafka.topic", "messages"), ("peer.service", "kafka")])
            .expect("a call");
    assert_eq!((poll.template.as_str(), poll.is_exit), ("receive messages", false));
    let ack = form(
        Kind::Client,
        "ack",
        &[
            ("messaging.system", "x"),
            ("messaging.operation.name", "ack"),
            ("messaging.destination.name", "q"),
        ],
    );
    assert!(ack.is_some_and(|call| call.is_housekeeping && call.template == "settle q"));
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

#[test]
fn models_tools_operations_and_functions_go_by_name() {
    let chat = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "claude-3-5"),
        ("gen_ai.provider.name", "anthropic"),
    ];
    check("chat claude-3-5", &chat, (System::GenAi, "anthropic", "chat claude-3-5"));
    let tool = form(
        Kind::Internal,
        "execute_tool x",
        &[("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "get_weather")],
    );
    assert!(tool.is_some_and(|call| call.is_exit && call.template == "execute_tool get_weather"));
    let named = [("gen_ai.operation.name", "execute_tool")];
    check("execute_tool sum", &named, (System::GenAi, "", "execute_tool sum"));
    check(
        "x",
        &[("graphql.operation.type", "query"), ("graphql.operation.name", "Cart")],
        (System::Other, "", "query Cart"),
    );
    check(
        "x",
        &[("faas.invoked_name", "resize-image")],
        (System::Other, "", "invoke resize-image"),
    );
    check("render page 17", &[], (System::Other, "", "render page {id}"));
}

#[test]
fn names_alone_make_calls_of_known_shapes() {
    let by_name = |name| {
        form(Kind::Unspecified, name, &[])
            .map(|call| (call.system, call.template.clone(), call.is_housekeeping))
    };
    let expected =
        |system, template: &str, housekeeping| Some((system, template.to_owned(), housekeeping));
    assert_eq!(
        by_name("SELECT ts.route_stations"),
        expected(System::Db, "SELECT ts.route_stations", false)
    );
    assert_eq!(by_name("SELECT Order"), expected(System::Db, "SELECT Order", false));
    assert_eq!(by_name("SELECT User"), expected(System::Db, "SELECT User", false));
    assert_eq!(
        by_name("hipstershop.CartService/GetCart"),
        expected(System::Rpc, "hipstershop.CartService/GetCart", false)
    );
    assert_eq!(by_name("HTTP GET /hotels"), expected(System::Http, "GET /hotels", false));
    assert_eq!(by_name("sql.conn.query"), expected(System::Db, "sql.conn.query", false));
    assert_eq!(by_name("sql.rows"), expected(System::Db, "sql.rows", true));
    assert_eq!(by_name("Transaction.commit"), expected(System::Db, "Transaction.commit", true));
    assert_eq!(by_name("HGETALL"), expected(System::Cache, "HGETALL", false));
    for name in [
        "OrderRepository.findById",
        "compute",
        "/api/v1/users",
        "Select a seat",
        "",
        "GET a b c",
        "a/b",
    ] {
        assert_eq!(by_name(name), None, "{name}");
    }
}

#[test]
fn exits_go_by_kind_then_attributes() {
    let is_exit =
        |kind, attributes: Attributes<'_>| form(kind, "x", attributes).map(|call| call.is_exit);
    let db: Attributes<'_> = &[("db.system", "mysql"), ("db.statement", "SELECT 1 FROM t")];
    let http: Attributes<'_> = &[("http.request.method", "GET"), ("url.full", "http://a/b")];
    let route: Attributes<'_> = &[("http.request.method", "GET"), ("http.route", "/b")];
    assert_eq!(is_exit(Kind::Internal, db), Some(true));
    assert_eq!(is_exit(Kind::Internal, http), Some(true));
    assert_eq!(is_exit(Kind::Internal, route), Some(false));
    assert_eq!(is_exit(Kind::Server, http), Some(false));
    assert_eq!(is_exit(Kind::Consumer, &[("messaging.system", "kafka")]), Some(false));
    assert_eq!(is_exit(Kind::Producer, &[]), Some(true));
    assert_eq!(is_exit(Kind::Internal, &[]), None);
    assert_eq!(is_exit(Kind::Server, &[]), None);
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

#[test]
fn forming_again_after_forgetting_gives_the_same_call() {
    let mut small = Former::new(2, 2);
    let statements: Vec<String> = (0..10).map(|at| format!("SELECT c{at} FROM t")).collect();
    let calls = |former: &mut Former| -> Vec<CallKey> {
        let form = |text: &String| {
            let fields = Fields::read([("db.query.text", Value::Text(text.as_str()))]);
            former.form(Kind::Client, "x", &fields).expect("a call").key
        };
        statements.iter().map(form).collect()
    };
    let first = calls(&mut small);
    assert_eq!(calls(&mut small), first);
    assert_eq!(calls(&mut Former::default()), first);
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
fn keys_are_stable() {
    // Stored group keys hold these: a change here orphans them.
    let call = form(
        Kind::Client,
        "x",
        &[("db.system", "mysql"), ("db.statement", "SELECT * FROM t WHERE a = 1")],
    )
    .expect("a call");
    assert_eq!(call.key, CallKey(2_613_611_515_842_234_633_441_349_413_133_760_437));
}

proptest! {
    #[test]
    fn any_path_and_name_has_a_stable_form(text in "\\PC{0,60}|[a-zA-Z0-9/:._%{}?#; -]{0,80}|(/[0-9a-f]{1,40}){0,9}") {
        let path = normal_path(&text);
        prop_assert_eq!(normal_path(&path), path);
        let mut name = String::new();
        path::push_name(&text, &mut name);
        let mut again = String::new();
        path::push_name(&name, &mut again);
        prop_assert_eq!(again, name);
    }

    #[test]
    fn any_document_has_a_stable_form(text in "[{\\[][ {}\\[\\]:,\"'a-c1-3\\\\…\n]{0,60}|\\PC{0,60}") {
        let mut form = String::new();
        document::push_document(&text, &mut form);
        let mut again = String::new();
        document::push_document(&form, &mut again);
        prop_assert_eq!(again, form);
    }

    #[test]
    fn any_value_is_searched_for_secrets(value in "\\PC{0,80}|[a-zA-Z0-9=:/@ \"'&_-]{0,80}") {
        for site in find_secrets("x.password", &value) {
            prop_assert!(value.get(site.start_idx..site.end_idx).is_some());
        }
    }

    #[test]
    fn any_span_is_formed_alike_whatever_came_before(
        spans in prop::collection::vec(
            (
                0..6_i32,
                prop::sample::select(vec!["GET", "GET /a/{id}", "SELECT t", "send x", "a.B/C", "HGET", "\u{e9} 17", ""]),
                prop::collection::vec((0..conventions::NAMES.len(), "|\\PC{0,9}|/a/[0-9]|http://h[12]/[ab]|select [12]|get|GET k"), 0..6),
            ),
            1..12,
        ),
    ) {
        let mut former = Former::new(4, 4);
        for (kind, name, picks) in &spans {
            let pairs = picks.iter().filter_map(|(at, value)| Some((conventions::NAMES.get(*at)?.0, Value::Text(value.as_str()))));
            let (kind, fields) = (Kind::from_otlp(*kind), Fields::read(pairs));
            let call = former.form(kind, name, &fields);
            prop_assert_eq!(&call, &Former::default().form(kind, name, &fields));
            prop_assert!(call.is_none_or(|call| call.template.len() <= sql::TEMPLATE_BYTES_MAX + PATH_BYTES_MAX));
        }
    }
}
