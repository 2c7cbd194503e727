//! Forms of statements that are documents: MongoDB commands, search bodies, DynamoDB requests.
//!
//! A [family](super) of statements beside SQL. Keys and structure stay, values become `?`, but for the first
//! one: a command names its collection there (`{"find": "users", ...}`). Elements of arrays that repeat the one
//! before fall away. Reads anything that begins like JSON, also the shell's spelling without quotes; one
//! pass, no recursion.

use std::ops::Range;

use super::sql::{STATEMENT_BYTES_MAX, TEMPLATE_BYTES_MAX, cut_at};

const CUT: &str = "…";

/// An open `{` or `[`.
struct Level {
    is_array: bool,
    element_start: usize,
    previous: Option<Range<usize>>,
}

/// Whether a statement is a document rather than SQL.
pub(super) fn is_document(text: &str) -> bool {
    let text = text.trim_start();
    // `{call f(?)}` and `{? = call f(?)}` are JDBC's.
    let is_call = || {
        let inner = text.get(1..).unwrap_or_default().trim_start();
        inner.starts_with('?')
            || inner.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("call"))
    };
    text.starts_with('[') || text.starts_with('{') && !is_call()
}

/// Appends the form of a document.
pub(super) fn push_document(text: &str, out: &mut String) {
    let (text, is_long) = cut_at(text, STATEMENT_BYTES_MAX);
    let start = out.len();
    let mut former = DocumentFormer { out, levels: Vec::new(), first_value_seen: false };
    let mut rest = text;
    let mut is_cut = is_long;
    while let Some((token, after)) = next_token(rest) {
        let last = is_long && after.is_empty();
        if token == CUT || last {
            is_cut = true;
            break;
        }
        let before = former.out.len();
        rest = former.add(token, after);
        if former.out.len() - start > TEMPLATE_BYTES_MAX - CUT.len() {
            former.out.truncate(before);
            is_cut = true;
            break;
        }
    }
    if is_cut {
        out.push_str(CUT);
    }
}

/// The next sign, quoted text, or run of anything else, and what follows it.
fn next_token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    let end = match first {
        '{' | '}' | '[' | ']' | ',' | ':' | '…' => first.len_utf8(),
        '"' | '\'' => {
            let mut is_escaped = false;
            let closing = text.char_indices().skip(1).find(|(_, ch)| {
                let closes = *ch == first && !is_escaped;
                is_escaped = *ch == '\\' && !is_escaped;
                closes
            });
            closing.map_or(text.len(), |(at, _)| at + 1)
        }
        _ => {
            let is_end = |ch: char| "{}[],:\"'…".contains(ch) || ch.is_whitespace();
            text.find(is_end).unwrap_or(text.len())
        }
    };
    text.split_at_checked(end)
}

struct DocumentFormer<'a> {
    out: &'a mut String,
    levels: Vec<Level>,
    first_value_seen: bool,
}

impl DocumentFormer<'_> {
    /// Adds a token and gives back what is left to read.
    fn add<'t>(&mut self, token: &'t str, after: &'t str) -> &'t str {
        match token {
            "{" | "[" => {
                // Only a plain first value is a name.
                self.first_value_seen |= !self.levels.is_empty();
                self.out.push_str(token);
                let element_start = self.out.len();
                self.levels.push(Level { is_array: token == "[", element_start, previous: None });
            }
            "}" | "]" => {
                self.end_element();
                self.levels.pop();
                self.out.push_str(token);
            }
            "," => {
                self.end_element();
                self.out.push_str(", ");
                if let Some(level) = self.levels.last_mut() {
                    level.element_start = self.out.len();
                }
            }
            ":" => self.out.push_str(": "),
            _ => {
                let plain = token.trim_matches(['"', '\'']);
                let is_plain = !plain.is_empty()
                    && plain.len() <= 128
                    && plain.bytes().all(|b| b.is_ascii_alphanumeric() || b"_$.-".contains(&b));
                if let Some(value) = after.trim_start().strip_prefix(':') {
                    // With its colon, so that a limit cannot part them.
                    let key = if is_plain { plain } else { "?" };
                    self.out.push_str(&format!("\"{key}\": "));
                    return value;
                }
                let is_name = !self.first_value_seen && is_plain && token.starts_with(['"', '\'']);
                self.first_value_seen = true;
                if is_name && self.levels.len() == 1 {
                    self.out.push_str(&format!("\"{plain}\""));
                } else if !self.out.ends_with('?') {
                    self.out.push('?');
                }
            }
        }
        after
    }

    /// Drops an array's element that repeats the one before.
    fn end_element(&mut self) {
        let end = self.out.len();
        let Some(level) = self.levels.last_mut() else { return };
        if !level.is_array {
            return;
        }
        let current = level.element_start..end;
        let repeats = level.previous.clone().is_some_and(|previous| {
            self.out.get(previous).is_some_and(|held| self.out.get(current.clone()) == Some(held))
        });
        match &level.previous {
            Some(previous) if repeats => {
                self.out.truncate(previous.end);
                level.element_start = previous.start;
            }
            _ => level.previous = Some(current),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        for text in [text, expected] {
            let mut form = String::new();
            push_document(text, &mut form);
            assert_eq!(form, expected);
        }
    }

    #[test]
    fn values_go_and_structure_stays() {
        check(
            r#"{"find":"users","filter":{"_id":{"$in":[1, 2,3]},"name":"Joe \"x\""},"limit":1}"#,
            r#"{"find": "users", "filter": {"_id": {"$in": [?]}, "name": ?}, "limit": ?}"#,
        );
        check("{ find : 'users', at: new Date(17) }", r#"{"find": "users", "at": ?}"#);
        check(r#"{"query":{"term":{"a":"b"}}}"#, r#"{"query": {"term": {"a": ?}}}"#);
        check(r#"[{"$match":{"a":1}},{"$match":{"a":2}}]"#, r#"[{"$match": {"a": ?}}]"#);
        check(
            r#"{"find":"users","filter":{"a":"unfinis"#,
            r#"{"find": "users", "filter": {"a": ?"#,
        );
        assert!(
            is_document(" {find: 1}")
                && !is_document("{ CALL f(?) }")
                && !is_document("{?=call f}")
        );
    }

    #[test]
    fn long_documents_end_in_a_marker() {
        let keys: String = (0..2000).map(|at| format!("\"key{at}\": {at}, ")).collect();
        let mut form = String::new();
        push_document(&format!("{{{keys}}}"), &mut form);
        assert!(form.ends_with(CUT) && form.len() <= TEMPLATE_BYTES_MAX);
        check(&form.clone(), &form);
    }
}
