//! House rules that no other tool checks: one function per rule, one line for it in [`RULES`].
//!
//! Runs with `cargo test` as well, so that nobody has to remember it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::arrows;
use crate::run::root;

/// Above this, ask what noun is hiding in the file.
const LINES_MAX: usize = 600;
/// A crate's README is a first look, not a manual.
const README_LINES_MAX: usize = 40;
/// A file above this is data; nobody reads it line by line.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// Folders whose content is not ours or not source.
const FOREIGN_FOLDERS: &[&str] =
    &["target", "node_modules", "dist", "causeway-data", "__pycache__"];
/// Folders that begin with a dot and are ours all the same.
const OUR_DOT_FOLDERS: &[&str] = &[".cargo", ".ci", ".github"];
/// Files read as text.
const TEXT_ENDINGS: &[&str] = &[
    "rs", "toml", "md", "ts", "tsx", "mjs", "js", "css", "html", "py", "go", "java", "xml", "json",
    "slt", "sh", "txt", "yaml", "yml", "lock", "sum", "mod", "run",
];

/// One source file.
struct Source {
    /// Path from the root, with `/`.
    path: String,
    text: String,
}

/// A rule: what is wrong with a file, if anything.
type Rule = fn(&Source) -> Option<String>;

const RULES: &[Rule] = &[
    rust_files_say_what_they_are_for,
    nothing_is_left_for_later,
    crates_inherit_the_lints,
    no_machine_is_named,
    lock_files_name_public_registries,
    crate_readmes_are_short,
    links_between_documents_lead_somewhere,
    lines_end_plainly,
];

/// Checks everything; an error lists what is wrong. Gives a note about files that are long.
pub(crate) fn check() -> Result<String> {
    let sources = sources()?;
    let mut wrong = arrows::check()?;
    for source in &sources {
        let found = RULES.iter().filter_map(|rule| rule(source));
        wrong.extend(found.map(|what| format!("{}: {what}", source.path)));
    }
    if !wrong.is_empty() {
        bail!("{} house rules broken\n  {}", wrong.len(), wrong.join("\n  "));
    }
    let long: Vec<_> = sources.iter().filter_map(long_file).collect();
    for line in &long {
        eprintln!("long: {line}");
    }
    Ok(format!("{} files, {} of them long", sources.len(), long.len()))
}

fn long_file(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    let is_code = [".rs", ".ts", ".tsx"].iter().any(|end| source.path.ends_with(end));
    (is_code && lines > LINES_MAX).then(|| format!("{} ({lines} lines)", source.path))
}

fn rust_files_say_what_they_are_for(source: &Source) -> Option<String> {
    let is_wrong = source.path.ends_with(".rs") && !source.text.starts_with("//! ");
    is_wrong.then(|| "begin with `//!` and what the file is for".to_owned())
}

fn nothing_is_left_for_later(source: &Source) -> Option<String> {
    // Written in two parts, or this file would break its own rule.
    const MARKS: [&str; 4] =
        [concat!("FIX", "ME"), concat!("dbg", "!("), concat!("todo", "!("), concat!("TODO", ":")];
    let is_code = [".rs", ".ts", ".tsx", ".mjs", ".py", ".go", ".java"]
        .iter()
        .any(|end| source.path.ends_with(end));
    let mark = MARKS.iter().find(|mark| is_code && source.text.contains(**mark))?;
    Some(format!("holds `{mark}`; open an issue and write TODO(#123), or do it"))
}

fn crates_inherit_the_lints(source: &Source) -> Option<String> {
    let is_wrong =
        source.path.ends_with("/Cargo.toml") && !source.text.contains("[lints]\nworkspace = true");
    is_wrong.then(|| "add [lints] workspace = true".to_owned())
}

fn no_machine_is_named(source: &Source) -> Option<String> {
    const PREFIXES: [&str; 4] = [
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
    ];
    let prefix = PREFIXES.iter().find(|prefix| source.text.contains(**prefix))?;
    Some(format!("names a path of one machine ({prefix})"))
}

