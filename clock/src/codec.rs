//! The text form of stamps: what stands in span attributes, and what headers carry.
//!
//! ```text
//! stamp   = node ":" hlc [ "+" lead ]
//! node    = 16LHEX        ; not all zero
//! hlc     = 16LHEX        ; 1 to 7fffffffffffffff
//! lead    = 1*16LHEX      ; nanoseconds, no leading zero, absent means 0, at most hlc
//! LHEX    = %x30-39 / %x61-66
//! carried = "1:" stamp    ; the version stands in front only where a stamp travels
//! ```
//!
//! There is exactly one text for a stamp, so equal stamps are equal texts, and texts of one node
//! sort by `hlc`. Nothing but this grammar is accepted.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use crate::{NodeId, Stamp};

/// Digits of a node id and of an `hlc`, and the most a lead may have.
const DIGITS: usize = 16;

/// Why a text is no stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum StampError {
    /// What was carried is of a version that this crate does not know.
    #[error("the version of the stamp is not 1")]
    Version,
    /// There is no colon behind the node id.
    #[error("the stamp has no colon between node and hlc")]
    Colon,
    /// The node id is not 16 digits of lower-case hexadecimal.
    #[error("the node id is not 16 lower-case hexadecimal digits")]
    Node,
    /// The node id is zero, which names no node.
    #[error("the node id is zero")]
    NodeZero,
    /// The `hlc` is not 16 digits of lower-case hexadecimal.
    #[error("the hlc is not 16 lower-case hexadecimal digits")]
    Hlc,
    /// The `hlc` is zero or above 2^63-1.
    #[error("the hlc is not between 1 and 7fffffffffffffff")]
    HlcRange,
    /// The lead is not 1 to 16 digits of lower-case hexadecimal, the first one not zero.
    #[error("the lead is not 1 to 16 lower-case hexadecimal digits without a leading zero")]
    Lead,
    /// The wall clock of the node would have stood before 1970.
    #[error("the lead is greater than the hlc")]
    LeadRange,
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for NodeId {
    type Err = StampError;

    fn from_str(text: &str) -> Result<Self, StampError> {
        let value = fixed_hex(text).ok_or(StampError::Node)?;
        NonZeroU64::new(value).map(Self).ok_or(StampError::NodeZero)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:016x}", self.node, self.hlc)?;
        if self.lead == 0 { Ok(()) } else { write!(f, "+{:x}", self.lead) }
    }
}

impl FromStr for Stamp {
    type Err = StampError;

    fn from_str(text: &str) -> Result<Self, StampError> {
        let (node, time) = split(text, ':').ok_or(StampError::Colon)?;
        let node = node.parse()?;
        let (hlc, lead) = match split(time, '+') {
            Some((hlc, lead)) => (hlc, Some(lead)),
            None => (time, None),
        };
        let hlc = fixed_hex(hlc).ok_or(StampError::Hlc)?;
        let hlc = i64::try_from(hlc).ok().filter(|hlc| *hlc > 0).ok_or(StampError::HlcRange)?;
        let lead = lead.map_or(Ok(0), |lead| lead_of(lead, hlc))?;
        Ok(Self { node, hlc, lead })
    }
}

/// What stands before and behind a character: mostly behind the digits of a number, so there is nothing to look for.
fn split(text: &str, at: char) -> Option<(&str, &str)> {
    match text.split_at_checked(DIGITS) {
        Some((_, "")) => None,
        Some((number, rest)) if rest.starts_with(at) => Some((number, rest.get(1..)?)),
        _ => text.split_once(at),
    }
}

fn lead_of(text: &str, hlc: i64) -> Result<i64, StampError> {
    if text.is_empty() || text.starts_with('0') || text.len() > DIGITS {
        return Err(StampError::Lead);
    }
    let lead = hex(text).ok_or(StampError::Lead)?;
    i64::try_from(lead).ok().filter(|lead| *lead <= hlc).ok_or(StampError::LeadRange)
}

/// A stamp as messages carry it: `1:` and the stamp. At most 52 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Carried(pub Stamp);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1:{}", self.0)
    }
}

impl FromStr for Carried {
    type Err = StampError;

    fn from_str(text: &str) -> Result<Self, StampError> {
        text.strip_prefix("1:").ok_or(StampError::Version)?.parse().map(Self)
    }
}

