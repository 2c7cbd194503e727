//! The faults that the shop can be built with, one line each: who has it, where it shows, how often.
//!
//! This is the answer key. Whatever finds faults in the shop's traces is to find each of these by the
//! detector named here, may find what is named as its consequence, and nothing else of weight.

/// A fault of the shop. Each can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "`FaultLine::what` says it, for programs too")]
pub enum Fault {
    NPlusOneSql,
    NPlusOneHttp,
    FanOut,
    SequentialCalls,
    LatencyFloor,
    ChattyEdge,
    RetryWithoutBackoff,
    RetryStorm,
    MissingTimeout,
    WorkAfterGivingUp,
    AmbiguousOutcome,
    DuplicateExecution,
    ErrorOrigin,
    LargePayload,
    PlaintextCall,
    SecretInUrl,
    DeadEndpoint,
    SingleInstance,
    BrokenBoundary,
    VersionSkew,
    MixedDialects,
    QueueWait,
    ClockOffset,
    ClockStep,
    ClockDrift,
    CoarseClock,
    ImpossibleOrder,
    ClonedNode,
    DeafPropagator,
    RefusedStamps,
}

/// What is said about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultLine {
    /// The fault.
    pub fault: Fault,
    /// Its name, for switches and answer keys.
    pub name: &'static str,
    /// The detector that is to find it.
    pub detector: &'static str,
    /// The services that take part, the one at fault first.
    pub services: &'static [&'static str],
    /// The operation it shows in, as the root span is named; empty where it shows in many.
    pub operation: &'static str,
    /// How many of a thousand of these operations have it; 0 where that depends on who serves them.
    pub per_mille: u64,
    /// What it is.
    pub what: &'static str,
    /// Detectors that may fire in the same traces, because the fault has these consequences.
    pub also: &'static [&'static str],
}

