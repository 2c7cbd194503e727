//! The pages of `docs/findings`, one a detector, written from the sources of the detectors.
//!
//! ```text
//! analysis/src/detectors/**/*.rs ─ source: ids, `//!` table, texts of findings, settings ─► page a detector, README by fallacy
//! ```
//!
//! Sources are read as text, so that this crate builds without them; what a page needs and a source lacks is an error.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::run::root;
use crate::source::{Source, links_of_page, sentence};

const SOURCES: [&str; 2] = ["analysis/src/detectors", "analysis/src/detectors/window"];
const PAGES: &str = "docs/findings";

/// Rows of a detector's table, and what they are called on its page.
const SECTIONS: [(&str, &str); 5] = [
    ("fires when", "When it fires"),
    ("not when", "When it does not"),
    ("nor when", "Nor"),
    ("also", "Also"),
    ("severity", "Severity"),
];

/// Fallacies by the names of the code, in the order of the pages.
const FALLACIES: [(&str, &str); 10] = [
    ("LatencyIsZero", "latency is zero"),
    ("TransportCostIsZero", "transport cost is zero"),
    ("NetworkIsReliable", "the network is reliable"),
    ("BandwidthIsInfinite", "bandwidth is infinite"),
    ("NetworkIsSecure", "the network is secure"),
    ("TopologyDoesNotChange", "topology doesn't change"),
    ("OneAdministrator", "there is one administrator"),
    ("NetworkIsHomogeneous", "the network is homogeneous"),
    ("OneClock", "there is one clock"),
    ("Queues", "queues"),
];

/// Writes the pages, and removes those of detectors that are gone.
pub(crate) fn write() -> Result<()> {
    let folder = root().join(PAGES);
    fs::create_dir_all(&folder)?;
    let pages = pages()?;
    for name in files(&folder)? {
        if !pages.contains_key(&name) {
            fs::remove_file(folder.join(name))?;
        }
    }
    pages.iter().try_for_each(|(name, page)| Ok(fs::write(folder.join(name), page)?))
}

