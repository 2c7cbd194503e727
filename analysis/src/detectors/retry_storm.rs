//! `retry_storm`: several layers repeat what failed, and attempts multiply.
//!
//! Three attempts in each of three layers are 27 calls where the trouble is. A service that is just slow gets many
//! times its usual load from callers that mean well, and stays down.
//!
//! | | |
//! |---|---|
//! | fires when | below attempts at a call there are attempts at another, so that one logical call becomes at least 4 at the innermost layer |
//! | not when | one layer alone repeats, however often; layers repeat different things beside each other |
//! | severity | high |
//! | wrong if | the inner calls are not made for the outer one |

use std::collections::BTreeMap;

use causeway_model::trace::Row;
use serde_json::{Value, json};

use super::attempts::Attempts;
use super::evidence::evidence;
use super::finding::{Draft, Fallacy, Findings};
use super::n_plus_one::callee;
use super::{Detector, Settings, Severity, Subject};
use crate::forms::CallKey;

/// Finds attempts that multiply.
#[derive(Debug)]
pub struct RetryStorm;

/// Thresholds of [`RetryStorm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryStormSettings {
    /// Layers that repeat, at least, 2.
    pub layers_min: usize,
    /// Innermost calls for one logical call, at least, 4.
    pub amplification_min: usize,
}

impl Default for RetryStormSettings {
    fn default() -> Self {
        Self { layers_min: 2, amplification_min: 4 }
    }
}

/// Innermost attempts of one kind below one outermost group.
#[derive(Debug, Default)]
struct Storm {
    rows: Vec<Row>,
    layers: usize,
    /// One of the innermost groups.
    inner: usize,
}

impl Detector for RetryStorm {
    fn id(&self) -> &'static str {
        "retry_storm"
    }

    fn rule_version(&self) -> u32 {
        1
    }

    fn fallacy(&self) -> Fallacy {
        Fallacy::NetworkIsReliable
    }

    fn summary(&self) -> &'static str {
        "Attempts that multiply because several layers repeat."
    }

    fn run(&self, subject: &Subject<'_, '_>, settings: &Settings, findings: &mut Findings) {
        let rule = &settings.retry_storm;
        let groups = &subject.attempts;
        if groups.len() < 2 {
            return;
        }
        let mut storms: Vec<(usize, Storm)> = storms(subject, groups)
            .into_iter()
            .map(|((outermost, _), storm)| (outermost, storm))
            .filter(|(_, storm)| {
                storm.layers >= rule.layers_min && storm.rows.len() >= rule.amplification_min
            })
            .collect();
        storms.sort_by_key(|(outermost, storm)| (std::cmp::Reverse(storm.rows.len()), *outermost));
        for (outermost, storm) in storms.iter().take(settings.findings_max) {
            let Some(outer) = groups.get(*outermost) else { continue };
            let Some(inner) = groups.get(storm.inner) else { continue };
            self.report(subject, outer, inner, storm, findings);
        }
    }
}

/// Innermost attempts by outermost group and call.
fn storms(subject: &Subject<'_, '_>, groups: &[Attempts]) -> BTreeMap<(usize, CallKey), Storm> {
    let trace = subject.trace;
    let mut group_of: Vec<Option<usize>> = vec![None; trace.len()];
    for (at, group) in groups.iter().enumerate() {
        for row in &group.rows {
            if let Some(place) = group_of.get_mut(row.idx()) {
                *place = Some(at);
            }
        }
    }
    // For each row: the outermost group above or at it, and how many groups that is. Parents come first.
    let mut layers: Vec<Option<(usize, usize)>> = vec![None; trace.len()];
    let mut has_inner = vec![false; groups.len()];
    let mut inside: Vec<Option<usize>> = vec![None; trace.len()];
    for row in trace.rows() {
        let parent = trace.parent(row).map(Row::idx);
        let above = parent.and_then(|parent| layers.get(parent).copied().flatten());
        let around = parent.and_then(|parent| inside.get(parent).copied().flatten());
        let own = group_of.get(row.idx()).copied().flatten();
        if let Some(flag) = own.and(around).and_then(|around| has_inner.get_mut(around)) {
            *flag = true;
        }
        let here = match (above, own) {
            (Some((outermost, count)), Some(_)) => Some((outermost, count + 1)),
            (None, Some(own)) => Some((own, 1)),
            (above, None) => above,
        };
        if let Some(place) = layers.get_mut(row.idx()) {
            *place = here;
        }
        if let Some(place) = inside.get_mut(row.idx()) {
            *place = own.or(around);
        }
    }
    let mut storms: BTreeMap<(usize, CallKey), Storm> = BTreeMap::new();
    for (at, group) in groups.iter().enumerate() {
        let first = group.rows.first().and_then(|row| layers.get(row.idx()).copied().flatten());
        let Some((outermost, count)) = first else { continue };
        if has_inner.get(at).copied().unwrap_or(true) {
            continue;
        }
        let storm = storms.entry((outermost, group.call.key)).or_default();
        storm.rows.extend(&group.rows);
        storm.layers = storm.layers.max(count);
        storm.inner = at;
    }
    storms
}

