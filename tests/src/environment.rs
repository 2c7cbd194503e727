//! Where the tools and data of the tests are; `cargo xtask test` sets the variables.

use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// The server's binary: `CAUSEWAY_BIN`, or the one built beside this test.
///
/// # Errors
/// There is none.
pub fn causeway() -> Result<PathBuf> {
    let path = match env::var_os("CAUSEWAY_BIN") {
        Some(path) => PathBuf::from(path),
        None => built("causeway")?,
    };
    ensure!(path.is_file(), "no server at {}; build it or set CAUSEWAY_BIN", path.display());
    Ok(path)
}

/// Where Cargo puts a program of this workspace: target/debug/deps/it-1234 -> target/debug/`program`.
///
/// # Errors
/// This test lies in no target folder.
pub fn built(program: &str) -> Result<PathBuf> {
    let test = env::current_exe().context("find this test")?;
    let profile = test.ancestors().nth(2).context("this test lies in no target folder")?;
    Ok(profile.join(program))
}

/// A command without this process's `CAUSEWAY_...` variables: the server takes all of them for settings.
///
/// # Errors
/// There is no binary.
pub fn causeway_command() -> Result<Command> {
    let mut command = Command::new(causeway()?);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CAUSEWAY_") {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// The root of the source tree.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The folder of real data sets, if this machine has it.
pub fn shared_data() -> Option<PathBuf> {
    let path = match env::var_os("CAUSEWAY_SHARED_DATA") {
        Some(path) => PathBuf::from(path),
        None => repository().join("../shared/data"),
    };
    path.is_dir().then_some(path)
}

/// The path that an environment variable gives.
pub fn path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from)
}

/// A number from an environment variable.
///
/// # Errors
/// The variable holds something else.
pub fn number(variable: &str) -> Result<Option<u64>> {
    let Ok(text) = env::var(variable) else {
        return Ok(None);
    };
    let number = text.parse().with_context(|| format!("{variable}={text} is no number"))?;
    Ok(Some(number))
}

/// Slow tests are to be left out.
pub fn is_quick() -> bool {
    is_set("CAUSEWAY_QUICK")
}

/// Load tests are to run at full size.
pub fn is_full() -> bool {
    is_set("CAUSEWAY_FULL")
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| value == "1" || value == "true")
}

/// Says why a test did nothing, also when the test harness captures output.
///
/// # Errors
/// Standard error is closed.
pub fn skipped(reason: &str) -> Result<()> {
    writeln!(std::io::stderr(), "skipped: {reason}").context("write to standard error")
}

/// As [`skipped`], but an error in CI, where every tool must be present.
///
/// # Errors
/// This is CI.
pub fn missing_tool(reason: &str) -> Result<()> {
    if is_set("CI") {
        bail!("{reason} (CI must have it)");
    }
    skipped(reason)
}

/// Reports a figure of a passing test.
///
/// # Errors
/// Standard error is closed.
pub fn report(text: &str) -> Result<()> {
    writeln!(std::io::stderr(), "measured: {text}").context("write to standard error")
}

/// Whether a program can be started at all.
pub fn has_program(program: impl AsRef<OsStr>) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    command.status().is_ok()
}
