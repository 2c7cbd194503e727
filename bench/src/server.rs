//! A Causeway of our own: started on a folder and free ports, stopped by SIGTERM or SIGKILL.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::http::{Client, Endpoint};
use crate::process::{Cpu, peak_resident_bytes, stat};

/// Replaying a log of some gigabytes is within it.
const START_MAX: Duration = Duration::from_secs(180);
/// A stop writes all that the log holds to files; a full memory budget takes seconds.
const STOP_MAX: Duration = Duration::from_secs(300);
/// Short against the shortest start: it is the resolution of `ready_after`.
const POLL: Duration = Duration::from_millis(2);
/// A server has written and compacted what it was sent when it is idle for this long...
const IDLE_FOR: Duration = Duration::from_secs(10);
/// ... that is, uses no more than this share of a core.
const IDLE_SHARE: f64 = 0.02;

/// What to start, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Launch<'a> {
    pub(crate) bin: &'a Path,
    /// A folder that is kept; none for one that goes with the server.
    pub(crate) data_dir: Option<&'a Path>,
    pub(crate) scratch_dir: &'a Path,
    pub(crate) extra: &'a [String],
}

/// A running server, killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    bin: PathBuf,
    child: Child,
    scratch: TempDir,
    data_dir: PathBuf,
    pub(crate) otlp_http: Endpoint,
    /// Host and port of the API.
    pub(crate) http: String,
    /// From its start until it said that it is ready.
    pub(crate) ready_after: Duration,
}

