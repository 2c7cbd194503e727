//! What the source of a detector says of it: its module documentation, its rule, its texts and its settings.
//!
//! Reads the shape that all detectors have and that a newcomer copies: a table under `//!`, `fn id` or `Rule { .. }`, one call
//! of `evidence`, a struct of settings with its defaults. No parser of Rust: strings, brackets and commas are all it knows.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

/// A rule of a source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) version: String,
    /// The fallacy's name in the code.
    pub(crate) fallacy: String,
    pub(crate) summary: String,
}

/// A threshold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) default: String,
    pub(crate) what: String,
}

/// What a source says.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    /// Name of its page, without an ending.
    pub(crate) page: String,
    /// Names of its detectors' types.
    pub(crate) types: Vec<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) looks_at: &'static str,
    pub(crate) meaning: String,
    rows: Vec<(String, String)>,
    /// A table about several detectors, line by line.
    pub(crate) table: Vec<String>,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) cost: String,
    pub(crate) remedies: Vec<String>,
    pub(crate) disproof: String,
    pub(crate) settings: Vec<Setting>,
}

impl Source {
    /// What a source says; `None` for one without a detector.
    pub(crate) fn read(path: &str, text: &str) -> Result<Option<Self>> {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        if !code.contains("= evidence(") {
            return Ok(None);
        }
        let rules = rules(code).context("a rule lacks id, version, fallacy or summary")?;
        ensure!(!rules.is_empty(), "findings of no rule");
        let stem = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let page = if let [rule] = rules.as_slice() { rule.id.clone() } else { stem.to_owned() };
        let implemented = code.split("Detector for ").skip(1);
        let types =
            implemented.filter_map(|rest| Some(rest.split(' ').next()?.to_owned())).collect();
        let looks_at = match (path.contains("/window/"), code.contains("WindowDetector for")) {
            (false, _) => "each trace",
            (true, true) => "windows of many traces",
            (true, false) => "each clock, over windows",
        };
        let call = code.split("= evidence(").nth(1).unwrap_or_default();
        let arguments = arguments(call);
        let argument = |at: usize| arguments.get(at).copied().unwrap_or_default();
        let [cost, disproof] = [1, 3].map(|at| literals(argument(at)).into_iter().next());
        let mut source = Self {
            path: path.to_owned(),
            page,
            types,
            rules,
            looks_at,
            meaning: String::new(),
            rows: Vec::new(),
            table: Vec::new(),
            paragraphs: Vec::new(),
            cost: cost.context("findings do not say what it costs")?,
            remedies: remedies(argument(2), code),
            disproof: disproof.context("findings do not say what would prove them wrong")?,
            settings: settings(code),
        };
        ensure!(!source.remedies.is_empty(), "findings do not say what to do");
        source.read_documentation(text)?;
        Ok(Some(source))
    }

