//! The shop itself: customers come, plans are made, moments are played in true order, batches are sent.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::cast::MORTAL;
use super::exporter::{BATCH_SPANS_MAX, Export, Exporter};
use super::fault::Fault;
use super::journeys::{JOURNEYS, Journey};
use super::plan::{Action, Plan, Planner};
use super::play::Stage;
use super::process::processes;
use super::queue::{Queues, Topic};
use super::resource::{Instance, instances};
use super::settings::ShopSettings;
use super::sightings::Sightings;
use super::truth::{ClockTruth, FaultTruth, Truth};
use super::world::World;
use crate::traffic::random::Random;

/// Messages that a consumer takes at once.
const BATCH_MESSAGES_MAX: usize = 10;

/// What happens at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Arrive,
    Look(Topic),
    Act(Action),
    Flush(usize),
}

/// A simulated shop: an iterator over the requests its services send, by true time. It goes on until it is closed.
#[derive(Debug)]
pub struct Shop {
    world: World,
    random: Random,
    queues: Queues,
    sightings: Sightings,
    stage: Stage,
    exporters: Vec<Exporter>,
    /// By time, and by the order they were put here.
    agenda: BinaryHeap<Reverse<(i64, u64, Task)>>,
    tasks: u64,
    spans: u64,
    messages: u64,
    ready: VecDeque<Export>,
    closed: bool,
    journeys: Vec<u64>,
}

impl Shop {
    /// A shop that opens at the beginning that the settings name.
    pub fn new(settings: ShopSettings) -> Self {
        let settings = ShopSettings { faults: settings.faults.settled(), ..settings };
        let mut random = Random::new(settings.seed);
        let instances = instances(settings.faults, &mut random);
        let stage = Stage::new(processes(&settings, &mut random));
        let nobody = Instance::nobody();
        let mut shop = Self {
            exporters: instances.iter().map(|_| Exporter::default()).collect(),
            world: World { settings, instances, nobody },
            random,
            queues: Queues::default(),
            sightings: Sightings::new(),
            stage,
            agenda: BinaryHeap::new(),
            tasks: 0,
            spans: 0,
            messages: 0,
            ready: VecDeque::new(),
            closed: false,
            journeys: vec![0; JOURNEYS.len()],
        };
        shop.schedule(settings.start_unix_ns, Task::Arrive);
        shop
    }

    /// Lets nobody in any more; what is under way goes on to its end, and the iterator ends.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// All instances, also those that are dead.
    pub fn instances(&self) -> &[Instance] {
        &self.world.instances
    }

    /// What it was built with, and what it has done so far.
    pub fn truth(&self) -> Truth {
        let journeys = self.journeys.iter().sum();
        let asked = |operation: &str| {
            let of = JOURNEYS.iter().zip(&self.journeys).find(|(j, _)| j.operation == operation);
            of.map_or(journeys, |(_, count)| *count)
        };
        let fault = |fault: Fault| FaultTruth {
            line: fault.line(),
            asked: asked(fault.line().operation),
            sighting: self.sightings.of(fault),
            instances: self
                .world
                .instances
                .iter()
                .filter(|instance| instance.faults.contains(&fault))
                .map(|instance| instance.name.clone())
                .collect(),
        };
        let has = |fault: &Fault| self.world.settings.faults.contains(*fault);
        Truth {
            start_unix_ns: self.world.settings.start_unix_ns,
            journeys,
            faults: Fault::all().filter(has).map(fault).collect(),
            clocks: self.clocks(),
        }
    }

    fn clocks(&self) -> Vec<ClockTruth> {
        let dies = self.world.settings.faults.contains(Fault::DeadEndpoint);
        let mortal = format!("{}-{}", MORTAL.0.name(), MORTAL.1);
        let pairs = self.world.instances.iter().zip(&self.stage.processes);
        pairs
            .map(|(instance, process)| ClockTruth {
                level: process.level,
                wall: process.wall,
                nodes: process.nodes.clone(),
                silent_from_ns: (dies && instance.name == mortal).then(|| self.world.death_ns()),
                instance: instance.clone(),
            })
            .collect()
    }

    fn schedule(&mut self, at_ns: i64, task: Task) {
        self.tasks += 1;
        self.agenda.push(Reverse((at_ns, self.tasks, task)));
    }

