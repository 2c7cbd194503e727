//! What the figures were measured on.

use std::fmt::{self, Display};
use std::fs;
use std::path::Path;
use std::thread;

/// The parts of a machine that decide its speed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    cores: usize,
    cpu: String,
    memory_gib: u64,
    kernel: String,
    file_system: String,
}

impl Machine {
    /// This machine, whose servers write to `data_dir`.
    pub(crate) fn here(data_dir: &Path) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let data_dir = fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        Self {
            cores: thread::available_parallelism().map_or(0, usize::from),
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown CPU").to_owned(),
            memory_gib: field(&read("/proc/meminfo"), "MemTotal")
                .and_then(|value| value.strip_suffix(" kB")?.parse::<u64>().ok())
                .map_or(0, |kib| (kib + (1 << 19)) >> 20),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&read("/proc/self/mounts"), &data_dir).to_owned(),
        }
    }
}

impl Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, cpu, memory_gib, kernel, file_system } = self;
        write!(out, "{cores} cores of {cpu}, {memory_gib} GiB, Linux {kernel}, {file_system}")
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// The type of the file system that holds a path; of two mounts on one place the later one counts.
fn file_system<'a>(mounts: &'a str, path: &Path) -> &'a str {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let holding = mounts.filter(|(place, _)| path.starts_with(place));
    holding.max_by_key(|(place, _)| place.len()).map_or("unknown file system", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_file_systems_are_found() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Good CPU @ 3 GHz\n\nprocessor\t: 1\n";
        assert_eq!(field(cpuinfo, "model name"), Some("Good CPU @ 3 GHz"));
        assert_eq!(field(cpuinfo, "flags"), None);
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /data xfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/bench/x")), "tmpfs");
        assert_eq!(file_system(mounts, Path::new("/database")), "ext4");
        assert_eq!(file_system("", Path::new("/x")), "unknown file system");
    }
}
