//! The arrows between crates: which crate may use which of ours.
//!
//! The table is that of ARCHITECTURE.md; a new arrow needs a decision in `docs/adr`. Checked against
//! `cargo metadata`, so that a convenient dependency cannot creep in. `collector` and `query` never
//! see each other.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run::{cargo, output};

/// A crate and what it may use, in its code; [`FOR_TESTS`] comes on top in tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("causeway-clock", &[]),
    ("causeway-hlc", &["causeway-clock"]),
    ("causeway-model", &["causeway-clock"]),
    ("causeway-store", &["causeway-model"]),
    ("causeway-collector", &["causeway-clock", "causeway-model", "causeway-store"]),
    ("causeway-analysis", &["causeway-clock", "causeway-model"]),
    (
        "causeway-query",
        &["causeway-analysis", "causeway-clock", "causeway-model", "causeway-store"],
    ),
    ("causeway-web", &[]),
    ("causeway", EVERYTHING),
    ("causeway-testkit", &["causeway-clock", "causeway-model"]),
    ("causeway-tests", EVERYTHING),
    ("causeway-sdk-client", &[]),
    ("causeway-chain", &["causeway-hlc"]),
    ("causeway-bench", EVERYTHING),
    ("xtask", &[]),
];

const EVERYTHING: &[&str] = &[
    "causeway-analysis",
    "causeway-clock",
    "causeway-collector",
    "causeway-model",
    "causeway-query",
    "causeway-store",
    "causeway-testkit",
    "causeway-web",
];

/// What tests of any crate may use as well.
const FOR_TESTS: &[&str] = &["causeway-testkit", "causeway-model"];

/// Every arrow that is not in the table, and every crate that is not.
pub(crate) fn check() -> Result<Vec<String>> {
    let text = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))
        .context("`cargo metadata` failed")?;
    let metadata: Value = serde_json::from_str(&text).context("read `cargo metadata`")?;
    Ok(forbidden(&metadata))
}

fn forbidden(metadata: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for package in list(metadata, "packages") {
        let name = text(package, "name");
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            found.push(format!(
                "{name}: not in the table of xtask/src/arrows.rs and ARCHITECTURE.md"
            ));
            continue;
        };
        for dependency in list(package, "dependencies") {
            let used = text(dependency, "name");
            let is_ours = dependency.get("path").is_some_and(Value::is_string);
            let is_for_tests = text(dependency, "kind") == "dev";
            let is_allowed = allowed.contains(&used) || (is_for_tests && FOR_TESTS.contains(&used));
            if is_ours && !is_allowed {
                found.push(format!("{name} may not use {used}"));
            }
        }
    }
    found
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arrows_follow_the_table() -> Result<()> {
        assert_eq!(check()?, Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn a_new_arrow_and_a_new_crate_are_found() {
        let metadata = json!({"packages": [
            {"name": "causeway-query", "dependencies": [
                {"name": "causeway-store", "path": "store"},
                {"name": "causeway-collector", "path": "collector"},
                {"name": "causeway-testkit", "path": "testkit", "kind": "dev"},
                {"name": "arrow"},
            ]},
            {"name": "helpers", "dependencies": []},
        ]});
        assert_eq!(
            forbidden(&metadata),
            [
                "causeway-query may not use causeway-collector",
                "helpers: not in the table of xtask/src/arrows.rs and ARCHITECTURE.md",
            ]
        );
    }
}
