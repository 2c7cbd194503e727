//! Stamps in responses: the HTTP header `Server-Timing`, and metadata of gRPC.
//!
//! ```text
//! Server-Timing: db;dur=53.2, hlc;desc="1:a11ce00000000001:18b3d491c318ed18"
//! hlc: 1:a11ce00000000001:18b3d491c318ed18
//! ```
//!
//! `Server-Timing` is a header that any number of parties add metrics to, in one line or several.
//! A response that came through a server which passes headers on may carry several stamps; each of
//! them is true.

use crate::{Carried, Stamp};

/// The HTTP header, in the spelling that header maps use.
pub const HTTP_HEADER: &str = "server-timing";
/// The key of gRPC metadata; its value is a [`Carried`] stamp.
pub const GRPC_KEY: &str = "hlc";
/// The metric within the header.
const METRIC: &str = "hlc";
/// The parameter of the metric.
const PARAMETER: &str = "desc";
/// How many stamps of a response are looked at: as many as a span keeps.
pub const STAMPS_MAX: usize = 8;

/// The metric for `Server-Timing`, to be appended to what the header holds.
pub fn metric(stamp: Stamp) -> String {
    format!("{METRIC};{PARAMETER}=\"{}\"", Carried(stamp))
}

/// The value of `Server-Timing` with a stamp behind the metrics it holds.
pub fn with_stamp(server_timing: &str, stamp: Stamp) -> String {
    let before = server_timing.trim_matches([' ', '\t', ',']);
    let separator = if before.is_empty() { "" } else { ", " };
    format!("{before}{separator}{}", metric(stamp))
}

/// What the stamps in a value of `Server-Timing` carry, for [`Clock::receive`](crate::Clock::receive).
pub fn carried(server_timing: &str) -> impl Iterator<Item = &str> {
    split_unquoted(server_timing, b',').filter_map(described).take(STAMPS_MAX)
}

/// The description of our metric.
fn described(metric: &str) -> Option<&str> {
    let mut parts = split_unquoted(metric, b';');
    if parts.next() != Some(METRIC) {
        return None;
    }
    let description = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim_end().eq_ignore_ascii_case(PARAMETER).then(|| value.trim_start())
    })?;
    let unquoted = description.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Some(unquoted.unwrap_or(description))
}

/// Splits at a separator, but not within quotes; pieces come without white space around them.
fn split_unquoted(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, behind) = match unquoted_position(text, separator) {
            Some(at) => (text.get(..at)?, text.get(at + 1..)),
            None => (text, None),
        };
        rest = behind;
        Some(piece.trim_matches([' ', '\t']))
    })
}

fn unquoted_position(text: &str, wanted: u8) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.bytes().position(|byte| {
        let is_literal = is_escaped;
        is_escaped = is_quoted && !is_literal && byte == b'\\';
        if byte == b'"' && !is_literal {
            is_quoted = !is_quoted;
        }
        byte == wanted && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use proptest::prelude::*;

    use super::*;
    use crate::NodeId;

    const STAMP: Stamp = Stamp {
        node: NodeId(NonZeroU64::new(0xa11c_e000_0000_0001).expect("not zero")),
        hlc: 0x18b3_d491_c318_ed18,
        lead: 0x10,
    };
    const CARRIED: &str = "1:a11ce00000000001:18b3d491c318ed18+10";

    fn check(header: &str, expected: &[&str]) {
        assert_eq!(carried(header).collect::<Vec<_>>(), expected, "{header}");
    }

    #[test]
    fn a_stamp_is_found_among_other_metrics() {
        check(&metric(STAMP), &[CARRIED]);
        check(&with_stamp("db;dur=53.2", STAMP), &[CARRIED]);
        check(&with_stamp("cache;desc=\"a, hlc;desc=\\\"1:x\\\"\", db", STAMP), &[CARRIED]);
        check("hlc ; dur=1 ; DESC = \"1:x\" ; desc=\"1:y\"", &["1:x"]);
        check("hlc;desc=1:bare,hlc;desc=\"1:b\"", &["1:bare", "1:b"]);
        check("", &[]);
        check("hlc", &[]);
        check("hlc;dur=3", &[]);
        check("xhlc;desc=\"1:x\", hlc2;desc=\"1:x\", db;desc=\"hlc\"", &[]);
        check("hlc;desc=\"1:x", &["\"1:x"]);
    }

    #[test]
    fn metrics_are_appended() {
        let metric = metric(STAMP);
        assert_eq!(metric, format!("hlc;desc=\"{CARRIED}\""));
        assert_eq!(with_stamp("", STAMP), metric);
        assert_eq!(with_stamp("db;dur=53.2", STAMP), format!("db;dur=53.2, {metric}"));
        assert_eq!(with_stamp("db, ", STAMP), format!("db, {metric}"));
    }

    #[test]
    fn a_response_full_of_stamps_is_read_to_the_limit() {
        let header = vec![metric(STAMP); STAMPS_MAX + 1].join(",");
        assert_eq!(carried(&header).count(), STAMPS_MAX);
    }

    proptest! {
        #[test]
        fn any_text_at_all_is_answered(text in ".*|([\"\\\\;,= ]|hlc|desc|é){0,30}") {
            prop_assert!(carried(&text).count() <= STAMPS_MAX);
        }
    }
}
