//! Runs programs to their end, within a time limit.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::environment;

/// What a program left behind.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Everything it wrote.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Standard output, if the program succeeded.
    ///
    /// # Errors
    /// It did not; the message holds what it wrote.
    pub fn success(self) -> Result<String> {
        ensure!(self.status.success(), "{}:\n{}", self.status, self.output());
        Ok(self.stdout)
    }
}

/// Runs a program; output goes through files, so that no full pipe can block it.
///
/// # Errors
/// It cannot be started, or has not ended after `limit` (it is killed then).
pub fn run(command: &mut Command, limit: Duration) -> Result<Finished> {
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut child = command.spawn().with_context(|| format!("start {command:?}"))?;
    let Some(status) = wait(&mut child, limit)? else {
        child.kill()?;
        child.wait()?;
        bail!(
            "{command:?} ran for more than {limit:?}:\n{}{}",
            text(&mut stdout)?,
            text(&mut stderr)?
        );
    };
    Ok(Finished { status, stdout: text(&mut stdout)?, stderr: text(&mut stderr)? })
}

/// Runs `causeway` with these arguments.
///
/// # Errors
/// As [`run`].
pub fn causeway(arguments: &[&str]) -> Result<Finished> {
    run(environment::causeway_command()?.args(arguments), Duration::from_secs(300))
}

/// Waits for a process; `None` when it still runs after `limit`.
///
/// # Errors
/// The system refuses.
pub fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Everything in a file that a process wrote to.
///
/// # Errors
/// It cannot be read.
pub fn text(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