fn lock_files_name_public_registries(source: &Source) -> Option<String> {
    let (key, allowed) = match source.path.rsplit('/').next()? {
        "package-lock.json" => ("\"resolved\": \"", "https://registry.npmjs.org/"),
        "Cargo.lock" => ("source = \"", "registry+https://github.com/rust-lang/crates.io-index"),
        _ => return None,
    };
    let mut places = source.text.split(key).skip(1);
    let wrong = places.find(|place| !place.starts_with(allowed))?;
    let place = wrong.split('"').next().unwrap_or_default();
    Some(format!("takes a package from {place}, where others cannot get it"))
}

fn crate_readmes_are_short(source: &Source) -> Option<String> {
    let (folder, "README.md") = source.path.split_once('/')? else {
        return None;
    };
    let is_crate = root().join(folder).join("Cargo.toml").exists();
    let lines = source.text.lines().count();
    (is_crate && lines > README_LINES_MAX)
        .then(|| format!("has {lines} lines; {README_LINES_MAX} are enough for a first look"))
}

fn links_between_documents_lead_somewhere(source: &Source) -> Option<String> {
    if !source.path.ends_with(".md") {
        return None;
    }
    let folder = root().join(&source.path);
    let folder = folder.parent()?;
    let mut targets = source.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let broken = targets.find(|target| {
        let file = target.split('#').next().unwrap_or_default();
        let is_local = !file.is_empty() && !target.contains("://") && !file.contains(' ');
        is_local && !folder.join(file).exists()
    })?;
    Some(format!("links to {broken}, which is not there"))
}

fn lines_end_plainly(source: &Source) -> Option<String> {
    let is_ours = [".rs", ".md", ".toml", "/run"].iter().any(|end| source.path.ends_with(end));
    let is_wrong = source.text.contains('\r')
        || source.text.lines().any(|line| line.ends_with([' ', '\t']))
        || !source.text.ends_with('\n');
    (is_ours && is_wrong).then(|| {
        "has white space or a carriage return at a line's end, or no last newline".to_owned()
    })
}

fn sources() -> Result<Vec<Source>> {
    let mut found = Vec::new();
    collect(root(), "", &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<Source>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let is_hidden = name.starts_with('.') && !OUR_DOT_FOLDERS.contains(&name.as_str());
            if !is_hidden && !FOREIGN_FOLDERS.contains(&name.as_str()) {
                collect(&entry.path(), &format!("{path}/"), found)?;
            }
        } else if kind.is_file() && is_text(&name) && entry.metadata()?.len() <= TEXT_BYTES_MAX {
            // Another process may tidy up while we look; what is no text is none of our business.
            if let Ok(text) = fs::read_to_string(entry.path()) {
                found.push(Source { path, text });
            }
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default();
    TEXT_ENDINGS.contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn house_rules_are_kept() -> Result<()> {
        check().map(|_| ())
    }

    #[test]
    fn every_rule_finds_what_it_forbids() {
        let bad = [
            source("model/src/ids.rs", "fn main() {}\n"),
            source("web/app/main.tsx", concat!("// FIX", "ME later\n")),
            source("model/Cargo.toml", "[package]\n"),
            source("README.md", concat!("see /ho", "me/me/notes\n")),
            source("web/package-lock.json", "\"resolved\": \"http://mirror/preact.tgz\""),
            source("model/README.md", &"line\n".repeat(README_LINES_MAX + 1)),
            source("docs/gaps.md", "[gone](nowhere.md)\n"),
            source("STYLE.md", "space \n"),
        ];
        for (rule, bad) in RULES.iter().zip(&bad) {
            assert!(rule(bad).is_some(), "{}", bad.path);
        }
        assert_eq!(RULES.len(), bad.len());
    }
}
