//! What a message costs the estimator of offsets, for few and many clocks, and what closing a window costs.

use std::hint::black_box;
use std::io::Write;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use causeway_clock::offsets::{Estimator, Message, OffsetSettings, Solver};
use causeway_clock::{ClockId, NodeId};

const MESSAGES: u64 = 200_000;
const RUNS: usize = 5;
const START_NS: i64 = 1_780_000_000_000_000_001;
/// Messages a second, so that the run lasts 40 s.
const RATE: i64 = 5_000;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for clocks in [2, 10, 100, 1_000] {
        let messages: Vec<Message> = (0..MESSAGES).map(|nth| message(nth, clocks)).collect();
        let learn = || {
            let mut table = Estimator::new(OffsetSettings::default());
            messages.iter().for_each(|message| table.add(message));
            table
        };
        let table = learn();
        let per_message = best(&learn).as_nanos() / u128::from(MESSAGES);
        let middle = table.settings().window(START_NS) + 80;
        let close = best(|| Solver::new(&table).close_windows(middle..=middle));
        let run = best(|| Solver::new(&table).close_windows(middle..=middle + 15)) / 16;
        writeln!(
            out,
            "{clocks:>5} clocks, {:>6} pairs and windows: {per_message:>4} ns a message, {:>9.3} ms for one window, {:>8.3} ms each for 16",
            table.rows().count(),
            close.as_secs_f64() * 1e3,
            run.as_secs_f64() * 1e3,
        )?;
    }
    Ok(())
}

fn best<T>(mut run: impl FnMut() -> T) -> Duration {
    let took = (0..RUNS).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    });
    took.min().unwrap_or_default()
}

/// A message between clocks that are all right, delayed by some 100 us; each clock talks to ten others.
fn message(nth: u64, clocks: u64) -> Message {
    let bits = nth.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let from = (bits >> 40) % clocks;
    let to = (from + 1 + (bits >> 20) % (clocks - 1).min(10)) % clocks;
    let clock = |number: u64| ClockId::Node(NodeId(NonZeroU64::MIN.saturating_add(number)));
    let sent_ns = START_NS + nth as i64 * (1_000_000_000 / RATE);
    let received_ns = sent_ns + 100_000 + (bits >> 50) as i64;
    let (from, to, axis_ns) = (clock(from), clock(to), received_ns);
    Message { from, to, sent_ns, received_ns, slack_ns: 0, axis_ns, witness: nth }
}
