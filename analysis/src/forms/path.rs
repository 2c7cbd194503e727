//! Paths, keys and names with their ids replaced.
//!
//! Used by the families of [forms](super) that have no better template. What looks like a value of one
//! occasion becomes `{id}`: numbers, UUIDs, hashes, ULIDs, base64, dates, e-mail addresses. All become the
//! same, because one call's ids may look different (`12345678` and `1234567a`). Words stay, also slugs and
//! names of people: only a route tells those from routes, and merging two routes would be a false alarm.

use std::ops::Range;

use super::sql::cut_at;

/// Longer paths, keys and names are formed from their first bytes, and end in `…`.
pub const PATH_BYTES_MAX: usize = 2048;

/// What replaces an id.
const ID: &str = "{id}";

/// Marks a form that was cut.
const CUT: char = '…';

/// Longest word of a segment that stays; longer ones are texts or tokens.
const WORD_BYTES_MAX: usize = 64;

/// The form of a URL's path: `/users/17/orders/?page=2` is `/users/{id}/orders`.
///
/// Query, fragment and path parameters (`;jsessionid=...`) do not count, nor do doubled and trailing slashes.
pub fn normal_path(path: &str) -> String {
    let mut out = String::new();
    push_path(path, &mut out);
    out
}

/// Appends the form of a path.
pub(super) fn push_path(path: &str, out: &mut String) {
    let end = path.bytes().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(path.len());
    let (path, is_cut) = cut_at(path.get(..end).unwrap_or_default(), PATH_BYTES_MAX);
    let start = out.len();
    let has_parameters = path.bytes().any(|byte| byte == b';');
    for mut segment in path.split('/').filter(|segment| !segment.is_empty()) {
        if has_parameters {
            segment = segment.split(';').next().unwrap_or_default();
        }
        if segment.is_empty() {
            continue;
        }
        let room = PATH_BYTES_MAX - CUT.len_utf8() - 1;
        let before = out.len();
        out.push('/');
        push_segment(segment, out);
        if out.len() - start > room {
            out.truncate(before);
            out.push('/');
            out.push(CUT);
            return;
        }
    }
    if is_cut {
        let last = out.get(start..).and_then(|form| form.rfind('/')).unwrap_or(0);
        // The last segment may be half an id.
        out.truncate(start + last);
        out.push('/');
        out.push(CUT);
    }
    if out.len() == start {
        out.push('/');
    }
}

/// Appends the form of a name or key: ids between `:`, `/`, `.`, `-`, `_`, spaces and the like are replaced.
pub(super) fn push_name(name: &str, out: &mut String) {
    let (name, is_cut) = cut_at(name, PATH_BYTES_MAX);
    let start = out.len();
    let mut last_start = start;
    for part in name.split_inclusive(['/', ' ']) {
        last_start = out.len();
        let word = part.strip_suffix(['/', ' ']).unwrap_or(part);
        push_segment(word, out);
        out.push_str(part.get(word.len()..).unwrap_or_default());
        if out.len() - start > PATH_BYTES_MAX - CUT.len_utf8() {
            out.truncate(last_start);
            out.push(CUT);
            return;
        }
    }
    if is_cut {
        // The last word may be half an id.
        out.truncate(last_start);
        out.push(CUT);
    }
}

/// Appends the form of one segment.
fn push_segment(segment: &str, out: &mut String) {
    // Most segments are one of these two, and all that follows would say the same.
    if is_short_word(segment) {
        out.push_str(segment);
    } else if segment.bytes().all(|byte| byte.is_ascii_digit()) && !segment.is_empty() {
        out.push_str(ID);
    } else if is_placeholder(segment) {
        out.push_str(segment);
    } else if is_id(segment) || has_escapes(segment) {
        out.push_str(ID);
    } else if segment.bytes().any(is_joint) {
        push_joined(segment, out);
    } else if segment.len() > WORD_BYTES_MAX {
        out.push_str(ID);
    } else {
        out.push_str(segment);
    }
}

/// Appends a segment of several words: `order-1234`, `user:17:cart`, `report.2024.pdf`.
fn push_joined(segment: &str, out: &mut String) {
    let mut rest = segment;
    while !rest.is_empty() {
        if let Some(uuid) = uuid_at(rest, 0) {
            out.push_str(ID);
            rest = rest.get(uuid.end..).unwrap_or_default();
            continue;
        }
        let end = rest.bytes().position(is_joint).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let in_compound = after.starts_with(['-', '_']) || out.ends_with(['-', '_']);
        // `step-2` and `step-3` are two routes; `order-1234` is one.
        let is_small = in_compound && word.len() < 3;
        let is_ours = out.ends_with('{') && after.starts_with('}');
        let is_value = || is_id(word) || word.len() > WORD_BYTES_MAX;
        if !is_short_word(word) && !is_small && !is_ours && is_value() {
            out.push_str(ID);
        } else {
            out.push_str(word);
        }
        let joint = after.get(..1).unwrap_or_default();
        out.push_str(joint);
        rest = after.get(joint.len()..).unwrap_or_default();
    }
}