/// Fails if a page is stale, missing, or of no detector.
pub(crate) fn check() -> Result<()> {
    let folder = root().join(PAGES);
    let pages = pages()?;
    for name in files(&folder)? {
        ensure!(
            pages.contains_key(&name),
            "{PAGES}/{name} is of no detector: run `cargo xtask gen docs`"
        );
    }
    for (name, page) in &pages {
        let found = fs::read_to_string(folder.join(name)).unwrap_or_default();
        ensure!(found == *page, "{PAGES}/{name} is stale: run `cargo xtask gen docs`");
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// All pages by the names of their files.
fn pages() -> Result<BTreeMap<String, String>> {
    let mut sources = Vec::new();
    for folder in SOURCES {
        let mut names = files(&root().join(folder))?;
        names.sort();
        for name in names.iter().filter(|name| name.ends_with(".rs")) {
            let path = format!("{folder}/{name}");
            let text = fs::read_to_string(root().join(&path))?;
            sources.extend(Source::read(&path, &text).with_context(|| path.clone())?);
        }
    }
    let types: BTreeMap<&str, &str> = sources
        .iter()
        .flat_map(|source| source.types.iter().map(|of| (of.as_str(), source.page.as_str())))
        .collect();
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for source in &sources {
        let page = pages.entry(format!("{}.md", source.page)).or_default();
        push_page(page, source, &types)?;
    }
    pages.insert("README.md".to_owned(), overview(&sources)?);
    Ok(pages)
}

/// Adds what a source says to its page; two sources of one detector share a page.
fn push_page(page: &mut String, source: &Source, types: &BTreeMap<&str, &str>) -> Result<()> {
    let text = |text: &str| sentence(&links_of_page(text, types));
    if page.is_empty() {
        let names: Vec<_> = source.rules.iter().map(|rule| format!("`{}`", rule.id)).collect();
        writeln!(page, "# {}\n", names.join(", "))?;
        writeln!(
            page,
            "Written by `cargo xtask gen docs` from the source of the detector; change it there."
        )?;
    } else {
        writeln!(page, "\n# The same over many traces")?;
    }
    writeln!(page, "\n{}\n", text(&source.meaning))?;
    for paragraph in &source.paragraphs {
        writeln!(page, "{}\n", text(paragraph))?;
    }
    let fallacy = source.rules.first().map_or("", |rule| fallacy(&rule.fallacy));
    writeln!(
        page,
        "| | |\n|---|---|\n| fallacy | {fallacy} |\n| looks at | {} |",
        source.looks_at
    )?;
    for rule in &source.rules {
        writeln!(page, "| rule | `{}`, version {}: {} |", rule.id, rule.version, rule.summary)?;
    }
    writeln!(page, "| source | [{0}](../../{0}) |", source.path)?;
    for (key, heading) in SECTIONS {
        if let Some(value) = source.row(key) {
            writeln!(page, "\n## {heading}\n\n{}", text(value))?;
        }
    }
    if !source.table.is_empty() {
        writeln!(page, "\n## When they fire\n\n{}", source.table.join("\n"))?;
    }
    writeln!(page, "\n## What it costs\n\n{}", source.cost)?;
    writeln!(page, "\n## What to do\n")?;
    for remedy in &source.remedies {
        writeln!(page, "{}{remedy}", if source.remedies.len() > 1 { "- " } else { "" })?;
    }
    if let Some(change) = source.row("change") {
        writeln!(
            page,
            "\n## With what change the trace is replayed, to tell the saving\n\n{}",
            text(change)
        )?;
    }
    writeln!(page, "\n## What would prove it wrong\n\n{}", source.disproof)?;
    if !source.settings.is_empty() {
        writeln!(page, "\n## Settings\n\n| setting | default | what it is |\n|---|---|---|")?;
        for setting in &source.settings {
            let what = links_of_page(&setting.what, types);
            writeln!(page, "| `{}` | {} | {what} |", setting.name, setting.default)?;
        }
    }
    Ok(())
}

fn fallacy(name: &str) -> &str {
    FALLACIES.iter().find(|(known, _)| *known == name).map_or(name, |(_, words)| words)
}

fn overview(sources: &[Source]) -> Result<String> {
    let mut page = String::from(OVERVIEW_HEAD);
    for (name, words) in FALLACIES {
        let mut words = words;
        for source in sources {
            for rule in source.rules.iter().filter(|rule| rule.fallacy == name) {
                writeln!(
                    page,
                    "| {words} | [`{}`]({}.md) | {} | {} |",
                    rule.id, source.page, rule.summary, source.looks_at
                )?;
                words = "";
            }
        }
    }
    Ok(page)
}

const OVERVIEW_HEAD: &str = "\
# Findings

Written by `cargo xtask gen docs` from the sources of the detectors; change them there.

A finding tells what was seen, what it costs, what to do, and what would prove it wrong. Each detector stands for a
belief about networks that is not so, a fallacy of distributed computing. Those that look at one trace run when it has been
quiet for a moment, and again when spans come late; those that look at many run over windows of time. Time that a change
would save is never a guess by a constant: the trace is replayed with the change.

| fallacy | detector | what it finds | looks at |
|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_detectors_are_as_the_sources_say() -> Result<()> {
        check()
    }

    #[test]
    fn every_detector_has_a_page_that_answers_all_questions() -> Result<()> {
        let pages = pages()?;
        assert!(pages.len() > 20, "{:?}", pages.keys());
        for (name, page) in pages.iter().filter(|(name, _)| *name != "README.md") {
            for heading in ["When", "What it costs", "What to do", "What would prove it wrong"] {
                assert!(page.contains(&format!("\n## {heading}")), "{name}: {heading}");
            }
        }
        Ok(())
    }
}
