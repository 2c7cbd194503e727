//! What customers of the shop do. Each journey is what one request at the storefront causes.
//!
//! `daily` is the bulk of the traffic, most of it sound; the others show one fault each and are sound without it.
//! `worker` is what happens behind the queues.

mod daily;
mod latency;
mod network;
mod reliability;
mod worker;

use super::calls::Call;
use super::cast::Service;
use super::plan::{At, Outcome, Planner};

type Plays = fn(&mut Planner<'_>, i64);

/// A journey, and how many of a thousand traces are of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Journey {
    /// As its root span is named.
    pub(super) operation: &'static str,
    pub(super) per_mille: u64,
    pub(super) play: Plays,
}

const fn journey(operation: &'static str, per_mille: u64, play: Plays) -> Journey {
    Journey { operation, per_mille, play }
}

/// All journeys; what is left of a thousand goes to the first.
pub(super) const JOURNEYS: [Journey; 20] = [
    journey("GET /", 150, daily::home),
    journey("GET /products/{id}", 170, daily::product),
    journey("GET /search", 90, daily::search),
    journey("POST /cart/items", 90, daily::add_to_cart),
    journey("POST /checkout", 110, daily::checkout),
    journey("GET /categories/{id}", 30, latency::category),
    journey("GET /dashboard", 25, latency::dashboard),
    journey("GET /stock", 20, latency::stock),
    journey("GET /account", 30, latency::account),
    journey("GET /quotes", 30, latency::quote),
    journey("GET /checkout/summary", 25, latency::summary),
    journey("GET /vouchers/{code}", 30, reliability::voucher),
    journey("POST /gift-cards", 25, reliability::gift_card),
    journey("GET /reports/sales", 25, reliability::report),
    journey("POST /refunds", 30, reliability::refund),
    journey("GET /settings", 30, reliability::account_settings),
    journey("GET /export", 20, network::export),
    journey("GET /stores", 25, network::stores),
    journey("GET /partner/feed", 20, network::partner_feed),
    journey("GET /points", 25, network::points),
];

impl Planner<'_> {
    /// A request that the storefront passes to the gateway, which does what `body` says.
    fn through_gateway(
        &mut self,
        at_ns: i64,
        (method, route): (&'static str, &'static str),
        body: impl FnOnce(&mut Self, &mut At) -> Outcome,
    ) {
        self.root(at_ns, method, route, |p, at| {
            let call = Call::new(Service::Gateway, method, route);
            let outcome = p.call(at, &call, |p, at| {
                p.work(at, "authorise", 1_200);
                let outcome = body(p, at);
                p.work(at, "compose", 2_500);
                outcome
            });
            match outcome.error {
                None => outcome,
                Some(_) => Outcome::failed(502, "502", "the gateway could not answer"),
            }
        });
    }
}

/// What the gateway answers when somebody it needs has failed.
fn bad_gateway(outcome: Outcome) -> Outcome {
    match (outcome.error, outcome.status) {
        (None, _) => Outcome::OK,
        (Some(_), 0) => Outcome::failed(504, "504", "an upstream service did not answer in time"),
        (Some(_), _) => Outcome::failed(502, "502", "an upstream service failed"),
    }
}
