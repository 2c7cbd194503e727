//! Plays every case in every world and compares what is found with what is right.
//!
//! | world | what is done to the case's spans | what must hold |
//! |---|---|---|
//! | plain | nothing; times as sent, or aligned if the rule asks for bounds | the findings are those the case tells: which spans, whose call, how many |
//! | rough | noise, some of it lost; aligned | the same |
//! | late | the rough world in random order, in ten batches, with copies | findings and summary equal those of the rough world in every field |
//! | skewed | the rough world with every clock up to 10 s off, late as well | findings that do not depend on clocks are the same: identity, group, spans, caller, severity |
//!
//! Rules that are about times of several clocks are judged with the skews their cases bring and not in the last world.

use std::collections::BTreeSet;

use causeway_analysis::detectors::{Finding, SPAN_IDS_MAX};

use super::Error;
use super::case::{Case, Expected, Labelled, Level};
use super::random::Random;
use super::run::{Seen, seen};
use super::sent::{noise, one_batch, sent, shuffled_batches, skew, trace_id};

/// Seeds of the worlds of single traces; windows, which hold many traces each, are played with the first.
const SEEDS: [u64; 2] = [11, 12];

/// Rules whose findings depend on the clocks of several processes.
pub(crate) const CLOCK_RULES: [&str; 7] = [
    "queue_wait",
    "impossible_order",
    "broken_stamps",
    "clock_offset",
    "clock_step",
    "clock_drift",
    "coarse_clock",
];

/// How many cases of a detector came out right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) fires_right: usize,
    pub(crate) fires: usize,
    pub(crate) near_right: usize,
    pub(crate) near: usize,
    /// What was wrong, a line each.
    pub(crate) wrong: Vec<String>,
}

/// Judges all cases of a detector.
pub(crate) fn score(labelled: &Labelled) -> Result<Score, Error> {
    let mut score = Score { wrong: labelled.broken.clone(), ..Score::default() };
    for case in &labelled.cases {
        let wrong = judge(labelled, case)?;
        let is_right = usize::from(wrong.is_empty());
        if case.must_fire {
            score.fires += 1;
            score.fires_right += is_right;
        } else {
            score.near += 1;
            score.near_right += is_right;
        }
        let name = format!("{}, {}", labelled.detector, case.name);
        score.wrong.extend(wrong.into_iter().map(|wrong| format!("{name}, {wrong}")));
    }
    Ok(score)
}

/// What is wrong with the answers to a case.
fn judge(labelled: &Labelled, case: &Case) -> Result<Vec<String>, Error> {
    let level = labelled.level;
    let mut wrong = Vec::new();
    let mut check = |world: &str, seen: &Seen| wrong.extend(answer(labelled, case, world, seen));
    let plain = sent(case);
    check("plain", &seen(&one_batch(&plain)?, level, labelled.needs_alignment)?);
    let seeds = if level == Level::Trace { SEEDS.as_slice() } else { &SEEDS[..1] };
    let mut differing = Vec::new();
    let has_messages = level != Level::Clocks && labelled.detector != "queue_wait";
    for seed in seeds {
        let mut random = Random::of(*seed, &case.name);
        let mut rough = plain.clone();
        rough.extend(noise(case, has_messages, &mut random));
        let at_once = seen(&one_batch(&rough)?, level, true)?;
        check("rough", &at_once);
        if seen(&shuffled_batches(&rough, &mut random)?, level, true)? != at_once {
            differing
                .push("late: findings or summary differ from those of spans in time".to_owned());
        }
        if labelled.needs_clocks {
            continue;
        }
        skew(&mut rough, &mut random);
        let skewed = seen(&shuffled_batches(&rough, &mut random)?, level, true)?;
        check("skewed", &skewed);
        let (straight, skewed) = (clock_free(&at_once), clock_free(&skewed));
        let moved = straight.symmetric_difference(&skewed);
        differing.extend(moved.map(|finding| format!("skewed: only one has {finding}")));
    }
    wrong.extend(differing);
    Ok(wrong)
}

/// What is wrong with the answer in one world.
fn answer(labelled: &Labelled, case: &Case, world: &str, seen: &Seen) -> Option<String> {
    let found = seen.findings.iter().filter(|finding| finding.detector == labelled.detector);
    let mut left: Vec<&Expected> = case.expected.iter().collect();
    let mut unexpected = Vec::new();
    for finding in found {
        match left.iter().position(|expected| is_told(expected, finding)) {
            Some(place) => drop(left.swap_remove(place)),
            None => unexpected.push(told(finding)),
        }
    }
    let is_right = left.is_empty() && unexpected.is_empty();
    (!is_right).then(|| format!("{world}: missing {left:?}, unexpected {unexpected:?}"))
}

fn is_told(expected: &Expected, finding: &Finding) -> bool {
    match expected {
        Expected::Spans { trace, caller, ids } => {
            let named: BTreeSet<u64> = finding.span_ids.iter().copied().collect();
            let is_whole = named.len() == ids.len().min(SPAN_IDS_MAX) && named.is_subset(ids);
            finding.trace_id.0 == trace_id(*trace)
                && finding.parent_span_id == *caller
                && finding.count == ids.len() as u64
                && is_whole
        }
        Expected::Title(title) => fits(title, &finding.title),
    }
}

/// Whether a title is as expected; `*` stands for figures that follow from bounds and not from the case.
fn fits(expected: &str, title: &str) -> bool {
    match expected.split_once('*') {
        Some((head, tail)) => title.starts_with(head) && title.ends_with(tail),
        None => title == expected,
    }
}

fn told(finding: &Finding) -> String {
    let Finding { title, parent_span_id, span_ids, .. } = finding;
    let first: Vec<u64> = span_ids.iter().copied().take(10).collect();
    format!("{title} ({parent_span_id}: {first:?} of {})", finding.count)
}

/// What findings say that no clock may change.
fn clock_free(seen: &Seen) -> BTreeSet<String> {
    let findings = seen.findings.iter().filter(|of| !CLOCK_RULES.contains(&of.detector));
    let text = |finding: &Finding| {
        let Finding { detector, group_key, parent_span_id, span_ids, count, severity, .. } =
            finding;
        let severity = severity.label();
        format!(
            "{detector} {severity} {group_key} {parent_span_id} {count} {span_ids:?} {}",
            finding.title
        )
    };
    findings.map(text).collect()
}