// One line per field and no more, so that the table reads as one.
#[rustfmt::skip]
const LINES: [FaultLine; 30] = [
    FaultLine { fault: Fault::NPlusOneSql, name: "n_plus_one_sql", detector: "n_plus_one", services: &["catalogue"], operation: "GET /categories/{id}", per_mille: 1000,
        what: "lists 12 to 24 products with one query, then asks the brand of each with another", also: &[] },
    FaultLine { fault: Fault::NPlusOneHttp, name: "n_plus_one_http", detector: "n_plus_one", services: &["gateway", "catalogue"], operation: "GET /dashboard", per_mille: 1000,
        what: "calls GET /products/{id}/summary of catalogue once for each of 8 to 12 products, and each call makes two queries", also: &["chatty_edge"] },
    FaultLine { fault: Fault::FanOut, name: "fan_out", detector: "fan_out", services: &["gateway", "inventory"], operation: "GET /stock", per_mille: 1000,
        what: "asks inventory for 24 to 30 articles at the same time, one call each", also: &["chatty_edge"] },
    FaultLine { fault: Fault::SequentialCalls, name: "sequential_calls", detector: "sequential_calls", services: &["gateway", "user", "cart", "recommendation"], operation: "GET /account", per_mille: 1000,
        what: "asks user, cart and recommendation one after the other although none needs another's answer", also: &[] },
    FaultLine { fault: Fault::LatencyFloor, name: "latency_floor", detector: "latency_floor", services: &["gateway", "shipping"], operation: "GET /quotes", per_mille: 1000,
        what: "calls shipping in another region: 90 ms on the way for 8 ms of work", also: &["chatty_edge"] },
    FaultLine { fault: Fault::ChattyEdge, name: "chatty_edge", detector: "chatty_edge", services: &["checkout", "cart"], operation: "GET /checkout/summary", per_mille: 1000,
        what: "makes 12 small calls to cart, three of each of four kinds", also: &[] },
    FaultLine { fault: Fault::RetryWithoutBackoff, name: "retry_without_backoff", detector: "retry_without_backoff", services: &["gateway", "user"], operation: "GET /vouchers/{code}", per_mille: 500,
        what: "tries again three times, exactly 20 ms after each failure", also: &["error_origin"] },
    FaultLine { fault: Fault::RetryStorm, name: "retry_storm", detector: "retry_storm", services: &["gateway", "payment"], operation: "POST /gift-cards", per_mille: 500,
        what: "gateway tries payment three times, payment tries the card issuer three times each: nine calls for one", also: &["error_origin"] },
    FaultLine { fault: Fault::MissingTimeout, name: "missing_timeout", detector: "missing_timeout", services: &["inventory"], operation: "GET /products/{id}", per_mille: 7,
        what: "a query of stock_levels that takes 4 ms waits 6 to 9 s for a lock, and nobody gives up", also: &[] },
    FaultLine { fault: Fault::WorkAfterGivingUp, name: "work_after_giving_up", detector: "work_after_giving_up", services: &["gateway", "catalogue"], operation: "GET /reports/sales", per_mille: 500,
        what: "gateway gives up after 400 ms, catalogue goes on for another 600 to 900 ms and fails to answer", also: &["error_origin"] },
    FaultLine { fault: Fault::AmbiguousOutcome, name: "ambiguous_outcome", detector: "ambiguous_outcome", services: &["gateway", "payment"], operation: "POST /refunds", per_mille: 400,
        what: "payment makes the refund, its answer is lost, and gateway reports a failure after 800 ms", also: &["error_origin"] },
    FaultLine { fault: Fault::DuplicateExecution, name: "duplicate_execution", detector: "duplicate_execution", services: &["worker", "payment"], operation: "POST /checkout", per_mille: 250,
        what: "the queue delivers payments.settled twice and both deliveries are booked; the message has no idempotency key", also: &["queue_wait"] },
    FaultLine { fault: Fault::ErrorOrigin, name: "error_origin", detector: "error_origin", services: &["user", "gateway", "storefront"], operation: "GET /settings", per_mille: 300,
        what: "the database of user refuses the connection, and everything above fails with it", also: &[] },
    FaultLine { fault: Fault::LargePayload, name: "large_payload", detector: "large_payload", services: &["catalogue", "gateway"], operation: "GET /export", per_mille: 1000,
        what: "answers with 1.2 to 4 MB", also: &[] },
    FaultLine { fault: Fault::PlaintextCall, name: "plaintext_call", detector: "plaintext_call", services: &["gateway", "catalogue"], operation: "GET /stores", per_mille: 1000,
        what: "calls over http, port 8080, from one host to another", also: &[] },
    FaultLine { fault: Fault::SecretInUrl, name: "secret_in_url", detector: "secret_in_span", services: &["gateway", "catalogue"], operation: "GET /partner/feed", per_mille: 1000,
        what: "passes an API key in the query of the URL", also: &[] },
    FaultLine { fault: Fault::DeadEndpoint, name: "dead_endpoint", detector: "dead_endpoint", services: &["cart"], operation: "", per_mille: 0,
        what: "cart-3 dies, and callers go on trying its address: connection refused, then another instance answers", also: &["error_origin"] },
    FaultLine { fault: Fault::SingleInstance, name: "single_instance", detector: "single_instance", services: &["pricing"], operation: "GET /products/{id}", per_mille: 1000,
        what: "one instance of pricing is on the critical path of every product page", also: &[] },
    FaultLine { fault: Fault::BrokenBoundary, name: "broken_boundary", detector: "broken_boundary", services: &["gateway", "loyalty"], operation: "GET /points", per_mille: 1000,
        what: "loyalty, in another namespace and cluster, ignores the context it gets and starts traces of its own", also: &[] },
    FaultLine { fault: Fault::VersionSkew, name: "version_skew", detector: "version_skew", services: &["recommendation"], operation: "", per_mille: 0,
        what: "recommendation-3 still runs 2.9.4 beside 3.1.0: four times as slow, and 15 % of its calls fail", also: &["error_origin"] },
    FaultLine { fault: Fault::MixedDialects, name: "mixed_dialects", detector: "mixed_dialects", services: &["user", "gateway"], operation: "", per_mille: 0,
        what: "user-1 has an old SDK, old semantic conventions and HTTP/1.1, user-2 the new ones and HTTP/2", also: &[] },
    FaultLine { fault: Fault::QueueWait, name: "queue_wait", detector: "queue_wait", services: &["worker", "checkout"], operation: "POST /checkout", per_mille: 1000,
        what: "messages of orders.confirmed wait up to 4 s for 40 ms of work, because worker looks only every 4 s", also: &[] },
    FaultLine { fault: Fault::ClockOffset, name: "clock_offset", detector: "clock_offset", services: &["recommendation", "inventory", "payment", "cart", "checkout"], operation: "", per_mille: 0,
        what: "clocks off by +10 s (recommendation-2), +2.3 s (inventory-2), +85 ms (payment-1), -35 ms (the host of cart-1 and checkout-1)", also: &["impossible_order"] },
    FaultLine { fault: Fault::ClockStep, name: "clock_step", detector: "clock_step", services: &["cart"], operation: "", per_mille: 0,
        what: "the clock of cart-2 is set 150 ms forward and later back again", also: &["clock_offset", "impossible_order"] },
    FaultLine { fault: Fault::ClockDrift, name: "clock_drift", detector: "clock_drift", services: &["checkout"], operation: "", per_mille: 0,
        what: "the clock of checkout-2 gains 150 ppm for 40 minutes, from -180 ms on, and then loses as much", also: &["clock_offset", "impossible_order"] },
    FaultLine { fault: Fault::CoarseClock, name: "coarse_clock", detector: "coarse_clock", services: &["user"], operation: "", per_mille: 0,
        what: "the clock of user-2 shows whole milliseconds", also: &[] },
    FaultLine { fault: Fault::ImpossibleOrder, name: "impossible_order", detector: "impossible_order", services: &["shipping", "gateway"], operation: "GET /quotes", per_mille: 0,
        what: "by its own clock, 90 ms behind, shipping-2 begins to answer before it was asked; proven order says otherwise", also: &[] },
    FaultLine { fault: Fault::ClonedNode, name: "cloned_node", detector: "broken_stamps", services: &["search"], operation: "GET /search", per_mille: 0,
        what: "search-1 and search-2 were resumed from one snapshot and stamp with one node id", also: &[] },
    FaultLine { fault: Fault::DeafPropagator, name: "deaf_propagator", detector: "broken_stamps", services: &["shipping"], operation: "GET /quotes", per_mille: 0,
        what: "shipping-2 sends stamps but does not merge those it receives, and its clock is 90 ms behind; what it stamps cannot be believed, so that nothing bounds its clock", also: &["impossible_order"] },
    FaultLine { fault: Fault::RefusedStamps, name: "refused_stamps", detector: "broken_stamps", services: &["inventory", "catalogue"], operation: "POST /checkout", per_mille: 0,
        what: "stamps of inventory-2, 2.3 s ahead, are refused by catalogue and by everybody else they reach", also: &[] },
];

