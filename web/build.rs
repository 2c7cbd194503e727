//! Builds the browser UI with npm and turns its files into a Rust table.
//!
//! `npm ci` runs only when `package-lock.json` is not the one `node_modules` was installed from, and this
//! script itself only when a source of the UI changed. The output goes to `OUT_DIR`; the source folder
//! gains nothing but `node_modules`.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs, io};

/// Everything the built files depend on.
const SOURCES: [&str; 7] = [
    "app",
    "build.rs",
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
];
/// The first Node that Vite runs on.
const NODE_MIN: (u32, u32) = (20, 19);
/// A copy of the lock file `node_modules` was installed from.
const INSTALLED_LOCK: &str = "node_modules/.causeway-installed-lock.json";

fn main() -> ExitCode {
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            for line in message.lines() {
                println!("cargo:warning={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?);
    let dist = out_dir.join("dist");
    check_node()?;
    install()?;
    let dist_text = dist.to_str().ok_or("the target folder's path is not valid Unicode")?;
    run_npm(&["run", "build", "--", "--outDir", dist_text, "--emptyOutDir", "--logLevel", "warn"])?;
    let table = table_of(&dist).map_err(|error| format!("the built UI cannot be read: {error}"))?;
    fs::write(out_dir.join("files.rs"), table)
        .map_err(|error| format!("cannot write the file table: {error}"))
}

/// On Windows npm is a script, which needs its extension to be found.
fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

fn check_node() -> Result<(), String> {
    let (major, minor) = NODE_MIN;
    let need = format!(
        "The browser UI is built with Node.js {major}.{minor} or newer and npm; see https://nodejs.org or your package manager."
    );
    let Ok(output) = Command::new("node").arg("--version").output() else {
        return Err(format!("`node` was not found on PATH.\n{need}"));
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut numbers =
        version.trim_start_matches('v').split('.').map_while(|part| part.parse::<u32>().ok());
    if (numbers.next(), numbers.next()) < (Some(major), Some(minor)) {
        return Err(format!("`node` is version {version}.\n{need}"));
    }
    match npm().arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("`node` is there but `npm` was not found on PATH.\n{need}")),
    }
}

fn install() -> Result<(), String> {
    let wanted =
        fs::read("package-lock.json").map_err(|error| format!("web/package-lock.json: {error}"))?;
    if fs::read(INSTALLED_LOCK).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run_npm(&["ci", "--no-audit", "--no-fund"])?;
    fs::write(INSTALLED_LOCK, wanted).map_err(|error| format!("web/{INSTALLED_LOCK}: {error}"))
}

fn run_npm(arguments: &[&str]) -> Result<(), String> {
    let line = format!("npm {}", arguments.join(" "));
    let output = npm()
        .args(arguments)
        .output()
        .map_err(|error| format!("`{line}` did not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{line}` in web/ failed ({}):\n{stdout}{stderr}", output.status))
}

/// Rust source: one `File` per built file, with its bytes included.
fn table_of(dist: &Path) -> io::Result<String> {
    let mut paths = Vec::new();
    collect(dist, "", &mut paths)?;
    paths.sort();
    let mut table = String::from("static FILES: &[File] = &[\n");
    for path in paths {
        let mut hasher = DefaultHasher::new();
        fs::read(dist.join(&path))?.hash(&mut hasher);
        let tag = hasher.finish();
        let _ = writeln!(
            table,
            "    File {{ path: {path:?}, etag: \"\\\"{tag:016x}\\\"\", body: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/dist/\", {path:?})) }},"
        );
    }
    table.push_str("];\n");
    Ok(table)
}

fn collect(dist: &Path, folder: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(dist.join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.file_type()?.is_dir() {
            collect(dist, &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