/// Letters alone, too few for a hash or token.
fn is_short_word(text: &str) -> bool {
    text.len() < 16 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_joint(byte: u8) -> bool {
    matches!(
        byte,
        b':' | b'.'
            | b'-'
            | b'_'
            | b'='
            | b','
            | b'~'
            | b'|'
            | b'+'
            | b'!'
            | b'('
            | b')'
            | b'{'
            | b'}'
            | b'$'
            | b'*'
            | b'\''
            | b'"'
            | b'['
            | b']'
            | b'<'
            | b'>'
            | b'&'
            | b'#'
            | b'@'
            | b'?'
    )
}

/// Whether a segment is a template's own: `{id}`, `:id`, `<int:id>`, `*`.
fn is_placeholder(segment: &str) -> bool {
    segment == ID
        || segment.starts_with('{') && segment.ends_with('}')
        || segment.starts_with('<') && segment.ends_with('>')
        || segment.starts_with(':') && !segment.bytes().any(|byte| byte.is_ascii_digit())
}

/// Percent escapes stand for what people typed; only those of `{` and `}` are a template's.
fn has_escapes(segment: &str) -> bool {
    segment.as_bytes().windows(3).any(|window| match window {
        [b'%', high, low] => {
            high.is_ascii_hexdigit()
                && low.is_ascii_hexdigit()
                && !(*high == b'7' && matches!(low, b'B' | b'D' | b'b' | b'd'))
        }
        _ => false,
    })
}

/// What a text is made of.
#[derive(Default)]
struct Makeup {
    digits: usize,
    lower: usize,
    upper: usize,
    hex: usize,
    /// Signs that numbers and dates hold: `- + . , : _ T Z`.
    number_signs: usize,
    /// Signs that base64 and tokens hold.
    token_signs: usize,
    others: usize,
    /// How often the class of character changes.
    changes: usize,
    /// Digits after the last other character.
    trailing_digits: usize,
}

impl Makeup {
    fn of(text: &str) -> Self {
        let mut makeup = Self::default();
        let mut last_class = 0_u8;
        for byte in text.bytes() {
            let class = match byte {
                b'0'..=b'9' => {
                    makeup.digits += 1;
                    makeup.hex += 1;
                    1
                }
                b'a'..=b'z' => {
                    makeup.lower += 1;
                    makeup.hex += usize::from(byte <= b'f');
                    2
                }
                b'A'..=b'Z' => {
                    makeup.upper += 1;
                    makeup.hex += usize::from(byte <= b'F');
                    3
                }
                b'-' | b'+' | b'.' | b',' | b':' | b'_' => {
                    makeup.number_signs += 1;
                    4
                }
                b'=' | b'/' | b'~' => {
                    makeup.token_signs += 1;
                    5
                }
                _ => {
                    makeup.others += 1;
                    6
                }
            };
            makeup.trailing_digits = if class == 1 { makeup.trailing_digits + 1 } else { 0 };
            makeup.changes += usize::from(class != last_class);
            last_class = class;
        }
        makeup
    }
}

/// Whether a text looks like the value of one occasion: a number, UUID, hash, ULID, base64, date or e-mail.
///
/// Words, versions (`v2`, `oauth2`), slugs and camel case are not ids.
pub fn is_id(text: &str) -> bool {
    let len = text.len();
    let makeup = Makeup::of(text);
    let letters = makeup.lower + makeup.upper;
    if makeup.digits == 0 {
        return is_email(text, &makeup)
            || is_hash_of_letters(len, &makeup)
            || is_token(len, &makeup);
    }
    if makeup.others > 0 {
        return is_email(text, &makeup);
    }
    let is_number = letters == 0 && makeup.token_signs == 0;
    // 2024-01-31T10:00:00Z
    let is_time = makeup.digits >= 8
        && text.bytes().all(|byte| !byte.is_ascii_alphabetic() || matches!(byte, b'T' | b'Z'));
    if is_number || is_time || is_uuid(text) {
        return true;
    }
    if makeup.number_signs > 0 || makeup.token_signs > 0 {
        return is_token(len, &makeup);
    }
    let is_hex = makeup.hex == len && len >= 8;
    let is_mostly_digits = makeup.digits >= 3 && makeup.digits * 2 >= len;
    // Product and order codes: OLJCESPC7Z, 66VCHSJNUP.
    let is_code =
        makeup.lower == 0 && (len >= 10 || len >= 6 && makeup.trailing_digits < makeup.digits);
    let is_long = len >= 20 && makeup.digits >= 4;
    is_hex || is_mostly_digits || is_code || is_long || is_token(len, &makeup)
}

/// Long hashes that happen to hold no digit.
fn is_hash_of_letters(len: usize, makeup: &Makeup) -> bool {
    len >= 24 && makeup.hex == len
}

/// base64, JWT, KSUID, nanoid: long, and of ever-changing classes.
fn is_token(len: usize, makeup: &Makeup) -> bool {
    // One character in six of base64 is a digit; a name of code has a digit or two at most.
    let has_digits = makeup.digits * 16 >= len || makeup.token_signs > 0;
    let is_mixed = makeup.upper > 0 && makeup.lower > 0 && has_digits;
    // Camel case changes about twice in five letters, base64 three times.
    let is_restless = makeup.changes * 2 >= len || makeup.digits >= 4 && makeup.changes * 3 >= len;
    makeup.others == 0 && len >= 16 && is_mixed && is_restless
}

fn is_email(text: &str, makeup: &Makeup) -> bool {
    makeup.others == 1
        && text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && host
                    .split_once('.')
                    .is_some_and(|(name, tld)| !name.is_empty() && !tld.is_empty())
        })
}

