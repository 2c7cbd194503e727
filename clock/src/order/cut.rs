//! What was going on at a moment, everywhere: a cut through the order that no proof crosses backwards.
//!
//! Events whose stamps are not after the moment form such a cut by themselves when every clock is tagged and merged
//! what it received. Otherwise events that a counted one needs are pulled in, and counted.

use super::build::Order;
use super::vertex::{end_of, start_of};

/// A consistent cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    /// Spans that have started and not ended.
    pub open: Vec<u32>,
    /// Events before the cut.
    pub events: usize,
    /// Events after the moment that had to be counted because something counted rests on them.
    pub pulled: usize,
    /// Open spans whose place rests on a claimed time at one end at least.
    pub by_claim: usize,
}

impl Order {
    /// The cut at a value of the hybrid clock, which is also nanoseconds since the Unix epoch. In true time it is as
    /// blurred as clocks differ. Events without a stamp that is believed count by their place on the axis.
    pub fn open_at(&self, hlc: i64) -> Cut {
        let events = self.spans * 2 + self.ticks;
        let mut counted: Vec<bool> = Vec::with_capacity(self.sorted.len());
        counted.extend(self.readings.iter().zip(&self.hlc).map(|(reading, stamp)| {
            let place = stamp.or(reading.map(|reading| reading.axis_ns));
            place.is_some_and(|place| place <= hlc)
        }));
        counted.resize(self.sorted.len(), false);

        let mut cut = Cut::default();
        for vertex in self.sorted.iter().rev() {
            let is_needed = self.proofs.of(*vertex).iter().any(|(end, _)| is_set(&counted, *end));
            if let Some(flag) =
                counted.get_mut(*vertex as usize).filter(|flag| is_needed && !**flag)
            {
                *flag = true;
                cut.pulled += 1;
            }
        }
        cut.events = counted.iter().take(events).filter(|counted| **counted).count();
        let is_open =
            |span: u32| is_set(&counted, start_of(span)) && !is_set(&counted, end_of(span));
        cut.open = (0u32..).take(self.spans).filter(|span| is_open(*span)).collect();
        let has_stamp = |vertex: u32| self.hlc.get(vertex as usize).is_some_and(Option::is_some);
        cut.by_claim = cut
            .open
            .iter()
            .filter(|span| !has_stamp(start_of(**span)) || !has_stamp(end_of(**span)))
            .count();
        cut
    }
}

fn is_set(flags: &[bool], vertex: u32) -> bool {
    flags.get(vertex as usize).copied().unwrap_or(false)
}
