//! The handle that all parts share: one clock, the open spans, and who never gets a stamp.

use std::sync::Arc;

use causeway_clock::{Clock, ClockSettings};
use opentelemetry::global;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SpanProcessor;

use crate::destination::Destinations;
use crate::spans::OpenSpans;
use crate::{ClientLayer, HlcProcessor, HlcPropagator, ServerLayer};

/// How spans are tagged.
#[derive(Debug, Clone, Default)]
pub struct HlcSettings {
    /// The clock; the step callback is `on_new_node` in here.
    pub clock: ClockSettings,
    /// Hosts that never get a stamp, with all their subdomains: a stamp tells the time of this
    /// machine to the nanosecond, and which requests come from one process.
    pub unstamped_destinations: Vec<String>,
}

/// The clock of this process and what tags spans with it. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Hlc {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    clock: Clock,
    spans: OpenSpans,
    unstamped: Destinations,
}

impl Hlc {
    /// A clock with an identity of its own. A process needs one.
    pub fn new(settings: HlcSettings) -> Self {
        let shared = Shared {
            clock: Clock::new(settings.clock),
            spans: OpenSpans::default(),
            unstamped: Destinations::new(settings.unstamped_destinations),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Makes the W3C propagator with stamps the global one, and wraps a span processor. Where other
    /// propagators are needed too, [`propagator`](Self::propagator) and
    /// [`processor`](Self::processor) do the same apart.
    pub fn install<P: SpanProcessor>(&self, next: P) -> HlcProcessor<P> {
        global::set_text_map_propagator(self.propagator(TraceContextPropagator::new()));
        self.processor(next)
    }

    /// Level 1: wraps a propagator that reads and writes `tracestate`.
    pub fn propagator<P: TextMapPropagator>(&self, next: P) -> HlcPropagator<P> {
        HlcPropagator::new(self.clone(), next)
    }

    /// Level 2: wraps the processor that spans go to when they end. Where there are several, each
    /// one is wrapped; they see the same stamps.
    pub fn processor<P: SpanProcessor>(&self, next: P) -> HlcProcessor<P> {
        HlcProcessor::new(self.clone(), next)
    }

    /// Level 3 for servers, HTTP and gRPC: stamps responses. Best outside of what ends the
    /// server's span, so that its end is proven to come before the client's.
    pub fn server_layer(&self) -> ServerLayer {
        ServerLayer::new(self.clone())
    }

    /// Level 3 for clients, HTTP and gRPC: takes stamps from responses, and removes them from
    /// requests to where they must not go. Inside of what starts the client's span and injects.
    pub fn client_layer(&self) -> ClientLayer {
        ClientLayer::new(self.clone())
    }

    /// Gives a forked child an identity of its own; to be called in the child.
    pub fn after_fork(&self) {
        self.shared.clock.after_fork();
    }

    /// The clock, its counters, and ticks for other uses.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    pub(crate) fn spans(&self) -> &OpenSpans {
        &self.shared.spans
    }

    pub(crate) fn is_unstamped(&self, destination: &str) -> bool {
        self.shared.unstamped.contains(destination)
    }
}
