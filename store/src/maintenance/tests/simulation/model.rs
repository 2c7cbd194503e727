//! What must be visible: sets of spans.

use std::collections::BTreeSet;

use super::reading::Answers;
use super::spans::Seen;

/// Traces of the other process begin here.
pub(super) const OTHERS: u8 = 200;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Acknowledged, or found after a restart.
    pub(super) stored: BTreeSet<Seen>,
    /// Sent and refused: whether they got as far as the log shows the next start.
    pub(super) unsure: BTreeSet<Seen>,
    /// Committed by the other process: visible at the latest after a restart.
    pub(super) others: BTreeSet<Seen>,
    /// Dropped by retention.
    expired: BTreeSet<Seen>,
}

impl Model {
    pub(super) fn acknowledged(&mut self, spans: &[Seen]) {
        for span in spans {
            self.expired.remove(span);
            self.unsure.remove(span);
            self.stored.insert(*span);
        }
    }

    pub(super) fn refused(&mut self, spans: &[Seen]) {
        self.unsure.extend(spans.iter().filter(|span| !self.stored.contains(span)));
    }

    /// Takes out what retention may have dropped, being older than `oldest`, and has.
    pub(super) fn expire(&mut self, answers: &Answers, oldest: i64) {
        let visible: BTreeSet<Seen> = answers.spans.iter().copied().collect();
        let is_kept = |span: &Seen| span.start >= oldest || visible.contains(span);
        let gone: Vec<Seen> = self.stored.extract_if(.., |span| !is_kept(span)).collect();
        self.expired.extend(gone);
    }

    /// After a start: what was unsure is there or gone. A span that was sent again before it expired
    /// may still be in the log: with its first copy gone it comes back as new, until retention looks
    /// again.
    pub(super) fn restarted(&mut self, answers: &Answers) {
        let visible: BTreeSet<Seen> = answers.spans.iter().copied().collect();
        let unsure = std::mem::take(&mut self.unsure);
        let back: Vec<Seen> =
            self.expired.union(&unsure).filter(|span| visible.contains(span)).copied().collect();
        for span in back {
            self.expired.remove(&span);
            self.stored.insert(span);
        }
    }

    /// Compares with what a snapshot answered.
    pub(super) fn check(&self, answers: &Answers) -> Result<(), String> {
        let of_others = answers.spans.iter().filter(|span| span.trace >= OTHERS).copied();
        let of_others: BTreeSet<Seen> = of_others.collect();
        if !of_others.is_subset(&self.others) {
            return Err(format!("{of_others:?} were never committed by the other process"));
        }
        let expected = Answers::of(self.stored.iter().copied().chain(of_others));
        match *answers == expected {
            true => Ok(()),
            false => Err(answers.differences(&expected)),
        }
    }

    /// After a start all of the other process is visible, but for what expired.
    pub(super) fn check_others(&self, answers: &Answers, oldest: i64) -> Result<(), String> {
        let is_visible = |span: &Seen| answers.spans.binary_search(span).is_ok();
        match self.others.iter().find(|span| span.start >= oldest && !is_visible(span)) {
            Some(span) => Err(format!("{span:?} of the other process is missing in {answers:?}")),
            None => Ok(()),
        }
    }
}