impl Fault {
    /// All faults, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        LINES.iter().map(|line| line.fault)
    }

    /// What is said about it.
    pub fn line(self) -> &'static FaultLine {
        let [first, ..] = &LINES;
        LINES.get(self as usize).unwrap_or(first)
    }

    /// The fault of that name.
    pub fn named(name: &str) -> Option<Self> {
        LINES.iter().find(|line| line.name == name).map(|line| line.fault)
    }
}

/// A set of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults(u64);

impl Faults {
    /// None: a shop in which everything is well.
    pub const NONE: Self = Self(0);

    /// All there are.
    pub fn all() -> Self {
        Fault::all().fold(Self::NONE, Self::with)
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << fault as u8)
    }

    /// These but for one.
    #[must_use]
    pub const fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << fault as u8))
    }

    /// The same without what cannot be: some faults only show beside a clock that is off, and some are there with it.
    #[must_use]
    pub const fn settled(self) -> Self {
        if self.contains(Fault::ClockOffset) {
            return self.with(Fault::ImpossibleOrder).with(Fault::RefusedStamps);
        }
        self.without(Fault::ImpossibleOrder)
            .without(Fault::RefusedStamps)
            .without(Fault::DeafPropagator)
    }

    /// Whether it is one of these.
    pub const fn contains(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u8 != 0
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_line() {
        for (nth, fault) in Fault::all().enumerate() {
            assert_eq!(fault as usize, nth);
            assert_eq!(fault.line().fault, fault);
            assert_eq!(Fault::named(fault.line().name), Some(fault));
        }
        assert_eq!(Fault::named("none"), None);
    }

    #[test]
    fn sets_are_sets() {
        let set = Faults::NONE.with(Fault::FanOut).with(Fault::RefusedStamps);
        assert!(set.contains(Fault::FanOut) && set.contains(Fault::RefusedStamps));
        assert!(!set.without(Fault::FanOut).contains(Fault::FanOut));
        assert!(Fault::all().all(|fault| Faults::all().contains(fault)));
    }
}