    fn perform(&mut self, now_ns: i64, task: Task) {
        match task {
            Task::Arrive if self.closed => {}
            Task::Arrive => self.arrive(now_ns),
            Task::Look(topic) => self.look(now_ns, topic),
            Task::Act(action) => {
                if let Some(ended) = self.stage.play(now_ns, action) {
                    let instance = ended.instance;
                    let waiting = self.exporters.get_mut(instance).map(|e| e.push(ended));
                    match waiting {
                        Some(1) => {
                            let at_ns = now_ns + Exporter::delay_ns(instance);
                            self.schedule(at_ns, Task::Flush(instance));
                        }
                        Some(BATCH_SPANS_MAX) => self.flush(now_ns, instance),
                        _ => {}
                    }
                }
            }
            Task::Flush(instance) => self.flush(now_ns, instance),
        }
    }

    fn flush(&mut self, now_ns: i64, instance: usize) {
        let Some(exporter) = self.exporters.get_mut(instance) else { return };
        self.ready.extend(exporter.flush(now_ns, instance, self.world.instance(instance)));
    }

    /// A customer comes.
    fn arrive(&mut self, now_ns: i64) {
        let drawn = self.random.between(0, 1_000);
        let nth = chosen(drawn);
        let [first, ..] = &JOURNEYS;
        let journey: &Journey = JOURNEYS.get(nth).unwrap_or(first);
        if let Some(count) = self.journeys.get_mut(nth) {
            *count += 1;
        }
        let trace_id = self.random.trace_id();
        self.plan(trace_id, |planner| (journey.play)(planner, now_ns));
        let mean_ns = 1_000_000_000_000 / self.world.settings.traces_per_ks.max(1);
        let gap_ns = mean_ns / 1_000 * self.random.between(200, 1_800);
        self.schedule(now_ns + gap_ns.max(1).cast_signed(), Task::Arrive);
    }

    /// A consumer looks into a queue.
    fn look(&mut self, now_ns: i64, topic: Topic) {
        // Ends because nothing is added meanwhile that is ready by now.
        loop {
            let found = self.queues.take(topic, now_ns, BATCH_MESSAGES_MAX);
            if found.is_empty() {
                return;
            }
            match topic {
                Topic::OrdersConfirmed => {
                    let trace_id = self.random.trace_id();
                    self.plan(trace_id, |planner| planner.confirms(now_ns, &found));
                }
                Topic::PaymentsSettled => {
                    for queued in &found {
                        self.plan(queued.trace_id.clone(), |planner| planner.books(now_ns, queued));
                    }
                }
            }
        }
    }

    fn plan(&mut self, trace_id: Vec<u8>, play: impl FnOnce(&mut Planner<'_>)) {
        let plan = Plan { first: self.spans, next_message: self.messages, ..Plan::default() };
        let mut planner = Planner {
            world: &self.world,
            random: &mut self.random,
            queues: &mut self.queues,
            sightings: &mut self.sightings,
            trace_id,
            plan,
        };
        play(&mut planner);
        let mut plan = planner.plan;
        self.spans += plan.spans.len() as u64;
        self.messages = plan.next_message;
        self.stage.prepare(&mut plan);
        for (at_ns, action) in plan.actions {
            self.schedule(at_ns, Task::Act(action));
        }
        for (at_ns, topic) in std::mem::take(&mut self.queues.looks) {
            self.schedule(at_ns, Task::Look(topic));
        }
    }
}

impl Iterator for Shop {
    type Item = Export;

    fn next(&mut self) -> Option<Export> {
        // Goes on until some batch is due; customers keep coming unless the shop is closed.
        loop {
            if let Some(export) = self.ready.pop_front() {
                return Some(export);
            }
            let Reverse((now_ns, _, task)) = self.agenda.pop()?;
            self.perform(now_ns, task);
        }
    }
}

/// The journey for a number below a thousand.
fn chosen(drawn: u64) -> usize {
    let mut left = drawn;
    let found = JOURNEYS.iter().position(|journey| {
        let is_it = left < journey.per_mille;
        left = left.saturating_sub(journey.per_mille);
        is_it
    });
    found.unwrap_or_default()
}
