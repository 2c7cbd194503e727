//! Calls that go by a name: procedures, models, tools, functions, and spans with nothing but a name.

use super::{check, form};
use crate::forms::{Effect, Kind, System};

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
