//! `cargo xtask test`: builds and tests everything, and says what it left out.
//!
//! ```text
//! SDK clients -> build all (one cargo call) -> cargo test -> our SDK -> web checks -> web journeys -> summary
//! ```
//!
//! Building and testing name the same packages, because another choice of packages means other
//! features of the dependencies, and that means building DataFusion twice. Tests learn by
//! environment what they can use: `CAUSEWAY_BIN`, `CAUSEWAY_SDK_DIR`, `CAUSEWAY_CHROMIUM`, and
//! `CAUSEWAY_QUICK` when they shall be quick; else the simulation of the store runs for two minutes.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::report::Report;
use crate::run::{cargo, execute, execute_watched, npm, root, target_dir};
use crate::{sdk, tools};

/// What to leave out.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Leave out SDK clients, the browser and killed processes
    #[arg(long)]
    quick: bool,
}

/// All packages but those that need the OpenTelemetry SDK, whose dependencies nobody else needs.
pub(crate) const PACKAGES: [&str; 7] = [
    "--workspace",
    "--exclude",
    "causeway-sdk-client",
    "--exclude",
    "causeway-chain",
    "--exclude",
    "causeway-hlc",
];

/// Says how many schedules the simulation of the store runs.
const SCHEDULES: &str = "CAUSEWAY_SIM_SCHEDULES";

/// What tests may use.
struct World {
    is_quick: bool,
    sdk_dir: Option<PathBuf>,
    chromium: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(
        tools::first_of(&["node"], "--version").is_some(),
        "`node` was not found; the web UI is built with Node.js 20.19 or newer and npm, see https://nodejs.org"
    );
    let mut report = Report::default();
    let world = prepare(options, &mut report)?;
    if report.step("build", build) {
        report.step("Rust tests", || test_rust(&world));
        if !world.is_quick {
            report.step("Rust tests: our SDK", || {
                count_tests(cargo().args(["test", "-p", "causeway-hlc"]))
            });
        }
        report.step("web: types and unit tests", check_web);
        if let Some(chromium) = &world.chromium {
            report.step("web: journeys in a browser", || browse_web(chromium));
        }
    }
    report.close("cargo xtask test")
}

fn prepare(options: &Options, report: &mut Report) -> Result<World> {
    if options.quick {
        report.skip("SDKs, browser, kill tests", "left out by --quick");
        return Ok(World { is_quick: true, sdk_dir: None, chromium: None });
    }
    let chromium = tools::chromium();
    if chromium.is_none() {
        let why = "no Chromium was found; install it or name one in CAUSEWAY_CHROMIUM";
        tools::missing(report, "browser", why);
    }
    Ok(World { is_quick: false, sdk_dir: Some(sdk::set_up_all(report)?), chromium })
}

/// The server and all tests, in one call.
fn build() -> Result<String> {
    execute(cargo().arg("build").args(PACKAGES).args(["--bin", "causeway", "--tests"]))?;
    Ok(String::new())
}

fn test_rust(world: &World) -> Result<String> {
    let mut tests = cargo();
    tests.arg("test").args(PACKAGES).arg("--no-fail-fast");
    world.tell(&mut tests);
    count_tests(&mut tests)
}

fn count_tests(tests: &mut Command) -> Result<String> {
    let mut counts = Counts::default();
    let is_success = execute_watched(tests, |line| counts.add(line))?;
    ensure!(is_success, "{}; failed: {}", counts.text(), counts.failed_names.join(", "));
    ensure!(counts.passed > 0, "no test ran");
    Ok(counts.text())
}

impl World {
    fn tell(&self, tests: &mut Command) {
        let server = target_dir().join("debug").join(sdk::executable("causeway"));
        tests.env("CAUSEWAY_BIN", server);
        if self.is_quick {
            tests.env("CAUSEWAY_QUICK", "1");
        } else if env::var_os(SCHEDULES).is_none() {
            tests.env(SCHEDULES, "2000");
        }
        if let Some(dir) = &self.sdk_dir {
            tests.env("CAUSEWAY_SDK_DIR", dir);
        }
        if let Some(path) = &self.chromium {
            tests.env("CAUSEWAY_CHROMIUM", path);
        }
    }
}

/// What the test runners of all crates told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
    failed_names: Vec<String>,
}

impl Counts {
    /// Reads one line of output.
    fn add(&mut self, line: &str) {
        if let Some(name) =
            line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failed_names.push(name.to_owned());
        }
        let Some((_, counts)) =
            line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            match part.split_once(' ') {
                Some((count, "passed")) => self.passed += count.parse().unwrap_or(0),
                Some((count, "failed")) => self.failed += count.parse().unwrap_or(0),
                Some((count, "ignored")) => self.ignored += count.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    fn text(&self) -> String {
        let Self { passed, failed, ignored, .. } = self;
        format!("{passed} passed, {failed} failed, {ignored} ignored")
    }
}

fn check_web() -> Result<String> {
    install_web()?;
    execute(npm().args(["--prefix", "web", "run", "check"]))?;
    Ok(String::new())
}

fn browse_web(chromium: &PathBuf) -> Result<String> {
    execute(npm().args(["--prefix", "web", "run", "build"]))?;
    execute(npm().args(["--prefix", "web", "run", "journeys"]).env("CHROMIUM", chromium))?;
    Ok(String::new())
}

/// The build script of `web` installs the packages; this is for when they were removed since.
fn install_web() -> Result<()> {
    let installed = root().join("web/node_modules/.causeway-installed-lock.json");
    let lock = root().join("web/package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("read {}", lock.display()))?;
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    execute(npm().args(["--prefix", "web", "ci", "--no-audit", "--no-fund"]))?;
    fs::write(&installed, wanted).with_context(|| format!("write {}", installed.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_over_crates() {
        let mut counts = Counts::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test ids::hex ... ok",
            "test ids::late ... FAILED",
            "test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            counts.add(line);
        }
        assert_eq!(
            counts,
            Counts { passed: 7, failed: 1, ignored: 1, failed_names: vec!["ids::late".to_owned()] }
        );
    }
}
