//! A quick look at a statement that has not been seen: the same text with its plain values gone.
//!
//! Beside the [SQL form](super), for [`Former`](crate::forms::Former)'s memory alone: statements that differ in
//! their values only have one skeleton, and with it one form, so most new texts need no tokenizer. Invariant: a
//! skeleton has the form of its statement. Whatever is not plain (escapes, dollar quotes, nested
//! comments) gives no skeleton, and the statement goes the long way.

use super::dialect::Dialect;
use crate::forms::path::uuid_at;

/// Makes `out` the skeleton of a statement; `false` if it has none.
pub(in crate::forms) fn push_skeleton(text: &str, dialect: Dialect, out: &mut String) -> bool {
    out.clear();
    let bytes = text.as_bytes();
    let mut at = 0;
    // Up to here the text is in `out`, or left out.
    let mut copied = 0;
    let mut is_in_word = false;
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).copied();
        // What is left out from `at`, and what stands for it.
        let left_out = match byte {
            b'\'' => string_end(bytes, at).map(|end| (end, "''")),
            b'"' | b'`' => match closing(bytes, at) {
                // In MySQL `"` begins a string, whose escapes are not plain.
                Some(end) if byte == b'`' || dialect != Dialect::MySql => {
                    at = end;
                    is_in_word = false;
                    continue;
                }
                _ => None,
            },
            b'-' | b'/' if is_operator_glued(bytes, at, next) => None,
            b'-' if next == Some(b'-') => {
                let rest = bytes.get(at..).unwrap_or_default();
                let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                Some((at + line, " "))
            }
            b'/' if next == Some(b'*') => comment_end(text, at).map(|end| (end, " ")),
            b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' if bytes.get(at + 8) == Some(&b'-') => {
                let uuid = uuid_at(text, at).map(|uuid| (uuid.end, "?"));
                // Parts of it would read as numbers where it is taken for something else.
                uuid.or(Some((at, "")))
            }
            b'0'..=b'9' if !is_in_word => {
                Some(number_end(bytes, at).map_or((at, ""), |end| (end, "0")))
            }
            b'$' if !next.is_some_and(|byte| byte.is_ascii_digit()) => None,
            b'#' | b'\\' | b'[' if dialect != Dialect::Standard || byte == b'\\' => None,
            _ if dialect == Dialect::Oracle => None,
            _ => Some((at, "")),
        };
        let Some((end, stand_in)) = left_out else { return false };
        if end > at {
            out.push_str(text.get(copied..at).unwrap_or_default());
            out.push_str(stand_in);
            copied = end;
            at = end;
            is_in_word = false;
        } else {
            is_in_word = byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'$' | b'.')
                || !byte.is_ascii();
            at += 1;
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    true
}

/// One past the end of a string without escapes; `None` for others and those without end.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return Some(at + 1),
            b'\\' => return None,
            _ => at += 1,
        }
    }
}

/// Whether what looks like a comment may be the rest of an operator: `#--`, `|/*`.
fn is_operator_glued(bytes: &[u8], at: usize, next: Option<u8>) -> bool {
    let is_comment =
        matches!((bytes.get(at), next), (Some(b'-'), Some(b'-')) | (Some(b'/'), Some(b'*')));
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    is_comment && before.is_some_and(|byte| b"#|/-@<>=!&~^%*:?$.+".contains(byte))
}

/// One past the quote that closes a name.
fn closing(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = bytes.get(start)?;
    let rest = bytes.get(start + 1..)?;
    // A doubled quote reads as the end of one name and the begin of another, which comes to the same.
    rest.iter().position(|byte| byte == quote).map(|length| start + length + 2)
}

/// One past the end of a comment that holds no other one.
fn comment_end(text: &str, start: usize) -> Option<usize> {
    let inner = text.get(start + 2..)?;
    let length = inner.find("*/")?;
    let is_plain = !inner.get(..length)?.contains("/*") && !inner.get(..length)?.ends_with('/');
    is_plain.then_some(start + 2 + length + 2)
}

/// One past the end of a run of digits that is a number by itself; `None` where more is glued to it.
fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    let end = start + rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_alone = match bytes.get(end) {
        None => true,
        Some(byte) => {
            byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'.' | b'$')
        }
    };
    is_alone.then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let mut skeleton = String::new();
        let has_one = push_skeleton(text, Dialect::Standard, &mut skeleton);
        assert_eq!(has_one.then_some(skeleton.as_str()), expected, "{text}");
    }

    #[test]
    fn plain_values_go() {
        check(
            "SELECT a1 FROM t WHERE b = 17 AND c = 'it''s'",
            Some("SELECT a1 FROM t WHERE b = 0 AND c = ''"),
        );
        check("SELECT 1 /* traceparent='00-1' */ -- x\nFROM t", Some("SELECT 0    \nFROM t"));
        check(
            "SELECT \"1 'x\", $1 FROM t WHERE a IN (1,-2, 3)",
            Some("SELECT \"1 'x\", $1 FROM t WHERE a IN (0,-0, 0)"),
        );
        check("x = 550e8400-e29b-41d4-a716-446655440000", Some("x = ?"));
        check("x = 12345678-e29b-41d4-a716-446655440000", Some("x = ?"));
        check("SELECT 'a\\'b'", None);
        check("SELECT $$1$$", None);
        check("/* /* */ */", None);
        check("SELECT 'unfinished", None);
    }
}
