//! What the kernel knows about a process: CPU time and memory, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The unit of CPU times in `/proc`: `USER_HZ`, which is 100 for programs on every Linux we run on.
const TICK: Duration = Duration::from_millis(10);

/// CPU time of all threads of a process, those that have ended too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cpu {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Cpu {
    pub(crate) fn total(self) -> Duration {
        self.user + self.system
    }

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// One reading of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Ended, but not yet waited for: the times are final.
    pub(crate) ended: bool,
    pub(crate) cpu: Cpu,
}

/// Reads `/proc/PROCESS/stat`; `process` is an id or `self`.
pub(crate) fn stat(process: &str) -> Result<Stat> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    parse_stat(&text).with_context(|| format!("cannot understand {path}: {text}"))
}

/// The most memory that a running process ever had resident; none once it has ended.
pub(crate) fn peak_resident_bytes(pid: u32) -> Option<u64> {
    parse_peak_resident(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// CPU time of the calling thread, in nanoseconds instead of ticks.
pub(crate) fn thread_cpu() -> Result<Duration> {
    let path = "/proc/thread-self/schedstat";
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let on_cpu_ns = text.split(' ').next().and_then(|field| field.parse().ok());
    on_cpu_ns.map(Duration::from_nanos).with_context(|| format!("cannot understand {path}: {text}"))
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The name of the program is in parentheses and may hold both spaces and parentheses.
    let (_, after_name) = text.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks =
        |at: usize| -> Option<Duration> { Some(TICK * fields.get(at)?.parse::<u32>().ok()?) };
    // `state` is field 3 of proc(5), `utime` 14 and `stime` 15.
    let ended = matches!(*fields.first()?, "Z" | "X");
    Some(Stat { ended, cpu: Cpu { user: ticks(11)?, system: ticks(12)? } })
}

fn parse_peak_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_past_any_program_name() {
        let text = "4242 (a) Z (b) S 1 4242 4242 0 -1 4194560 9 0 0 0 1234 56 0 0 20 0 7 0 99 1 2";
        let cpu = Cpu { user: Duration::from_millis(12_340), system: Duration::from_millis(560) };
        assert_eq!(parse_stat(text), Some(Stat { ended: false, cpu }));
        assert_eq!(cpu.total(), Duration::from_millis(12_900));
        let ended = text.replace(") S ", ") Z ");
        assert_eq!(parse_stat(&ended), Some(Stat { ended: true, cpu }));
        assert_eq!(parse_stat("4242 (cut) S 1"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn peak_memory_is_in_bytes() {
        let status = "Name:\tcauseway\nVmPeak:\t  9000 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 12 kB\n";
        assert_eq!(parse_peak_resident(status), Some(2_097_152));
        assert_eq!(parse_peak_resident("Name:\tcauseway\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn this_process_can_be_read() -> Result<()> {
        let before = thread_cpu()?;
        let mut product = 1u64;
        while thread_cpu()? < before + Duration::from_millis(20) {
            product = std::hint::black_box(product.wrapping_mul(3));
        }
        assert!(!stat("self")?.ended);
        assert!(peak_resident_bytes(std::process::id()).is_some_and(|bytes| bytes > 100_000));
        Ok(())
    }
}
