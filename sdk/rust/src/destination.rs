//! Destinations that never get a stamp: known by name, or marked in the context.

use opentelemetry::Context;

/// Marks a context whose requests must not be stamped.
#[derive(Debug)]
struct Unstamped;

/// A context like the given one; what is injected from it carries no stamp, neither ours nor one
/// that was received.
pub fn without_stamp(cx: &Context) -> Context {
    cx.with_value(Unstamped)
}

pub(crate) fn is_marked(cx: &Context) -> bool {
    cx.get::<Unstamped>().is_some()
}

/// Hosts, each with its subdomains.
#[derive(Debug, Default)]
pub(crate) struct Destinations(Vec<String>);

impl Destinations {
    pub(crate) fn new(hosts: Vec<String>) -> Self {
        Self(hosts.into_iter().map(|host| normal(&host)).collect())
    }

    pub(crate) fn contains(&self, host: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let host = normal(host);
        self.0.iter().any(|listed| {
            host.strip_suffix(listed.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

fn normal(host: &str) -> String {
    host.trim_end_matches('.').trim_start_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stands_for_its_subdomains() {
        let hosts = Destinations::new(vec!["Partner.example".to_owned(), "10.0.0.1".to_owned()]);
        for host in ["partner.example", "api.partner.EXAMPLE", "partner.example.", "10.0.0.1"] {
            assert!(hosts.contains(host), "{host}");
        }
        for host in ["example", "otherpartner.example", "partner.example.org", "110.0.0.1", ""] {
            assert!(!hosts.contains(host), "{host}");
        }
        assert!(!Destinations::default().contains("partner.example"));
    }
}
