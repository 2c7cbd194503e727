//! HTTP calls: service, method and route, and what the server tells.

use super::check;
use crate::forms::{Fields, Former, Kind, Source, System};

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
