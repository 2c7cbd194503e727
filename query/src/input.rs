//! How callers write times, durations and ids.

use std::time::{SystemTime, UNIX_EPOCH};

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;

use crate::error::{QueryError, Result};

/// An id in any case, leading zeros optional.
pub(crate) fn id<T: std::str::FromStr>(text: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| QueryError::bad_request(error.to_string()))
}

/// RFC 3339, Unix nanoseconds, `now`, or relative to now as in `-1h`.
pub(crate) fn time(text: &str) -> Result<i64> {
    let wrong = || {
        QueryError::bad_request(format!(
            "{text:?} is not a time: use RFC 3339, Unix nanoseconds, or relative as in -1h"
        ))
    };
    if text == "now" {
        return Ok(now());
    }
    if let Ok(nanos) = text.parse::<u64>() {
        // Times above 2^63-1 count as unusable, so nothing starts after this one.
        return Ok(i64::try_from(nanos).unwrap_or(i64::MAX));
    }
    if let Some(ago) = text.strip_prefix("now-").or_else(|| text.strip_prefix('-')) {
        return Ok(now().saturating_sub(duration(ago).map_err(|_| wrong())?));
    }
    string_to_timestamp_nanos(text).map_err(|_| wrong())
}

/// A time of the past: as [`time`], or how long ago, as in `7d`.
pub(crate) fn since(text: &str) -> Result<i64> {
    match duration(text) {
        Ok(ago) if text.parse::<u64>().is_err() => Ok(now().saturating_sub(ago)),
        _ => time(text),
    }
}

/// Unix nanoseconds now.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

/// A duration with its unit, as in `10ms` or `1.5s`; nanoseconds without one.
pub(crate) fn duration(text: &str) -> Result<i64> {
    const UNITS: &[(&str, f64)] = &[
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 60e9),
        ("h", 3600e9),
        ("d", 86_400e9),
    ];
    let wrong = || {
        QueryError::bad_request(format!(
            "{text:?} is not a duration: use a number and ns, us, ms, s, m, h or d"
        ))
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if unit.is_empty() {
        return number.parse().map_err(|_| wrong());
    }
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    // Whole numbers of small units are exact; fractions are rounded to nanoseconds.
    let nanos = number.parse::<f64>().map_err(|_| wrong())? * factor;
    Ok(nanos.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let check =
            |text: &str, expected: Option<i64>| assert_eq!(duration(text).ok(), expected, "{text}");
        check("10ms", Some(10_000_000));
        check("1.5s", Some(1_500_000_000));
        check("2m", Some(120_000_000_000));
        check("250us", Some(250_000));
        check("7", Some(7));
        check("", None);
        check("ms", None);
        check("1 fortnight", None);
    }

    #[test]
    fn times_are_absolute_or_relative() {
        assert_eq!(time("1700000000000000001").ok(), Some(1_700_000_000_000_000_001));
        assert_eq!(time("2023-11-14T22:13:20.000000001Z").ok(), Some(1_700_000_000_000_000_001));
        let Ok(hour_ago) = time("-1h") else { panic!("relative times are read") };
        assert!((now() - hour_ago - 3_600_000_000_000).abs() < 1_000_000_000);
        assert!(time("yesterday").is_err());
        assert!(time("-").is_err());
    }
}
