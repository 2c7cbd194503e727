//! Trace and span ids: bytes in storage, lower-case hex for people.
//!
//! Ids are parsed leniently (any case, leading zeros optional, as the compatible APIs ask) and
//! always printed in one form. All-zero ids are invalid in OTLP and are refused at admission.

use std::fmt;
use std::str::FromStr;

/// Identifies a trace: 16 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub [u8; 16]);

/// Identifies a span within its trace: 8 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(pub [u8; 8]);

/// Text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id of at most {digits_max} hex digits")]
pub struct IdError {
    text: String,
    digits_max: usize,
}

/// Reads 1 to `2 * N` hex digits of any case, filled with zeros on the left.
fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    let error = || IdError { text: text.chars().take(64).collect(), digits_max: 2 * N };
    if text.is_empty() || text.len() > 2 * N {
        return Err(error());
    }
    let mut bytes = [0u8; N];
    for (place, digit) in text.bytes().rev().enumerate() {
        let nibble = char::from(digit).to_digit(16).ok_or_else(error)?;
        let byte = bytes.iter_mut().rev().nth(place / 2).ok_or_else(error)?;
        *byte |= (nibble as u8) << (4 * (place % 2));
    }
    Ok(bytes)
}

/// Appends the lower-case hex form of `bytes` to `out`.
pub fn push_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
}

/// Lower-case hex of any bytes.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    push_hex(bytes, &mut out);
    out
}

/// Bytes of an even number of hex digits in any case; `None` for anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Option<Vec<u8>> =
        text.bytes().map(|b| char::from(b).to_digit(16).map(|d| d as u8)).collect();
    Some(digits?.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | d)).collect())
}

macro_rules! id_text {
    ($id:ty) => {
        impl FromStr for $id {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex(text).map(Self)
            }
        }
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }
        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
id_text!(TraceId);
id_text!(SpanId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_case_and_missing_zeros_are_read() {
        let id: TraceId = "ABCdef".parse().expect("hex");
        assert_eq!(id.to_string(), "00000000000000000000000000abcdef");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn what_is_not_hex_or_too_long_is_an_error() {
        assert!("".parse::<SpanId>().is_err());
        assert!("xyz".parse::<SpanId>().is_err());
        assert!("00000000000000001".parse::<SpanId>().is_err());
        assert!("é".parse::<SpanId>().is_err());
    }

    #[test]
    fn unhex_needs_whole_bytes() {
        assert_eq!(unhex("0aFF"), Some(vec![10, 255]));
        assert_eq!(unhex("0aF"), None);
    }
}
