//! The SDK clients of `tests/sdk`, one per language, and the readers of `tests/readers`: set up once
//! per content of their sources.
//!
//! Commands and places are those of `tests/sdk/README.md`. Everything goes below one cache folder,
//! but for the JavaScript packages, which Node only finds beside the client.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::report::Report;
use crate::run::{cargo, command, execute, execute_quietly, npm, root, target_dir};
use crate::tools::{first_of, missing};

/// One client.
struct Client {
    /// A language, or what else it is.
    name: &'static str,
    /// Any of these programs will do.
    programs: &'static [&'static str],
    /// What makes such a program print its version.
    version: &'static str,
    /// What the set-up depends on, below `tests`.
    sources: &'static [&'static str],
    /// What the set-up makes.
    product: fn(&Path) -> PathBuf,
    set_up: fn(&'static str, &Path) -> Result<()>,
}

/// Every client that is not built by cargo. A new language is one entry here.
const CLIENTS: &[Client] = &[
    Client {
        name: "python",
        programs: &["python3", "python"],
        version: "--version",
        sources: &["sdk/python/requirements.txt"],
        product: |cache| cache.join("python"),
        set_up: set_up_python,
    },
    Client {
        name: "readers",
        programs: &["python3", "python"],
        version: "--version",
        sources: &["readers/requirements.txt"],
        product: |cache| cache.join("readers"),
        set_up: set_up_readers,
    },
    Client {
        name: "javascript",
        programs: &["node"],
        version: "--version",
        sources: &["sdk/javascript/package.json", "sdk/javascript/package-lock.json"],
        product: |_| root().join("tests/sdk/javascript/node_modules"),
        set_up: set_up_javascript,
    },
    Client {
        name: "go",
        programs: &["go"],
        version: "version",
        sources: &["sdk/go"],
        product: |cache| cache.join(executable("sdk-go")),
        set_up: set_up_go,
    },
    Client {
        name: "java",
        programs: &["mvn"],
        version: "--version",
        sources: &["sdk/java"],
        product: |cache| cache.join("java/client.jar"),
        set_up: set_up_java,
    },
];

/// Sets up every client that can be; gives the cache folder. What cannot be set up is not there.
pub(crate) fn set_up_all(report: &mut Report) -> Result<PathBuf> {
    let cache = target_dir().join("sdk-clients");
    fs::create_dir_all(&cache).with_context(|| format!("make {}", cache.display()))?;
    for client in CLIENTS {
        client.set_up_once(&cache, report);
    }
    report.step("client: rust", build_rust);
    Ok(cache)
}

impl Client {
    fn set_up_once(&self, cache: &Path, report: &mut Report) {
        let step = format!("client: {}", self.name);
        let Some(program) = first_of(self.programs, self.version) else {
            let why = format!("`{}` was not found", self.programs.join("` or `"));
            return missing(report, &step, &why);
        };
        let stamp = cache.join(format!("{}.stamp", self.name));
        let product = (self.product)(cache);
        let wanted = match self.fingerprint() {
            Ok(wanted) => wanted,
            Err(error) => return report.fail(&step, &format!("{error:#}")),
        };
        if product.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            report.step(&step, || Ok("unchanged".to_owned()));
            return;
        }
        eprintln!("setting up the {} client", self.name);
        // A half-made or outdated one must not be taken for a good one.
        let _ = fs::remove_file(&stamp);
        let _ = fs::remove_dir_all(&product).or_else(|_| fs::remove_file(&product));
        let made = (self.set_up)(program, cache)
            .and_then(|()| fs::write(&stamp, wanted).context("write the stamp"));
        match made {
            Ok(()) => {
                report.step(&step, || Ok("set up".to_owned()));
            }
            Err(error) => {
                eprintln!("{error:#}");
                let text = format!("{error:#}");
                let why = text.lines().next().unwrap_or_default();
                missing(report, &step, why);
            }
        }
    }

    /// Changes when a source changes.
    fn fingerprint(&self) -> Result<String> {
        let mut files = Vec::new();
        for source in self.sources {
            collect(&root().join("tests").join(source), &mut files)?;
        }
        files.sort();
        let mut hasher = DefaultHasher::new();
        for file in files {
            file.strip_prefix(root()).unwrap_or(&file).hash(&mut hasher);
            fs::read(&file)?.hash(&mut hasher);
        }
        Ok(format!("{:016x}\n", hasher.finish()))
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("read {}", path.display()))?;
    for entry in entries {
        let path = entry?.path();
        if !path.ends_with("target") {
            collect(&path, files)?;
        }
    }
    Ok(())
}

fn set_up_python(python: &'static str, cache: &Path) -> Result<()> {
    make_environment(python, &cache.join("python"), "tests/sdk/python/requirements.txt")
}

fn set_up_readers(python: &'static str, cache: &Path) -> Result<()> {
    make_environment(python, &cache.join("readers"), "tests/readers/requirements.txt")
}

/// A virtual environment of Python with the packages that a file lists.
fn make_environment(python: &'static str, folder: &Path, requirements: &str) -> Result<()> {
    execute_quietly(command(python).args(["-m", "venv"]).arg(folder))?;
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    execute_quietly(
        command(programs.join(executable("python")))
            .args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"])
            .arg(requirements),
    )
}

fn set_up_javascript(_node: &'static str, _cache: &Path) -> Result<()> {
    execute_quietly(npm().args([
        "ci",
        "--prefix",
        "tests/sdk/javascript",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]))
}

fn set_up_go(go: &'static str, cache: &Path) -> Result<()> {
    let product = cache.join(executable("sdk-go"));
    execute_quietly(command(go).args(["build", "-C", "tests/sdk/go", "-o"]).arg(product).arg("."))
}

fn set_up_java(mvn: &'static str, cache: &Path) -> Result<()> {
    let folder = format!("-Dclient.directory={}", cache.join("java").display());
    execute_quietly(command(mvn).args([
        "-q",
        "-B",
        "-f",
        "tests/sdk/java/pom.xml",
        "package",
        &folder,
    ]))
}

/// Cargo knows by itself what changed, and puts client and chain beside the server.
fn build_rust() -> Result<String> {
    execute(cargo().args(["build", "-p", "causeway-sdk-client", "-p", "causeway-chain"]))?;
    Ok(String::new())
}

/// The file name of a program.
pub(crate) fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}