    /// The text of a row of its table.
    pub(crate) fn row(&self, key: &str) -> Option<&str> {
        self.rows.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    fn read_documentation(&mut self, text: &str) -> Result<()> {
        let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let lines: Vec<&str> = lines.collect();
        for part in lines.split(|line| line.is_empty()) {
            let is_table = part.iter().all(|line| line.starts_with('|'));
            if self.meaning.is_empty() {
                let first = part.join(" ");
                let meaning = first.split_once(": ").map(|(_, meaning)| meaning);
                self.meaning = meaning.unwrap_or(&first).to_owned();
            } else if !is_table {
                self.paragraphs.push(part.join(" "));
            } else if part.first() == Some(&"| | |") {
                for line in part.iter().skip(2) {
                    let mut cells = line.trim_matches('|').splitn(2, '|').map(str::trim);
                    let (Some(key), Some(value)) = (cells.next(), cells.next()) else { continue };
                    self.rows.push((key.to_owned(), value.to_owned()));
                }
            } else {
                self.table.extend(part.iter().map(|line| (*line).to_owned()));
            }
        }
        let is_whole =
            ["fires when", "not when", "wrong if"].iter().all(|key| self.row(key).is_some());
        ensure!(
            is_whole || !self.table.is_empty(),
            "its table lacks when it fires, not fires or is wrong"
        );
        Ok(())
    }
}

/// The rules of a source: of the functions of one detector, or of constants. `None` if one of them cannot be read.
fn rules(code: &str) -> Option<Vec<Rule>> {
    let word = |text: &str, after: &str| -> Option<String> {
        let rest = text.split(after).nth(1)?;
        Some(rest.chars().take_while(char::is_ascii_alphanumeric).collect())
    };
    if code.contains(" Detector for ") {
        let literal = |of: &str| literals(code.split(of).nth(1)?).into_iter().next();
        let version = code.split("fn rule_version(&self) -> u32 {").nth(1);
        let version =
            version.map(|rest| rest.trim().chars().take_while(char::is_ascii_digit).collect());
        let rule = literal("fn id(&self)").zip(version).zip(literal("fn summary(&self)"));
        let fallacy =
            code.split("fn fallacy(&self)").nth(1).and_then(|rest| word(rest, "Fallacy::"));
        let ((id, version), summary) = rule?;
        return Some(vec![Rule { id, version, fallacy: fallacy?, summary }]);
    }
    // Other places name the type as well.
    let constants =
        code.split("Rule {").skip(1).filter(|rest| rest.trim_start().starts_with("id:"));
    let rule = |rest: &str| {
        let literal = |of: &str| literals(rest.split(of).nth(1)?).into_iter().next();
        Some(Rule {
            id: literal("id:")?,
            version: word(rest, "rule_version: ")?,
            fallacy: word(rest, "fallacy: Fallacy::")?,
            summary: literal("summary:")?,
        })
    };
    constants.map(rule).collect()
}

/// What to do: texts of an argument, or of what it names.
fn remedies(argument: &str, code: &str) -> Vec<String> {
    let found = literals(argument);
    if !found.is_empty() {
        return found.iter().map(|text| without_values(text)).collect();
    }
    let is_name = |byte: char| byte.is_alphanumeric() || byte == '_';
    let path = argument.trim().trim_end_matches(".to_owned()").trim_end_matches("()");
    let name = path.rsplit(|byte| !is_name(byte)).next().unwrap_or_default();
    let until = |begin: &str, end: &str| {
        code.split(begin).nth(1).and_then(|rest| rest.split(end).next()).map(literals)
    };
    let found = until(&format!("let {name} = "), ";\n")
        .or_else(|| until(&format!("fn {name}("), "\n    }\n"))
        .unwrap_or_else(|| {
            let field = format!("{name}: \"");
            let fields = code.split(&field).skip(1);
            fields.filter_map(|rest| Some(rest.split('"').next()?.to_owned())).collect()
        });
    found.iter().map(|text| without_values(text)).collect()
}

/// Thresholds, by the fields of the struct of settings and its defaults.
fn settings(code: &str) -> Vec<Setting> {
    let Some((_, rest)) = code.split_once("Settings {\n") else { return Vec::new() };
    let defaults =
        code.split("Settings {\n").find(|part| part.trim_start().starts_with("fn default()"));
    // The first `Self {` is that of the function's answer.
    let defaults = defaults.and_then(|part| part.split("Self {").nth(2)).unwrap_or_default();
    let mut found = Vec::new();
    let mut what = Vec::new();
    for line in rest.lines().map(str::trim).take_while(|line| *line != "}") {
        if let Some(text) = line.strip_prefix("/// ") {
            what.push(text);
        } else if let Some((name, of)) = line.trim_start_matches("pub ").split_once(": ") {
            let given = arguments(defaults).into_iter().find_map(|pair| {
                pair.trim().split_once(": ").filter(|(key, _)| *key == name).map(|(_, value)| value)
            });
            let default = match (given, of.trim_end_matches(',')) {
                (Some(value), _) => shown(name, value),
                (None, "bool") => "false".to_owned(),
                (None, _) => "none".to_owned(),
            };
            let what_is = what.join(" ");
            found.push(Setting { name: name.to_owned(), default, what: what_is });
            what.clear();
        }
    }
    found
}

/// A default as people write it: 20 ms for 20_000_000 of a name with `_ns`.
fn shown(name: &str, value: &str) -> String {
    let Ok(number) = value.trim().replace('_', "").parse::<u64>() else {
        return if value.contains("new()") {
            "none".to_owned()
        } else {
            format!("`{}`", value.trim())
        };
    };
    let units = [(60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let unit = units.into_iter().find(|(ns, _)| number >= *ns && number % ns == 0);
    match unit {
        Some((ns, unit)) if name.contains("_ns") => format!("{} {unit}", number / ns),
        _ if name.contains("percent") => format!("{number} %"),
        _ => number.to_string(),
    }
}

/// The arguments of a call, or fields of a struct, up to the bracket that closes it.
fn arguments(code: &str) -> Vec<&str> {
    let (mut found, mut depth, mut from, mut is_text) = (Vec::new(), 0, 0, false);
    let mut before = ' ';
    for (at, sign) in code.char_indices() {
        match sign {
            '"' if before != '\\' => is_text = !is_text,
            _ if is_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => {
                found.extend(code.get(from..at));
                return found;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.extend(code.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
        before = sign;
    }
    found
}

/// All texts in quotes.
fn literals(code: &str) -> Vec<String> {
    code.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A text with dots where values of a finding stand.
fn without_values(text: &str) -> String {
    let mut parts = text.split('{');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push('…');
        shown.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    shown
}

/// A text that begins and ends as a sentence does.
pub(crate) fn sentence(text: &str) -> String {
    let mut signs = text.chars();
    let first = signs.next().map(char::to_uppercase);
    let rest = signs.as_str();
    let end = if rest.ends_with(['.', ':']) { "" } else { "." };
    first.map_or_else(String::new, |first| format!("{first}{rest}{end}"))
}

/// Links of Rust's documentation as links between pages, or as plain names.
pub(crate) fn links_of_page(text: &str, types: &BTreeMap<&str, &str>) -> String {
    let mut parts = text.split("[`");
    let mut linked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((name, rest)) = part.split_once("`]") else {
            linked.push_str(part);
            continue;
        };
        let rest = match rest.strip_prefix('(') {
            Some(target) => target.split_once(')').map_or("", |(_, rest)| rest),
            None => rest,
        };
        match types.get(name) {
            Some(page) => linked.push_str(&format!("[`{page}`]({page}.md)")),
            None => linked.push_str(&format!("`{}`", name.rsplit("::").next().unwrap_or(name))),
        }
        linked.push_str(rest);
    }
    linked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_and_texts_are_taken_apart() {
        let code = "title.clone(), \"a, (b\", format!(\"x {y} z {}\", f(1, 2)), \"d\", [(1, 2)]);";
        let found = arguments(code);
        assert_eq!(found.len(), 5);
        assert_eq!(literals(found[1]), ["a, (b"]);
        assert_eq!(remedies(found[2], ""), ["x … z …"]);
        assert_eq!(remedies("remedy", "let remedy = format!(\"do {it}\");\n"), ["do …"]);
    }

    #[test]
    fn defaults_are_shown_with_their_units() {
        assert_eq!(shown("wait_ns_min", "60_000_000_000"), "1 min");
        assert_eq!(shown("wait_ns_min", "1_500_000"), "1500 us");
        assert_eq!(shown("path_percent_min", "30"), "30 %");
        assert_eq!(shown("body_bytes_min", "300_000"), "300000");
        assert_eq!(shown("download_templates", "Vec::new()"), "none");
    }

    #[test]
    fn links_lead_to_pages_or_to_nothing() {
        let types = BTreeMap::from([("FanOut", "fan_out")]);
        let text = "see [`FanOut`](super::FanOut) and [`Settings::batch_item_ns`] now";
        assert_eq!(
            links_of_page(text, &types),
            "see [`fan_out`](fan_out.md) and `batch_item_ns` now"
        );
    }

    #[test]
    fn a_detector_that_does_not_explain_itself_is_refused() {
        let code = "//! `a`: b.\nimpl Detector for A {\n fn id(&self) -> &str { \"a\" }\n fn rule_version(&self) -> u32 { 1 }
            fn fallacy(&self) -> Fallacy { Fallacy::Queues }\n fn summary(&self) -> &str { \"B.\" }
            fn run() { let evidence = evidence(seen, \"cost\", \"do\".to_owned(), \"not so\", []); }";
        assert!(Source::read("a.rs", code).is_err());
        let table = "//! | | |\n//! |---|---|\n//! | fires when | x |\n//! | not when | y |\n//! | wrong if | z |\n";
        let whole = code.replacen('\n', &format!("\n//!\n{table}"), 1);
        let source = Source::read("a.rs", &whole).expect("whole").expect("a detector");
        assert_eq!((source.row("not when"), source.cost.as_str()), (Some("y"), "cost"));
        assert_eq!(source.meaning, "b.");
        // A rule that cannot be read is no reason to leave its page out.
        let summary = "fn summary(&self) -> &str { \"B.\" }";
        assert!(whole.contains(summary));
        assert!(Source::read("a.rs", &whole.replace(summary, "")).is_err());
        assert!(Source::read("a.rs", "//! Nothing.\nfn f() {}").is_ok_and(|of| of.is_none()));
    }

    #[test]
    fn settings_have_the_defaults_of_the_code() {
        let code = "pub struct ASettings {\n    /// Calls, 5.\n    pub calls_min: usize,\n    /// Names.\n    pub names: Vec<String>,\n}\n
impl Default for ASettings {\n    fn default() -> Self {\n        Self { calls_min: 5, names: Vec::new() }\n    }\n}\n";
        let found = settings(code);
        assert_eq!(
            found[0],
            Setting {
                name: "calls_min".to_owned(),
                default: "5".to_owned(),
                what: "Calls, 5.".to_owned()
            }
        );
        assert_eq!((found.len(), found[1].default.as_str()), (2, "none"));
    }
}
