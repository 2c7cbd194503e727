//! Runs schedules, as many at a time as there are cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::schedule::Schedule;

/// Schedules of a usual run, for some seconds; CI runs ten times as many.
const SCHEDULES: u64 = 200;

/// Scenario: see the module. Guarantee: what was acknowledged and has not expired is visible once,
/// nothing else is; a snapshot never changes; every live file exists and verifies.
#[test]
fn any_schedule_keeps_every_span_once() {
    let number = |name, default| {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let first = number("CAUSEWAY_SIM_SEED", 1_u64);
    let seeds = Arc::new(Seeds {
        next: AtomicU64::new(first),
        end: first + number("CAUSEWAY_SIM_SCHEDULES", SCHEDULES),
    });
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(threads).enable_all().build().expect("a runtime");
    let failures: Vec<String> = runtime.block_on(async {
        let runs = (0..threads).map(|_| tokio::spawn(run(Arc::clone(&seeds))));
        let mut failures = Vec::new();
        for run in runs.collect::<Vec<_>>() {
            failures.extend(run.await.expect("no panic"));
        }
        failures
    });
    assert!(failures.is_empty(), "{failures:#?}");
}

struct Seeds {
    next: AtomicU64,
    end: u64,
}

/// Runs schedules until there are no more or one fails, which ends all.
async fn run(seeds: Arc<Seeds>) -> Option<String> {
    loop {
        let seed = seeds.next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds.end {
            return None;
        }
        let mut schedule = Schedule::new(seed).expect("a folder");
        if let Err(error) = schedule.run().await {
            seeds.next.store(seeds.end, Ordering::Relaxed);
            return Some(format!("seed {seed}: {error}, after {}", schedule.steps.join(", ")));
        }
    }
}