impl RetryStorm {
    fn report(
        &self,
        subject: &Subject<'_, '_>,
        outer: &Attempts,
        inner: &Attempts,
        storm: &Storm,
        findings: &mut Findings,
    ) {
        let trace = subject.trace;
        let (service, name) = (trace.service_text(outer.caller), trace.name_text(outer.caller));
        let inner_callee = storm.rows.first().map_or("", |row| subject.edge(None, *row).1);
        let count = storm.rows.len();
        let title = format!(
            "{service} {name}: one call becomes {count} of {}{}, as {} layers repeat",
            callee(&inner.call.callee),
            inner.call.template,
            storm.layers,
        );
        let layer = |of: &Attempts| -> Value {
            json!({"service": trace.service_text(of.caller), "template": of.call.template, "attempts": of.rows.len()})
        };
        let wasted_ns = storm.rows.iter().skip(1).map(|row| trace.duration_ns(*row)).sum();
        let evidence = evidence(
            title.clone(),
            "Each layer multiplies the load of the one below, and most where that is failing already.",
            "Repeat at one layer only, the one nearest to the failure, and give it a budget."
                .to_owned(),
            "The inner calls are not made on behalf of the outer one.",
            [
                ("amplification", count.into()),
                ("layers", storm.layers.into()),
                ("outer", layer(outer)),
                ("inner", layer(inner)),
            ],
        );
        findings.push(
            self,
            subject,
            Draft {
                title,
                group: vec![
                    &outer.call.template,
                    &inner.call.template,
                    &inner.call.callee,
                    service,
                ],
                caller: Some(outer.caller),
                rows: &storm.rows,
                edge: Some((service, inner_callee)),
                wasted_ns,
                severity: Some(Severity::High),
                evidence,
                ..Draft::default()
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::detectors::tests::of_detector;

    const NAME: &str = "retry_storm";

    fn nested(inner: &str) -> String {
        format!("web page server 0..2000
            web GET client 0..100 error x3/200 http.request.method=GET url.full=\"http://pay/pay\"
              pay pay server 5..95 error
                pay POST client 10..15 error {inner} http.request.method=POST url.full=\"https://bank/x\"")
    }

    #[test]
    fn three_times_three_are_nine() {
        let found = of_detector(&nested("x3/20"), NAME);
        assert_eq!(found.len(), 1, "{found:?}");
        let title = "web page: one call becomes 9 of bank POST /x, as 2 layers repeat";
        assert_eq!((found[0].title.as_str(), found[0].count), (title, 9));
        assert_eq!(found[0].evidence.value()["outer"]["attempts"], 3);
    }

    #[test]
    fn one_layer_alone_is_none() {
        let inner = "web page server 0..999\n web POST client 0..5 error x9/20 http.request.method=POST url.full=\"https://bank/x\"";
        assert_eq!(of_detector(inner, NAME), []);
        let outer = nested("").replace(" error  http", " http");
        assert_eq!(of_detector(&outer, NAME), []);
    }

    #[test]
    fn no_times_no_harm() {
        let text = nested("x3/20").replace("0..100", "?..?").replace("5..95", "9..1");
        assert_eq!(of_detector(&text, NAME).len(), 1);
    }
}