fn is_uuid(text: &str) -> bool {
    uuid_at(text, 0).is_some_and(|range| range.end == text.len())
}

/// Where a UUID with dashes stands if one begins at `start` and no letter or digit touches it.
pub(super) fn uuid_at(text: &str, start: usize) -> Option<Range<usize>> {
    const UUID_BYTES: usize = 36;
    let bytes = text.as_bytes();
    let uuid = bytes.get(start..start.checked_add(UUID_BYTES)?)?;
    let is_form = uuid.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let touches =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let end = start + UUID_BYTES;
    (is_form && !touches(start.checked_sub(1)) && !touches(Some(end))).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        assert_eq!(normal_path(path), expected, "{path}");
        assert_eq!(normal_path(expected), expected);
    }

    #[test]
    fn ids_are_replaced() {
        for id in [
            "1",
            "007",
            "-1",
            "12345678",
            "1234567a",
            "550e8400-e29b-41d4-a716-446655440000",
            "550E8400E29B41D4A716446655440000",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "2024-01-31",
            "2024-01-31T10:00:00Z",
            "20240131",
            "joe@example.com",
            "joe%40example.com",
            "37.87,-122.043",
            "OLJCESPC7Z",
            "66VCHSJNUP",
            "1YMWWN1N4O",
            "D1345",
            "567xyz",
            "507f1f77bcf86cd799439011",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "dGhpcyBpcyBhIHRlc3Q9PQ",
            "V1StGXR8_Z5jdHi6B-myT",
            "0ujtsYcgvSTl8PAuAdqWYSMnLOv",
            "a%20b%20c",
        ] {
            check(&format!("/x/{id}/y"), "/x/{id}/y");
        }
    }

    #[test]
    fn words_stay() {
        for path in [
            "/",
            "/api/v1/users",
            "/oauth2/token",
            "/api/v2beta1/things",
            "/ipv4",
            "/step-2",
            "/utf8",
            "/getUserBySsoToken",
            "/api/proxied/smartapps",
            "/facade",
            "/deadline",
            "/users/me",
            "/orders/{orderId}/items/:item",
            "/users/<int:id>",
            "/a/*",
            "/my-long-slug-about-things",
            "/api/v1/orderOtherService/orderOther/tickets",
            "/internationalization",
            "/wrk2-api/review/compose",
            "/spinner-sm.png",
            "/com.example.Service/Method",
            "/_uuid_",
            "/café",
            "/PrepareOrderItemsAndShippingQuoteFromCart",
            "/getUserById2AndAllOtherThingsToo",
        ] {
            check(path, path);
        }
    }

    #[test]
    fn queries_parameters_and_slashes_do_not_count() {
        check("/hotels?inDate=2015-04-18&lat=37.87", "/hotels");
        check("//a///b/", "/a/b");
        check("/a;jsessionid=8F3A/b#top", "/a/b");
        check("", "/");
        check("/user_uuid:567xyz", "/user_uuid:{id}");
        check("/orders/order-123456/x", "/orders/order-{id}/x");
        check("/assets/app.8f3a9c01.js", "/assets/app.{id}.js");
        check("/d/1/2/3", "/d/{id}/{id}/{id}");
    }

    #[test]
    fn long_paths_end_in_a_marker() {
        let at_limit = format!("/{}", "w".repeat(50)).repeat(40);
        check(&at_limit, &at_limit);
        let long = "/abc".repeat(PATH_BYTES_MAX);
        let form = normal_path(&long);
        assert!(form.ends_with("/…") && form.len() <= PATH_BYTES_MAX, "{}", form.len());
        assert_eq!(normal_path(&form), form);
    }
}