/// What a server that has stopped used.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) cpu: Cpu,
    pub(crate) peak_resident_bytes: u64,
    /// From SIGTERM to the end.
    pub(crate) took: Duration,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub(crate) fn start(launch: Launch<'_>) -> Result<Self> {
        let Launch { bin, data_dir, scratch_dir, extra } = launch;
        let scratch = tempfile::Builder::new().prefix("causeway-bench-").tempdir_in(scratch_dir)?;
        let data_dir = data_dir.map_or_else(|| scratch.path().join("data"), Path::to_owned);
        // A killed server leaves its addresses behind.
        let _ = fs::remove_file(data_dir.join("addresses.json"));
        let output = File::create(scratch.path().join("server.log"))?;
        let mut command = Command::new(bin);
        command.arg("--data-dir").arg(&data_dir);
        for flag in ["--otlp-grpc-addr", "--otlp-http-addr", "--http-addr"] {
            command.args([flag, "127.0.0.1:0"]);
        }
        command.args(extra).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let start = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {}", bin.display()))?;
        // Owned from here on, so that the process ends whatever happens next.
        let mut server = Self {
            bin: bin.to_owned(),
            child,
            scratch,
            data_dir,
            otlp_http: Endpoint::parse("http://unknown")?,
            http: String::new(),
            ready_after: Duration::ZERO,
        };
        server.wait_until_ready(start)?;
        server.ready_after = start.elapsed();
        Ok(server)
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The most memory it had so far.
    pub(crate) fn peak_resident_bytes(&self) -> Option<u64> {
        peak_resident_bytes(self.child.id())
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        Ok(stat(&self.child.id().to_string())?.cpu)
    }

    /// Waits until it has nothing left to do; false if it still works after `wait_max`.
    pub(crate) fn wait_until_idle(&self, wait_max: Duration) -> Result<bool> {
        wait_until_idle(self.child.id(), wait_max)
    }

    /// Ends the server as a power failure would, but for what the kernel has not yet written.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks the server to stop and waits until it has written everything and ended.
    pub(crate) fn stop(&mut self) -> Result<Stopped> {
        let pid = self.child.id();
        let start = Instant::now();
        let mut peak =
            peak_resident_bytes(pid).context("the server ended before it was asked to")?;
        // The shell's own `kill`: sending a signal from here would take unsafe code.
        let signal =
            Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid.to_string()]).status()?;
        ensure!(signal.success(), "cannot signal the server");
        // A process that nobody has waited for keeps its final times, so none are missed.
        let cpu = loop {
            let now = stat(&pid.to_string())?;
            if now.ended {
                break now.cpu;
            }
            peak = peak_resident_bytes(pid).map_or(peak, |bytes| bytes.max(peak));
            ensure!(
                start.elapsed() < STOP_MAX,
                "no end {STOP_MAX:?} after SIGTERM: {}",
                self.output()
            );
            thread::sleep(POLL);
        };
        let took = start.elapsed();
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}: {}", self.output());
        Ok(Stopped { cpu, peak_resident_bytes: peak, took })
    }

    /// Counts the spans in the folder of a stopped server, by its own SQL.
    pub(crate) fn stored_spans(&self) -> Result<usize> {
        let answer = Command::new(&self.bin)
            .arg("sql")
            .arg("--data-dir")
            .arg(self.data_dir())
            .args(["--format", "csv", "SELECT count(*) AS spans FROM spans"])
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&answer.stdout);
        let count = text.lines().rev().find_map(|line| line.trim().parse().ok());
        count
            .with_context(|| format!("no count: {text}{}", String::from_utf8_lossy(&answer.stderr)))
    }

    fn wait_until_ready(&mut self, start: Instant) -> Result<()> {
        let path = self.data_dir.join("addresses.json");
        while start.elapsed() < START_MAX {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended at once with {status}: {}", self.output());
            }
            if let Some(found) = addresses(&path)
                && found.otlp_http.listens()
                && Client::new(&found.http).get("/readyz", "*/*").is_ok_and(|it| it.status == 200)
            {
                (self.otlp_http, self.http) = (found.otlp_http, found.http);
                return Ok(());
            }
            thread::sleep(POLL);
        }
        bail!("the server is not ready after {START_MAX:?}: {}", self.output())
    }

    /// The end of what the server printed.
    fn output(&self) -> String {
        let text = fs::read_to_string(self.scratch.path().join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail for a server that has been stopped, as they should.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a process does next to nothing; false if it still works after `wait_max`.
pub(crate) fn wait_until_idle(pid: u32, wait_max: Duration) -> Result<bool> {
    let start = Instant::now();
    let mut cpu = stat(&pid.to_string())?.cpu;
    while start.elapsed() < wait_max {
        thread::sleep(IDLE_FOR);
        let now = stat(&pid.to_string()).context("the server is gone")?.cpu;
        if now.since(cpu).total() <= IDLE_FOR.mul_f64(IDLE_SHARE) {
            return Ok(true);
        }
        cpu = now;
    }
    Ok(false)
}

/// Where a server listens.
#[derive(Debug, PartialEq, Eq)]
struct Addresses {
    otlp_http: Endpoint,
    http: String,
}

/// The addresses in a file that may not be there yet, or not be whole.
fn addresses(path: &Path) -> Option<Addresses> {
    let text = fs::read_to_string(path).ok()?;
    let addresses: serde_json::Value = serde_json::from_str(&text).ok()?;
    let address = |name: &str| Some(addresses.get(name)?.as_str()?.to_owned());
    let otlp_http = Endpoint::parse(&format!("http://{}", address("otlp_http")?)).ok()?;
    Some(Addresses { otlp_http, http: address("http")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_once_they_are_whole() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("addresses.json");
        assert_eq!(addresses(&path), None);
        fs::write(&path, "{\"otlp_grpc\":\"127.0.0.1:1\",\"otl")?;
        assert_eq!(addresses(&path), None);
        fs::write(&path, "{\"otlp_http\":\"127.0.0.1:4318\",\"http\":\"127.0.0.1:8317\"}")?;
        let otlp_http = Endpoint::parse("http://127.0.0.1:4318")?;
        assert_eq!(
            addresses(&path),
            Some(Addresses { otlp_http, http: "127.0.0.1:8317".to_owned() })
        );
        Ok(())
    }
}
