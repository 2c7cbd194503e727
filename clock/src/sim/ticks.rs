//! Plays what happened back in true order and lets the clocks stamp it, as far as each node takes part.

use super::calls::{Action, History};
use super::clock::SimClock;
use super::world::{Level, World};
use crate::Stamp;

/// What was stamped.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    /// By span.
    pub(super) starts: Vec<Option<Stamp>>,
    pub(super) ends: Vec<Option<Stamp>>,
    pub(super) received: Vec<Option<Stamp>>,
    pub(super) rejected: Vec<Option<Stamp>>,
    pub(super) of_responses: Vec<Vec<Stamp>>,
    /// By message.
    pub(super) messages: Vec<Option<Stamp>>,
    /// By response.
    responses: Vec<Option<Stamp>>,
}

/// Stamps everything, in true order.
pub(super) fn stamp(world: &World, history: &mut History, clocks: &mut [SimClock]) -> Stamps {
    let spans = history.spans.len();
    let mut stamps = Stamps {
        starts: vec![None; spans],
        ends: vec![None; spans],
        received: vec![None; spans],
        rejected: vec![None; spans],
        of_responses: vec![Vec::new(); spans],
        messages: vec![None; history.messages as usize],
        responses: vec![None; history.responses as usize],
    };
    history.actions.sort_unstable();
    for (at_ns, node, action) in &history.actions {
        let Some(clock) = clocks.get_mut(*node) else { continue };
        stamps.act(world.level(*node), clock, *at_ns, *action, history);
    }
    stamps
}

impl Stamps {
    fn act(
        &mut self,
        level: Level,
        clock: &mut SimClock,
        at_ns: i64,
        action: Action,
        history: &History,
    ) {
        match action {
            Action::Start(span) => self.start(level, clock, at_ns, span, history),
            Action::End(span) if level >= Level::Tags => {
                put(&mut self.ends, span, clock.tick(at_ns));
            }
            // Without a propagator of ours the context goes on as it came.
            Action::Send { message, span } => {
                let passed_on = of(&self.received, span);
                let sent = (level >= Level::Propagates).then(|| clock.tick(at_ns)).or(passed_on);
                sent.into_iter().for_each(|stamp| put(&mut self.messages, message, stamp));
            }
            Action::Receive { message, .. } if level >= Level::Propagates => {
                let received = of(&self.messages, message);
                received.into_iter().for_each(|stamp| _ = clock.observe(stamp, at_ns));
            }
            Action::Respond { response, .. } if level >= Level::Responds => {
                put(&mut self.responses, response, clock.tick(at_ns));
            }
            Action::ReceiveResponse { response, span } if level >= Level::Responds => {
                if let Some(stamp) = of(&self.responses, response) {
                    clock.observe(stamp, at_ns);
                    let learnt = self.of_responses.get_mut(span as usize);
                    learnt.into_iter().for_each(|learnt| learnt.push(stamp));
                }
            }
            _ => {}
        }
    }

    fn start(
        &mut self,
        level: Level,
        clock: &mut SimClock,
        at_ns: i64,
        span: u32,
        history: &History,
    ) {
        let Some(started) = history.spans.get(span as usize) else { return };
        let received = started.received.and_then(|message| of(&self.messages, message));
        received.into_iter().for_each(|stamp| put(&mut self.received, span, stamp));
        let parent = started.parent.and_then(|parent| history.spans.get(parent as usize));
        let is_entry = parent.is_none_or(|parent| parent.received != started.received);
        if level >= Level::Propagates
            && let Some(stamp) = received.filter(|_| is_entry)
        {
            let accepted = clock.observe(stamp, at_ns);
            if !accepted && level >= Level::Tags {
                put(&mut self.rejected, span, stamp);
            }
        }
        if level >= Level::Tags {
            put(&mut self.starts, span, clock.tick(at_ns));
        }
    }
}

fn of(stamps: &[Option<Stamp>], index: u32) -> Option<Stamp> {
    stamps.get(index as usize).copied().flatten()
}

fn put(stamps: &mut [Option<Stamp>], index: u32, stamp: Stamp) {
    if let Some(slot) = stamps.get_mut(index as usize) {
        *slot = Some(stamp);
    }
}
