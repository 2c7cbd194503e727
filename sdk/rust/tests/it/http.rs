//! Response stamps over HTTP: an axum server, and clients of hyper and reqwest.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::get;
use causeway_hlc::Stamp;
use http::Request;
use http::header::HeaderName;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use tokio::net::TcpListener;
use tower::{Layer as _, ServiceExt as _};

use crate::process::{Headers, MS, Options, Process, START_NS, Tested};

const A: &str = "a11ce00000000001";
const B: &str = "b0b0000000000001";

/// What a handler needs, and the headers it got.
#[derive(Debug, Clone)]
struct Server {
    process: Arc<Process>,
    received: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Server {
    /// Listens on a port of its own; gives its address.
    async fn start() -> Result<(Self, String), Box<dyn std::error::Error>> {
        let process = Process::usual(B)?;
        process.set(START_NS + 300 * MS);
        let server = Self { process: Arc::new(process), received: Arc::default() };
        let router = Router::new()
            .route("/", get(Self::handle))
            .with_state(server.clone())
            .layer(server.process.hlc.server_layer());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((server, address))
    }

    #[expect(clippy::unused_async, reason = "a handler of axum is asynchronous")]
    async fn handle(State(server): State<Self>, headers: HeaderMap) -> [(HeaderName, String); 1] {
        let parent = server.process.extract(&text(&headers));
        server.process.start("server", &parent).span().end();
        server.received.lock().unwrap_or_else(PoisonError::into_inner).push(headers);
        [(HeaderName::from_static("server-timing"), "db;dur=53.2".to_owned())]
    }

    fn tracestate(&self) -> Option<String> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let headers = received.last()?;
        headers.get("tracestate").and_then(|value| value.to_str().ok()).map(str::to_owned)
    }
}

fn text(headers: &HeaderMap) -> Headers {
    let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// A request of process A within the span of a context.
fn request(a: &Process, cx: &Context, uri: &str) -> Result<Request<Body>, http::Error> {
    let mut headers = Headers::new();
    a.propagator().inject_context(cx, &mut headers);
    let builder = Request::get(uri).extension(cx.clone());
    let builder =
        headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    builder.body(Body::empty())
}

/// The client's span ends after its response: proven by what the spans say.
fn check_return_edge(a: &Process, server: &Server) -> Tested {
    let (client, served) = (a.tags("client")?, server.process.tags("server")?);
    let stamps = |tags: &crate::process::Tags, name: &str| -> Result<Stamp, _> {
        tags.get(name).and_then(|list| list.first()).map_or("", String::as_str).parse()
    };
    let response = stamps(&client, "hlc.resp")?;
    let (served_end, client_end) = (stamps(&served, "hlc.end")?, stamps(&client, "hlc.end")?);
    assert_eq!(response.node, served_end.node);
    assert!(served_end.hlc < response.hlc, "the server ended before it answered");
    assert!(response.hlc < client_end.hlc, "the client ended after the answer");
    Ok(())
}

#[tokio::test]
async fn hyper_client_and_axum_server() -> Tested {
    let (server, address) = Server::start().await?;
    let a = Process::usual(A)?;
    let cx = a.start("client", &Context::new());
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let client = a.hlc.client_layer().layer(client);
    let response = client.oneshot(request(&a, &cx, &format!("http://{address}/"))?).await?;
    cx.span().end();
    let timing: Vec<_> = response.headers().get_all("server-timing").iter().collect();
    assert_eq!(timing.len(), 2, "{timing:?}");
    assert_eq!(timing[0], "db;dur=53.2");
    check_return_edge(&a, &server)
}

#[tokio::test]
async fn the_current_context_is_used_without_an_extension() -> Tested {
    let (server, address) = Server::start().await?;
    let a = Process::usual(A)?;
    let cx = a.start("client", &Context::new());
    let mut request = request(&a, &cx, &format!("http://{address}/"))?;
    request.extensions_mut().clear();
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let mut client = a.hlc.client_layer().layer(client);
    let call = {
        let _current = cx.clone().attach();
        tower::Service::call(&mut client, request)
    };
    call.await?;
    cx.span().end();
    check_return_edge(&a, &server)
}

#[tokio::test]
async fn reqwest_client() -> Tested {
    let (server, address) = Server::start().await?;
    let a = Process::usual(A)?;
    let cx = a.start("client", &Context::new());
    let mut headers = HeaderMap::new();
    for (name, value) in a.inject(&cx) {
        headers.insert(HeaderName::try_from(name)?, value.try_into()?);
    }
    assert!(!a.hlc.clean_request("127.0.0.1", &mut headers));
    let client = reqwest::Client::builder().no_proxy().build()?;
    let response = client.get(format!("http://{address}/")).headers(headers).send().await?;
    a.hlc.receive_response(response.headers(), &cx);
    cx.span().end();
    check_return_edge(&a, &server)
}

#[tokio::test]
async fn a_listed_destination_gets_no_stamp_and_is_not_believed() -> Tested {
    let (server, address) = Server::start().await?;
    for named in [None, Some("127.0.0.1")] {
        let unstamped_destinations = vec!["127.0.0.1".to_owned()];
        let a = Process::new(A, Options { unstamped_destinations, ..Options::default() })?;
        let cx = a.start("client", &Context::new());
        let layer = a.hlc.client_layer();
        let layer = named.map_or(layer.clone(), |host| layer.to(host));
        let client = layer.layer(Client::builder(TokioExecutor::new()).build_http::<Body>());
        client.oneshot(request(&a, &cx, &format!("http://{address}/"))?).await?;
        cx.span().end();
        assert_eq!(server.tracestate(), None);
        assert!(!a.tags("client")?.contains_key("hlc.resp"));
        assert!(a.hlc.clock().tick().hlc < START_NS + MS, "the server's time was not merged");
    }
    Ok(())
}
