//! A running server: the real binary on a data folder and free ports.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::http::{self, Answer, PROTOBUF};
use crate::proto::collector::trace::v1::ExportTraceServiceRequest;
use crate::{cli, environment, otlp_json};

/// A start may have to replay the log, in a debug build.
const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(60);

/// Where a server listens, as `host:port`.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// OTLP over gRPC.
    pub otlp_grpc: String,
    /// OTLP over HTTP.
    pub otlp_http: String,
    /// UI and API.
    pub http: String,
}

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Its data folder.
    pub data_dir: PathBuf,
    /// Where it listens.
    pub addresses: Addresses,
    /// From start to ready.
    pub start_time: Duration,
    child: Child,
    output: File,
}

impl Server {
    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// It ends, or is not ready within 60 s; the message holds its output.
    pub fn start(data_dir: &Path, flags: &[&str]) -> Result<Self> {
        Self::start_by(&mut environment::causeway_command()?, data_dir, flags)
    }

    /// As [`Server::start`], with a prepared command (for its environment).
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_by(command: &mut Command, data_dir: &Path, flags: &[&str]) -> Result<Self> {
        let started = Instant::now();
        let address_file = data_dir.join("addresses.json");
        // One that a killed server left behind.
        let _ = fs::remove_file(&address_file);
        let output = tempfile::tempfile()?;
        command.arg("serve").arg("--data-dir").arg(data_dir);
        for address in ["--otlp-grpc-addr", "--otlp-http-addr", "--http-addr"] {
            command.args([address, "127.0.0.1:0"]);
        }
        command
            .args(flags)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?);
        let child = command.spawn().with_context(|| format!("start {command:?}"))?;
        let addresses = Addresses::default();
        let data_dir = data_dir.to_owned();
        let mut server = Self { data_dir, addresses, start_time: Duration::ZERO, child, output };
        while !server.is_ready(&address_file) {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended with {status}:\n{}", server.output()?);
            }
            ensure!(
                started.elapsed() < START_MAX,
                "not ready after {START_MAX:?}:\n{}",
                server.output()?
            );
            thread::sleep(Duration::from_millis(5));
        }
        server.start_time = started.elapsed();
        Ok(server)
    }

    fn is_ready(&mut self, address_file: &Path) -> bool {
        let text = fs::read_to_string(address_file).unwrap_or_default();
        let Ok(found) = serde_json::from_str::<Value>(&text) else {
            return false;
        };
        let address = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        self.addresses = Addresses {
            otlp_grpc: address("otlp_grpc"),
            otlp_http: address("otlp_http"),
            http: address("http"),
        };
        self.get("/readyz").is_ok_and(|answer| answer.status == 200)
    }

    /// What it wrote to standard output and standard error.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn output(&mut self) -> Result<String> {
        cli::text(&mut self.output)
    }

    /// Ends it as a power failure would, as far as a process can tell.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and returns how it ended and how long that took.
    ///
    /// # Errors
    /// It does not end within 60 s.
    pub fn stop(mut self) -> Result<(ExitStatus, Duration)> {
        let started = Instant::now();
        let id = self.child.id().to_string();
        cli::run(Command::new("kill").args(["-TERM", &id]), Duration::from_secs(5))?.success()?;
        match cli::wait(&mut self.child, STOP_MAX)? {
            Some(status) => Ok((status, started.elapsed())),
            None => bail!("still running {STOP_MAX:?} after SIGTERM:\n{}", self.output()?),
        }
    }

    /// Most memory it ever had resident.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn memory_peak_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    }

    /// Address of OTLP/HTTP.
    pub fn traces_url(&self) -> String {
        format!("http://{}/v1/traces", self.addresses.otlp_http)
    }

    /// Sends an encoded request; any status is an answer.
    ///
    /// # Errors
    /// No answer came.
    pub fn post_traces(&self, body: &[u8]) -> Result<Answer> {
        http::post(&self.traces_url(), &[("content-type", PROTOBUF)], body)
    }

    /// Sends an encoded request that must be acknowledged whole.
    ///
    /// # Errors
    /// It is not.
    pub fn send(&self, body: &[u8]) -> Result<()> {
        let answer = self.post_traces(body)?.ok()?;
        ensure!(answer.body.is_empty(), "a partial success: {:?}", answer.body);
        Ok(())
    }

    /// `GET` from the HTTP API.
    ///
    /// # Errors
    /// No answer came.
    pub fn get(&self, path: &str) -> Result<Answer> {
        http::get(&format!("http://{}{path}", self.addresses.http))
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// It is refused, or has more rows than one answer holds.
    pub fn sql(&self, statement: &str) -> Result<Vec<Vec<Value>>> {
        let answer = self.run_sql(statement, "application/json")?.json()?;
        ensure!(answer["truncated"] == false, "too many rows for {statement}");
        serde_json::from_value(answer["rows"].clone()).context("rows")
    }

    /// The only value of a statement, an integer.
    ///
    /// # Errors
    /// It is refused or gives something else.
    pub fn sql_count(&self, statement: &str) -> Result<u64> {
        let rows = self.sql(statement)?;
        let value = rows.first().and_then(|row| row.first()).and_then(Value::as_u64);
        value.with_context(|| format!("{statement} gives {rows:?}"))
    }

    /// One column of text of any length.
    ///
    /// # Errors
    /// The statement is refused.
    pub fn sql_column(&self, statement: &str) -> Result<Vec<String>> {
        let answer = self.run_sql(statement, "text/csv")?;
        Ok(answer.text().lines().skip(1).map(str::to_owned).collect())
    }

    fn run_sql(&self, statement: &str, format: &str) -> Result<Answer> {
        let url = format!("http://{}/api/v1/sql", self.addresses.http);
        let headers = [("accept", format), ("content-type", "text/plain")];
        http::post(&url, &headers, statement.as_bytes())?.ok().with_context(|| statement.to_owned())
    }

    /// A trace as it was received.
    ///
    /// # Errors
    /// It is unknown or the answer is no OTLP/JSON.
    pub fn trace(&self, trace_id: &str) -> Result<ExportTraceServiceRequest> {
        let answer = self.get(&format!("/api/v1/traces/{trace_id}/otlp"))?.ok()?;
        otlp_json::request(answer.json()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone after `kill` and `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
