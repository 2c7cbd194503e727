//! A Causeway of our own: started on an empty folder and free ports, stopped by SIGTERM.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::http::Endpoint;
use crate::process::{Cpu, peak_resident_bytes, stat};

const START_MAX: Duration = Duration::from_secs(30);
/// A stop writes all that the log holds to files; a full memory budget takes seconds.
const STOP_MAX: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(10);

/// A running server and its folder, both gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    bin: PathBuf,
    child: Child,
    scratch: TempDir,
    pub(crate) otlp_http: Endpoint,
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
    /// Starts `bin` below `scratch_dir` and waits until it listens.
    pub(crate) fn start(bin: &Path, scratch_dir: &Path, extra: &[String]) -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("causeway-bench-").tempdir_in(scratch_dir)?;
        let data_dir = scratch.path().join("data");
        let output = File::create(scratch.path().join("server.log"))?;
        let mut command = Command::new(bin);
        command.arg("--data-dir").arg(&data_dir);
        for flag in ["--otlp-grpc-addr", "--otlp-http-addr", "--http-addr"] {
            command.args([flag, "127.0.0.1:0"]);
        }
        command.args(extra).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {}", bin.display()))?;
        // Owned from here on, so that the process ends whatever happens next.
        let otlp_http = Endpoint::parse("http://unknown")?;
        let mut server = Self { bin: bin.to_owned(), child, scratch, otlp_http };
        server.otlp_http = server.wait_until_listening()?;
        Ok(server)
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        Ok(stat(&self.child.id().to_string())?.cpu)
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

    fn wait_until_listening(&mut self) -> Result<Endpoint> {
        let addresses = self.data_dir().join("addresses.json");
        let start = Instant::now();
        while start.elapsed() < START_MAX {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended at once with {status}: {}", self.output());
            }
            if let Some(endpoint) = otlp_http(&addresses)
                && endpoint.listens()
            {
                return Ok(endpoint);
            }
            thread::sleep(POLL);
        }
        bail!("the server does not listen after {START_MAX:?}: {}", self.output())
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

/// The address in a file that may not be there yet, or not be whole.
fn otlp_http(addresses: &Path) -> Option<Endpoint> {
    let text = fs::read_to_string(addresses).ok()?;
    let addresses: serde_json::Value = serde_json::from_str(&text).ok()?;
    Endpoint::parse(&format!("http://{}", addresses.get("otlp_http")?.as_str()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_once_they_are_whole() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("addresses.json");
        assert_eq!(otlp_http(&path), None);
        fs::write(&path, "{\"otlp_grpc\":\"127.0.0.1:1\",\"otl")?;
        assert_eq!(otlp_http(&path), None);
        fs::write(&path, "{\"otlp_http\":\"127.0.0.1:4318\"}")?;
        assert_eq!(otlp_http(&path), Some(Endpoint::parse("http://127.0.0.1:4318")?));
        Ok(())
    }
}
