//! Who takes part: services, their running instances, the hosts they run on, and what is wrong with each.
//!
//! Data only. A host has one clock, whatever runs on it. A fault that is left out leaves its host or
//! instance as healthy as the others.

use super::fault::Fault;

/// A service of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are called what they are")]
#[repr(u8)]
pub enum Service {
    Storefront,
    Gateway,
    Catalogue,
    Cart,
    Checkout,
    Payment,
    Inventory,
    Shipping,
    Recommendation,
    User,
    Search,
    Pricing,
    Loyalty,
    Worker,
}

/// How far a service takes part in stamping, as in `docs/tagging.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A stock SDK: passes on and exports the stamp it received.
    Stock,
    /// A propagator that stamps messages.
    Propagates,
    /// Spans are stamped as well.
    Tags,
    /// And responses.
    Responds,
}

/// What a service is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    DotNet,
    Go,
    Java,
    Node,
    Python,
    Rust,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceLine {
    pub(super) name: &'static str,
    pub(super) language: Language,
    pub(super) level: Level,
    pub(super) version: &'static str,
    /// What its gRPC service is called; most services speak HTTP.
    pub(super) grpc: Option<&'static str>,
}

/// An instance of a service.
#[derive(Debug)]
pub(super) struct InstanceLine {
    pub(super) service: Service,
    pub(super) nth: u8,
    pub(super) host: usize,
    /// What is wrong wherever it serves.
    pub(super) faults: &'static [Fault],
}

/// A host and its clock.
#[derive(Debug)]
pub(super) struct HostLine {
    pub(super) name: &'static str,
    pub(super) zone: Zone,
    pub(super) clock: ClockLine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    FrankfurtA,
    FrankfurtB,
    FrankfurtC,
    Virginia,
}

/// What is wrong with a clock.
#[derive(Debug, Clone, Copy)]
pub(super) enum ClockLine {
    /// As good as NTP makes it: off by so much, less than a millisecond.
    Healthy(i64),
    /// Off by more than that.
    Off(i64),
    /// Set by so much now and then.
    Set(i64),
    /// Off at first, and gaining so many parts of a billion.
    Drifting(i64, i64),
    /// Counts in steps of so many nanoseconds.
    Coarse(i64),
}

impl Zone {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FrankfurtA => "eu-central-1a",
            Self::FrankfurtB => "eu-central-1b",
            Self::FrankfurtC => "eu-central-1c",
            Self::Virginia => "us-east-1b",
        }
    }

    pub(super) fn region(self) -> &'static str {
        if self == Self::Virginia { "us-east-1" } else { "eu-central-1" }
    }
}

impl Service {
    pub(super) fn line(self) -> &'static ServiceLine {
        let [first, ..] = &SERVICES;
        SERVICES.get(self as usize).unwrap_or(first)
    }

    /// Its `service.name`.
    pub fn name(self) -> &'static str {
        self.line().name
    }
}

const fn service(
    name: &'static str,
    language: Language,
    level: Level,
    version: &'static str,
) -> ServiceLine {
    ServiceLine { name, language, level, version, grpc: None }
}

const fn grpc(line: ServiceLine, name: &'static str) -> ServiceLine {
    ServiceLine { grpc: Some(name), ..line }
}

/// In the order of [`Service`].
#[rustfmt::skip]
pub(super) const SERVICES: [ServiceLine; 14] = [
    service("storefront", Language::Node, Level::Responds, "5.12.0"),
    service("gateway", Language::Rust, Level::Responds, "1.8.3"),
    service("catalogue", Language::Java, Level::Responds, "4.3.2"),
    service("cart", Language::DotNet, Level::Responds, "2.20.1"),
    service("checkout", Language::Java, Level::Responds, "3.7.0"),
    service("payment", Language::Java, Level::Tags, "6.1.4"),
    grpc(service("inventory", Language::Go, Level::Responds, "1.31.0"), "shop.inventory.v1.Inventory"),
    grpc(service("shipping", Language::Go, Level::Responds, "0.44.2"), "shop.shipping.v1.Shipping"),
    service("recommendation", Language::Python, Level::Stock, "3.1.0"),
    service("user", Language::Python, Level::Stock, "2.4.1"),
    service("search", Language::Rust, Level::Responds, "1.2.0"),
    service("pricing", Language::Java, Level::Responds, "1.0.9"),
    service("loyalty", Language::Java, Level::Stock, "0.9.31"),
    service("worker", Language::Node, Level::Propagates, "1.15.0"),
];

const fn host(name: &'static str, zone: Zone, clock: ClockLine) -> HostLine {
    HostLine { name, zone, clock }
}

const MS: i64 = 1_000_000;

use self::ClockLine::{Coarse, Drifting, Healthy, Off, Set};
use self::Zone::{FrankfurtA as A, FrankfurtB as B, FrankfurtC as C, Virginia};

