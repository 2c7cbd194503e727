//! What a tick costs, alone and with threads that share the clock.
//!
//! Budget: under 100 ns alone, under 1 us with 16 threads. The time per tick is what one thread
//! waits for its own tick, without the time it waits for a processor: threads x time / ticks, where
//! no more threads count than there are processors.

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use causeway_clock::{Clock, ClockSettings, Reading};

const TICKS: u32 = 20_000;
/// The best of many short rounds: whatever else runs on the machine only adds.
const ROUNDS: u32 = 200;
/// Threads run long enough to get in each other's way.
const SHARED_TICKS: usize = 1_000_000;
const SHARED_ROUNDS: u32 = 7;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let processors = thread::available_parallelism()?.get();
    writeln!(out, "{processors} processors, best of {ROUNDS} rounds")?;
    writeln!(out, "read the wall clock           {:7.1} ns", best(wall_read))?;
    writeln!(out, "read the monotonic clock      {:7.1} ns", best(monotonic_read))?;
    writeln!(out, "ask for the process id        {:7.1} ns", best(process_read))?;
    writeln!(out, "read both as a clock does     {:7.1} ns", best(both_read))?;
    writeln!(out, "tick, clocks that cost nothing{:7.1} ns", best(|| tick(&frozen())))?;
    writeln!(out, "tick                          {:7.1} ns", best(|| tick(&Clock::default())))?;
    writeln!(out, "observe                       {:7.1} ns", best(|| observe(&Clock::default())))?;
    writeln!(out, "write a stamp as text         {:7.1} ns", best(write_text))?;
    writeln!(out, "read a stamp from text        {:7.1} ns", best(read_text))?;
    for threads in [2, 4, 16] {
        let elapsed = shared(threads);
        let apart = elapsed.as_secs_f64() * 1e9 / SHARED_TICKS as f64;
        let waited = apart * threads.min(processors) as f64;
        writeln!(
            out,
            "tick, {threads:2} threads  {waited:7.1} ns a tick, one every {apart:.1} ns"
        )?;
    }
    Ok(())
}

/// Nanoseconds for one of the operations that a round makes.
fn best(mut round: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed()
    });
    times.min().unwrap_or_default().as_secs_f64() * 1e9 / f64::from(TICKS)
}

/// The time until threads made all ticks together.
fn shared(threads: usize) -> Duration {
    let rounds = (0..SHARED_ROUNDS).map(|_| {
        let clock = Arc::new(Clock::default());
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..SHARED_TICKS / threads {
                        black_box(clock.tick());
                    }
                });
            }
        });
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
}

fn frozen() -> Clock {
    let reading = Reading { wall_ns: 1_780_000_000_000_000_000, monotonic_ns: 0 };
    Clock::new(ClockSettings { readings: Arc::new(move || reading), ..ClockSettings::default() })
}

fn tick(clock: &Clock) {
    for _ in 0..TICKS {
        black_box(clock.tick());
    }
}

fn observe(clock: &Clock) {
    let stamp = Clock::default().tick();
    for _ in 0..TICKS {
        let _ = black_box(clock.observe(black_box(stamp)));
    }
}

fn wall_read() {
    for _ in 0..TICKS {
        black_box(SystemTime::now());
    }
}

fn monotonic_read() {
    for _ in 0..TICKS {
        black_box(Instant::now());
    }
}

fn both_read() {
    let read = Reading::system();
    for _ in 0..TICKS {
        black_box(read());
    }
}

fn process_read() {
    for _ in 0..TICKS {
        black_box(std::process::id());
    }
}

fn write_text() {
    let stamp = Clock::default().tick();
    for _ in 0..TICKS {
        black_box(black_box(stamp).to_string());
    }
}

fn read_text() {
    let text = Clock::default().tick().to_string();
    for _ in 0..TICKS {
        let _ = black_box(black_box(&*text).parse::<causeway_clock::Stamp>());
    }
}
