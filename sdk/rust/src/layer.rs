//! Level 3 as tower layers: axum, hyper, tonic, and every other service of `http` requests.
//!
//! gRPC needs no layers of its own, because its metadata are headers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http::header::HOST;
use http::{Request, Response};
use opentelemetry::Context;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::Hlc;

/// Stamps the responses of a server.
#[derive(Debug, Clone)]
pub struct ServerLayer {
    hlc: Hlc,
}

impl ServerLayer {
    pub(crate) fn new(hlc: Hlc) -> Self {
        Self { hlc }
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, next: S) -> ServerService<S> {
        ServerService { hlc: self.hlc.clone(), next }
    }
}

/// A server whose responses are stamped.
#[derive(Debug, Clone)]
pub struct ServerService<S> {
    hlc: Hlc,
    next: S,
}

impl<S, A, B> Service<Request<A>> for ServerService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.next.poll_ready(task)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let next = self.next.call(request);
        ResponseFuture { next, hlc: self.hlc.clone(), side: Side::Server }
    }
}

/// Takes stamps from the responses that a client gets.
#[derive(Debug, Clone)]
pub struct ClientLayer {
    hlc: Hlc,
    destination: Option<Arc<str>>,
}

impl ClientLayer {
    pub(crate) fn new(hlc: Hlc) -> Self {
        Self { hlc, destination: None }
    }

    /// Names the destination of all requests, where requests do not: those of a tonic channel get
    /// their host only behind all layers.
    #[must_use]
    pub fn to(self, host: &str) -> Self {
        Self { destination: Some(Arc::from(host)), ..self }
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, next: S) -> ClientService<S> {
        ClientService { layer: self.clone(), next }
    }
}

/// A client whose responses are looked at.
#[derive(Debug, Clone)]
pub struct ClientService<S> {
    layer: ClientLayer,
    next: S,
}

impl<S, A, B> Service<Request<A>> for ClientService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.next.poll_ready(task)
    }

    /// The response belongs to the span of the [`Context`] among the request's extensions, or to
    /// the current one.
    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let hlc = self.layer.hlc.clone();
        let destination = self.layer.destination.as_deref().map(str::to_owned);
        let destination = destination.or_else(|| host(&request)).unwrap_or_default();
        // Who must not learn our time is not believed either.
        let side = if hlc.clean_request(&destination, request.headers_mut()) {
            Side::Stranger
        } else {
            let cx = request.extensions().get::<Context>().cloned();
            Side::Client { cx: cx.unwrap_or_else(Context::current) }
        };
        ResponseFuture { next: self.next.call(request), hlc, side }
    }
}

fn host<A>(request: &Request<A>) -> Option<String> {
    if let Some(host) = request.uri().host() {
        return Some(host.to_owned());
    }
    let header = request.headers().get(HOST)?.to_str().ok()?;
    let authority: http::uri::Authority = header.parse().ok()?;
    Some(authority.host().to_owned())
}

/// What a response is to us.
#[derive(Debug)]
enum Side {
    /// Ours: it gets a stamp.
    Server,
    /// An answer to a request of this context: its stamps are taken.
    Client { cx: Context },
    /// An answer of somebody who exchanges no stamps with us.
    Stranger,
}

pin_project! {
    /// The future of a response that is stamped, or whose stamps are taken.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        next: F,
        hlc: Hlc,
        side: Side,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut result = ready!(this.next.poll(task));
        if let Ok(response) = &mut result {
            match this.side {
                Side::Server => this.hlc.stamp_response(response.headers_mut()),
                Side::Client { cx } => this.hlc.receive_response(response.headers(), cx),
                Side::Stranger => {}
            }
        }
        Poll::Ready(result)
    }
}
