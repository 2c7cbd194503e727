//! What a benchmark measured: named numbers in order, and what it found to be wrong.

use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::time::Duration;

use crate::latency::Latency;
use crate::machine::Machine;

/// Most faults that a report lists; their number is always told.
const WRONG_LISTED_MAX: usize = 10;

/// One row of a report.
#[derive(Debug, Clone, PartialEq)]
struct Figure {
    what: String,
    value: f64,
    decimals: usize,
}

/// The rows of a report.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    figures: Vec<Figure>,
    wrong: Vec<String>,
    wrong_count: usize,
}

impl Figures {
    /// Adds a number, told with some decimals.
    pub(crate) fn add(&mut self, what: impl Into<String>, value: f64, decimals: usize) {
        self.figures.push(Figure { what: what.into(), value, decimals });
    }

    /// Adds a number of things.
    pub(crate) fn count(&mut self, what: impl Into<String>, count: impl TryInto<u64>) {
        self.add(what, count.try_into().unwrap_or(u64::MAX) as f64, 0);
    }

    /// Adds a time in milliseconds.
    pub(crate) fn ms(&mut self, what: impl Into<String>, time: Duration) {
        self.add(format!("{}, ms", what.into()), time.as_secs_f64() * 1e3, 2);
    }

    /// Adds a time for each span, in microseconds.
    pub(crate) fn us_per_span(&mut self, what: impl Into<String>, time: Duration, spans: usize) {
        let per_span = time.as_secs_f64() * 1e6 / spans.max(1) as f64;
        self.add(format!("{}, us of CPU per span", what.into()), per_span, 3);
    }

    /// Adds the percentiles of some times.
    pub(crate) fn percentiles(&mut self, what: &str, latency: Latency) {
        self.ms(format!("{what}, p50"), latency.p50);
        self.ms(format!("{what}, p95"), latency.p95);
        self.ms(format!("{what}, p99"), latency.p99);
        self.ms(format!("{what}, max"), latency.max);
    }

    /// Adds all rows of another report.
    pub(crate) fn extend(&mut self, others: Self) {
        self.figures.extend(others.figures);
        self.wrong.extend(others.wrong);
        self.wrong.truncate(WRONG_LISTED_MAX);
        self.wrong_count += others.wrong_count;
    }

    /// Notes an answer that is not what it must be: its figures are void.
    pub(crate) fn wrong(&mut self, fault: impl Into<String>) {
        self.wrong_count += 1;
        if self.wrong.len() < WRONG_LISTED_MAX {
            self.wrong.push(fault.into());
        }
    }

    /// Notes a fault unless something holds.
    pub(crate) fn check(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.wrong(fault());
        }
    }

    /// The same rows, named after what they belong to.
    pub(crate) fn named(mut self, name: &str) -> Self {
        for figure in &mut self.figures {
            figure.what = format!("{name}: {}", figure.what);
        }
        self
    }

    /// The first faults.
    pub(crate) fn faults(&self) -> &[String] {
        &self.wrong
    }

    /// The number of faults.
    pub(crate) fn wrong_count(&self) -> usize {
        self.wrong_count
    }

    /// Names and values.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, f64)> {
        self.figures.iter().map(|figure| (figure.what.as_str(), figure.value))
    }

    /// The value of a row, if there is one.
    pub(crate) fn value(&self, what: &str) -> Option<f64> {
        self.values().find(|(name, _)| *name == what).map(|(_, value)| value)
    }

    /// The whole report.
    pub(crate) fn report(&self, title: &str, data_dir: &Path) -> String {
        format!("# {title}\n\nOn {}.\n{self}", Machine::here(data_dir))
    }
}

impl Display for Figures {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if cfg!(debug_assertions) {
            writeln!(out, "**The benchmark was built without optimisation.**")?;
        }
        writeln!(out, "\n| what | value |\n|---|---:|")?;
        for Figure { what, value, decimals } in &self.figures {
            writeln!(out, "| {what} | {value:.decimals$} |")?;
        }
        writeln!(out, "| answers that were wrong | {} |", self.wrong_count)?;
        for fault in &self.wrong {
            writeln!(out, "\n**Wrong: {fault}**")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_order_and_faults_are_counted() {
        let mut figures = Figures::default();
        figures.count("spans", 3_usize);
        figures.us_per_span("server", Duration::from_micros(9), 3);
        figures.ms("lookup", Duration::from_micros(1_500));
        for at in 0..12 {
            figures.check(at == 0, || format!("fault {at}"));
        }
        assert_eq!(figures.value("lookup, ms"), Some(1.5));
        assert_eq!(figures.value("lookup"), None);
        let text = figures.to_string();
        assert!(text.contains(
            "| spans | 3 |\n| server, us of CPU per span | 3.000 |\n| lookup, ms | 1.50 |"
        ));
        assert!(text.contains("| answers that were wrong | 11 |"), "{text}");
        assert!(text.contains("fault 10") && !text.contains("fault 11"), "{text}");
    }
}
