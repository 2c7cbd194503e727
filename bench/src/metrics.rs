//! Counters of a running server, from its `/metrics`.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::http::Client;

/// Samples by name, those of one name with different labels added up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads all samples of a server.
    pub(crate) fn of(http: &str) -> Result<Self> {
        let answer = Client::new(http).get("/metrics", "*/*")?;
        ensure!(answer.status == 200, "/metrics answers {}", answer.status);
        Ok(Self::parse(&String::from_utf8_lossy(&answer.body)))
    }

    /// The sum of a name's samples; none if the server has no such metric.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// What was added since an earlier reading, for the names that contain something.
    pub(crate) fn since(&self, earlier: &Self, about: &str) -> Vec<(&str, f64)> {
        let named = self.0.iter().filter(|(name, _)| name.contains(about));
        // The bounds of a histogram are of no use as a sum.
        let named = named.filter(|(name, _)| !name.ends_with("_bucket"));
        named.map(|(name, now)| (name.as_str(), now - earlier.value(name).unwrap_or(0.0))).collect()
    }

    fn parse(text: &str) -> Self {
        let mut samples = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            // A label's value may hold anything, so the value is what follows the last brace.
            let (name, value) = match (line.find('{'), line.rfind('}')) {
                (Some(open), Some(close)) if open < close => (&line[..open], &line[close + 1..]),
                _ => line.split_once(' ').unwrap_or((line, "")),
            };
            if let Some(Ok(value)) = value.split_whitespace().next().map(str::parse::<f64>) {
                *samples.entry(name.to_owned()).or_default() += value;
            }
        }
        Self(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_one_name_are_added() {
        let before = Metrics::parse("a_total{kind=\"x y\"} 1\n# HELP a text 9\n");
        let after = Metrics::parse(
            "a_total{kind=\"x } y\"} 2\na_total{kind=\"z\"} 3.5 1234\nb 1e3\n# EOF\n",
        );
        assert_eq!(after.value("a_total"), Some(5.5));
        assert_eq!(after.value("b"), Some(1000.0));
        assert_eq!(after.value("c"), None);
        assert_eq!(after.since(&before, "_tot"), [("a_total", 4.5)]);
    }
}
