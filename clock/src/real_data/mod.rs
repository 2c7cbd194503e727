//! Order and offsets against real traces and logs, whose skews and traps others worked out before.
//!
//! The data sets lie outside the repository; where they are missing a test says SKIPPED and proves nothing.

mod hotel;
mod nezha;
mod otlp;
mod shiviz;

use std::path::PathBuf;

use crate::offsets::{Estimator, OffsetSettings, observe};
use crate::order::{Order, OrderSettings, Span};

const US: i64 = 1_000;
const SECOND: i64 = 1_000_000_000;

/// A file of the real data sets, if this machine has them.
fn shared(file: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("CAUSEWAY_SHARED_DATA").map_or_else(beside, PathBuf::from);
    let path = folder.join(file);
    if !path.is_file() {
        eprintln!("SKIPPED: no {}, so nothing is tested", path.display());
    }
    path.is_file().then_some(path)
}

fn order_of(spans: &[Span]) -> Order {
    Order::build(spans, &[], &OrderSettings::default()).expect("few spans")
}

/// What clocks that run at one rate would be taken for: evidence of a minute counts in all of it.
const fn one_rate() -> OffsetSettings {
    OffsetSettings {
        window_ns: 60 * SECOND,
        horizon_ns: 60 * SECOND,
        rho_ppm: 0,
        clocks_max: 10_000,
        evidence_max: 500_000,
        offset_ns_max: 86_400 * SECOND,
    }
}

fn learn(traces: &[otlp::Trace], settings: OffsetSettings) -> Estimator {
    let mut table = Estimator::new(settings);
    for trace in traces {
        observe(&mut table, &trace.spans, &order_of(&trace.spans), u64::from);
    }
    table
}