#[rustfmt::skip]
pub(super) const HOSTS: [HostLine; 27] = [
    host("fra-01", A, Healthy(180_000)),
    host("fra-02", B, Healthy(-240_000)),
    host("fra-03", C, Healthy(40)),
    host("fra-04", A, Healthy(310_000)),
    host("fra-05", B, Healthy(-90_000)),
    host("fra-06", C, Healthy(5_000)),
    host("fra-07", A, Off(-35 * MS)),
    host("fra-08", B, Set(150 * MS)),
    host("fra-09", C, Healthy(70_000)),
    host("fra-10", C, Drifting(-180 * MS, 150_000)),
    host("fra-11", A, Off(85 * MS)),
    host("fra-12", B, Healthy(-130_000)),
    host("fra-13", C, Healthy(220_000)),
    host("fra-14", A, Off(2_300 * MS)),
    host("iad-01", Virginia, Healthy(-60_000)),
    host("iad-02", Virginia, Off(-90 * MS)),
    host("fra-15", B, Healthy(15_000)),
    host("fra-16", A, Healthy(-20_000)),
    host("fra-17", B, Off(10_000 * MS)),
    host("fra-18", C, Healthy(95_000)),
    host("fra-19", A, Healthy(-170_000)),
    host("fra-20", B, Coarse(MS)),
    host("fra-21", C, Healthy(30_000)),
    host("fra-22", A, Healthy(140_000)),
    host("fra-23", B, Healthy(-45_000)),
    host("fra-24", C, Healthy(60_000)),
    host("fra-25", A, Healthy(-10_000)),
];

const fn instance(
    service: Service,
    nth: u8,
    host: usize,
    faults: &'static [Fault],
) -> InstanceLine {
    InstanceLine { service, nth, host, faults }
}

#[rustfmt::skip]
pub(super) const INSTANCES: [InstanceLine; 30] = [
    instance(Service::Storefront, 1, 0, &[]),
    instance(Service::Storefront, 2, 1, &[]),
    instance(Service::Gateway, 1, 0, &[]),
    instance(Service::Gateway, 2, 2, &[]),
    instance(Service::Catalogue, 1, 3, &[]),
    instance(Service::Catalogue, 2, 4, &[]),
    instance(Service::Catalogue, 3, 5, &[]),
    instance(Service::Cart, 1, 6, &[Fault::ClockOffset]),
    instance(Service::Cart, 2, 7, &[Fault::ClockStep]),
    instance(Service::Cart, 3, 8, &[]),
    instance(Service::Checkout, 1, 6, &[Fault::ClockOffset]),
    instance(Service::Checkout, 2, 9, &[Fault::ClockDrift]),
    instance(Service::Payment, 1, 10, &[Fault::ClockOffset]),
    instance(Service::Payment, 2, 11, &[]),
    instance(Service::Inventory, 1, 12, &[]),
    instance(Service::Inventory, 2, 13, &[Fault::ClockOffset]),
    instance(Service::Shipping, 1, 14, &[]),
    instance(Service::Shipping, 2, 15, &[Fault::ImpossibleOrder, Fault::DeafPropagator]),
    instance(Service::Recommendation, 1, 17, &[]),
    instance(Service::Recommendation, 2, 18, &[Fault::ClockOffset]),
    instance(Service::Recommendation, 3, 19, &[Fault::VersionSkew]),
    instance(Service::User, 1, 20, &[Fault::MixedDialects]),
    instance(Service::User, 2, 21, &[Fault::CoarseClock]),
    instance(Service::Search, 1, 16, &[]),
    instance(Service::Search, 2, 16, &[]),
    instance(Service::Pricing, 1, 22, &[Fault::SingleInstance]),
    instance(Service::Loyalty, 1, 23, &[]),
    instance(Service::Loyalty, 2, 24, &[]),
    instance(Service::Worker, 1, 25, &[]),
    instance(Service::Worker, 2, 26, &[]),
];

/// The instance that dies, and after which callers get no connection to it.
pub(super) const MORTAL: (Service, u8) = (Service::Cart, 3);
/// Both were resumed from one snapshot.
pub(super) const CLONED: Service = Service::Search;
/// Its version while that of the others is the service's.
pub(super) const OLD_VERSION: &str = "2.9.4";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_stand_at_their_place_and_run_somewhere() {
        let mut services: Vec<Service> =
            INSTANCES.iter().map(|instance| instance.service).collect();
        services.dedup();
        assert_eq!(services.len(), SERVICES.len());
        for (nth, service) in services.into_iter().enumerate() {
            assert_eq!(service as usize, nth);
            assert_eq!(format!("{service:?}").to_lowercase(), service.name());
        }
        assert!(INSTANCES.iter().all(|instance| instance.host < HOSTS.len()));
        let is_used = |host: usize| INSTANCES.iter().any(|instance| instance.host == host);
        assert!((0..HOSTS.len()).all(is_used));
    }

    const TURN_S: i64 = super::super::process::DRIFT_TURN_NS / 1_000_000_000;

    /// Stamps of healthy clocks have to be accepted by all others, or the wrong ones would be accused.
    #[test]
    fn clocks_that_are_to_be_accepted_are_less_than_half_a_second_apart() {
        let most = |line: &HostLine| match line.clock {
            Healthy(off) => (off, off),
            Off(off) if off < 1_000 * MS => (off, off),
            Set(by) => (0, by),
            Drifting(off, ppb) => (off, off + ppb * TURN_S),
            Off(_) | Coarse(_) => (0, 0),
        };
        let least = HOSTS.iter().map(|host| most(host).0).min().unwrap_or_default();
        let largest = HOSTS.iter().map(|host| most(host).1).max().unwrap_or_default();
        assert!(largest - least < 450 * MS, "{least} {largest}");
    }
}
