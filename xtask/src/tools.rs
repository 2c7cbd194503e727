//! Programs of the machine that tests need, and whether doing without them is allowed.

use std::env;
use std::path::PathBuf;

use crate::report::Report;
use crate::run::{command, execute_quietly, output};

/// Whether this is a run that must leave nothing out.
pub(crate) fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| matches!(value.as_str(), "1" | "true"))
}

/// Notes that a step is not possible here: a skip for a person, a failure in CI.
pub(crate) fn missing(report: &mut Report, step: &str, why: &str) {
    if is_ci() {
        report.fail(step, why);
    } else {
        report.skip(step, why);
    }
}

/// The first of these programs that can be run.
pub(crate) fn first_of(programs: &[&'static str], argument: &str) -> Option<&'static str> {
    programs.iter().copied().find(|program| output(command(*program).arg(argument)).is_some())
}

/// Path of a Chromium, installed from the distribution's packages where we may do that.
pub(crate) fn chromium() -> Option<PathBuf> {
    find_chromium().or_else(|| install_package("chromium").then(find_chromium).flatten())
}

fn find_chromium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("CAUSEWAY_CHROMIUM").or_else(|| env::var_os("CHROMIUM")) {
        return Some(PathBuf::from(path));
    }
    ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| on_path(name))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Installs a package with apt-get if that is there and we are root.
fn install_package(name: &str) -> bool {
    let is_root = output(command("id").arg("-u")).is_some_and(|id| id == "0");
    if !is_root || on_path("apt-get").is_none() {
        return false;
    }
    eprintln!("installing {name}");
    let apt = |arguments: &[&str]| {
        let mut apt = command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        execute_quietly(apt.args(arguments))
    };
    let install = ["install", "-y", "--no-install-recommends", name];
    let installed = apt(&install).or_else(|_| {
        // The list of packages may be old or not there at all.
        apt(&["update"])?;
        apt(&install)
    });
    if let Err(error) = &installed {
        eprintln!("{error:#}");
    }
    installed.is_ok()
}