fn fixed_hex(text: &str) -> Option<u64> {
    if text.len() == DIGITS { hex(text) } else { None }
}

/// At most 16 digits. Unlike `u64::from_str_radix`, takes neither a sign nor upper case.
fn hex(text: &str) -> Option<u64> {
    let mut value = 0;
    // Bits above those of a digit, once one is none.
    let mut wrong = 0;
    for byte in text.bytes() {
        let digit = NIBBLES.get(usize::from(byte)).copied().unwrap_or(NO_NIBBLE);
        wrong |= digit;
        value = value << 4 | u64::from(digit);
    }
    (wrong < 16).then_some(value)
}

const NO_NIBBLE: u8 = 0xf0;

/// The value of each byte as a digit.
const NIBBLES: [u8; 256] = {
    let mut values = [NO_NIBBLE; 256];
    let digits = *b"0123456789abcdef";
    let mut value = 0;
    while value < digits.len() {
        values[digits[value] as usize] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stamp() -> impl Strategy<Value = Stamp> {
        (1..=u64::MAX, 1..=i64::MAX).prop_flat_map(|(node, hlc)| {
            let lead = prop_oneof![Just(0), Just(hlc), 0..=hlc, 0..=hlc.min(1_000_000)];
            lead.prop_map(move |lead| Stamp {
                node: NodeId(NonZeroU64::new(node).expect("drawn from 1 on")),
                hlc,
                lead,
            })
        })
    }

    /// Near misses: parts of the grammar in the wrong place, number or case.
    fn almost_a_stamp() -> impl Strategy<Value = String> {
        let part = "[0-9a-f]{16}|[0-9a-fA-F]{0,17}|[:+]|0{16}|1:|[78]0{15}";
        proptest::collection::vec(part, 0..7).prop_map(|parts| parts.concat())
    }

    /// The grammar, written a second time and in another way.
    fn is_in_grammar(text: &str) -> bool {
        let bytes = text.as_bytes();
        let is_hex = |bytes: &[u8]| bytes.iter().all(|byte| b"0123456789abcdef".contains(byte));
        if bytes.len() < 33 || bytes[16] != b':' || !is_hex(&bytes[..16]) || !is_hex(&bytes[17..33])
        {
            return false;
        }
        let (node, hlc) = (&text[..16], &text[17..33]);
        let lead = &text[33..];
        let is_lead_good = lead.is_empty() || {
            let digits = lead.strip_prefix('+').unwrap_or("");
            (1..=16).contains(&digits.len())
                && is_hex(digits.as_bytes())
                && !digits.starts_with('0')
                && format!("{digits:0>16}").as_str() <= hlc
        };
        node != "0000000000000000"
            && hlc != "0000000000000000"
            && hlc < "8000000000000000"
            && is_lead_good
    }

    proptest! {
        #[test]
        fn a_stamp_comes_back_from_its_text(stamp in stamp()) {
            let text = stamp.to_string();
            prop_assert!(is_in_grammar(&text), "{text}");
            prop_assert!(text.len() <= 50, "{text}");
            prop_assert_eq!(text.parse(), Ok(stamp));
            prop_assert_eq!(Carried(stamp).to_string().parse(), Ok(Carried(stamp)));
        }

        #[test]
        fn only_the_grammar_is_accepted(text in almost_a_stamp()) {
            let parsed = text.parse::<Stamp>();
            prop_assert_eq!(parsed.is_ok(), is_in_grammar(&text), "{}", text);
            if let Ok(stamp) = parsed {
                prop_assert_eq!(stamp.to_string(), text);
            }
        }

        #[test]
        fn a_changed_character_is_accepted_only_by_the_grammar(
            stamp in stamp(), at in 0_usize..52, new in any::<char>(),
        ) {
            let mut text: Vec<char> = stamp.to_string().chars().collect();
            if let Some(old) = text.get_mut(at) {
                *old = new;
            }
            let text: String = text.into_iter().collect();
            prop_assert_eq!(text.parse::<Stamp>().is_ok(), text.is_ascii() && is_in_grammar(&text));
        }

        #[test]
        fn any_text_at_all_is_answered(text in ".*") {
            prop_assert!(text.parse::<Stamp>().is_err());
            prop_assert!(text.parse::<Carried>().is_err());
        }
    }
}
