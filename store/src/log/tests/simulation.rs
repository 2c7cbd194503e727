//! Scenario: senders, releases, failing disks and power cuts in any order.
//! Guarantee: what was acknowledged and not released is replayed exactly once, nothing is stored twice, no sequence
//! is used twice, nothing appears that was never sent, and nothing is called damaged.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::prelude::*;

use super::faulty_disk::{Faults, Names};
use super::{Surroundings, replayed, text_of};
use crate::log::{Appended, Log, LogError};

#[derive(Debug, Clone)]
enum Step {
    /// That many requests at once; texts repeat among few, so duplicates are common.
    Append(Vec<u8>),
    /// The table holds this part (of 256) of what is there.
    Release(u8),
    Break(Fault),
    Mend,
    /// The process dies at this operation of an append, and the power may fail with it.
    Crash {
        loses_power: bool,
        at_operation: u32,
        during: Vec<u8>,
        kept_of_256: u8,
        names: Names,
    },
    Restart,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Full(u8),
    Syncs,
    SyncsAndTruncations,
    DirSyncs,
    Removals,
}

fn step() -> impl Strategy<Value = Step> {
    let texts = || proptest::collection::vec(0_u8..40, 1..6);
    let names = || {
        let all = [Names::Confirmed, Names::Latest, Names::Removals];
        proptest::sample::select(all.to_vec())
    };
    let fault = prop_oneof![
        any::<u8>().prop_map(Fault::Full),
        Just(Fault::Syncs),
        Just(Fault::SyncsAndTruncations),
        Just(Fault::DirSyncs),
        Just(Fault::Removals),
    ];
    prop_oneof![
        6 => texts().prop_map(Step::Append),
        2 => any::<u8>().prop_map(Step::Release),
        1 => fault.prop_map(Step::Break),
        1 => Just(Step::Mend),
        2 => (any::<bool>(), 0_u32..12, texts(), any::<u8>(), names()).prop_map(
            |(loses_power, at_operation, during, kept_of_256, names)| Step::Crash {
                loses_power, at_operation, during, kept_of_256, names,
            }
        ),
        1 => Just(Step::Restart),
    ]
}

/// What must hold, whatever the log does.
#[derive(Default)]
struct Model {
    /// Acknowledged, or found by a replay.
    stored: BTreeMap<u64, String>,
    /// Ever sent.
    sent: BTreeSet<String>,
    released_through: u64,
}

impl Model {
    fn text(text: u8) -> String {
        format!("text {text:03} {}", "x".repeat(usize::from(text)))
    }

    fn is_stored(&self, text: &str) -> bool {
        self.stored.values().any(|stored| stored == text)
    }

    fn store(&mut self, sequence: u64, text: String) -> Result<(), TestCaseError> {
        let last = self.stored.last_key_value().map_or(0, |(last, _)| *last);
        prop_assert!(sequence > last, "sequence {} after {}", sequence, last);
        prop_assert!(!self.is_stored(&text), "{} is stored twice", text);
        prop_assert!(self.sent.contains(&text));
        self.stored.insert(sequence, text);
        Ok(())
    }
}

struct Simulation {
    around: Surroundings,
    model: Model,
    log: Option<Arc<Log>>,
    runtime: tokio::runtime::Runtime,
}

impl Simulation {
    fn new() -> Result<Self, TestCaseError> {
        let mut around = Surroundings::new();
        around.settings.segment_bytes_max = 400;
        around.settings.group_bytes_max = 200;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut simulation = Self { around, model: Model::default(), log: None, runtime };
        simulation.open()?;
        Ok(simulation)
    }

    fn open(&mut self) -> Result<(), TestCaseError> {
        self.around.published.lock().clear();
        let (log, replay) = self.around.open()?;
        prop_assert_eq!(&replay.report().damaged, &Vec::new());
        let records = replayed(replay)?;
        let released_through = self.model.released_through;
        let must: BTreeMap<u64, String> = self
            .model
            .stored
            .iter()
            .filter(|(sequence, _)| **sequence > released_through)
            .map(|(s, t)| (*s, t.clone()))
            .collect();
        let mut found = BTreeMap::new();
        for (sequence, text) in records {
            prop_assert!(found.insert(sequence, text.clone()).is_none(), "replayed twice");
            match self.model.stored.get(&sequence) {
                Some(stored) => prop_assert_eq!(stored, &text),
                // Durable, but the power failed before it could be acknowledged.
                None => self.model.store(sequence, text)?,
            }
        }
        for (sequence, text) in must {
            prop_assert_eq!(found.get(&sequence), Some(&text), "acknowledged record is lost");
        }
        self.log = Some(Arc::new(log));
        Ok(())
    }

    fn append(&mut self, texts: &[u8]) -> Result<(), TestCaseError> {
        let Some(log) = self.log.clone() else {
            return Ok(());
        };
        let texts: Vec<String> = texts.iter().map(|text| Model::text(*text)).collect();
        self.model.sent.extend(texts.iter().cloned());
        let mut answers = self.runtime.block_on(async {
            let append = |text: &String| {
                let (log, record) = (Arc::clone(&log), self.around.record(text));
                tokio::spawn(async move { log.append(record).await })
            };
            let tasks: Vec<_> = texts.iter().map(append).collect();
            let mut answers = Vec::new();
            for (task, text) in tasks.into_iter().zip(texts) {
                answers.push((task.await, text));
            }
            answers
        });
        answers.sort_by_key(|(answer, _)| !matches!(answer, Ok(Ok(Appended::Stored { .. }))));
        for (answer, text) in answers {
            match answer? {
                Ok(Appended::Stored { sequence }) => self.model.store(sequence, text)?,
                Ok(Appended::Duplicate) => prop_assert!(self.model.is_stored(&text)),
                Err(LogError::Disk { .. }) => {}
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
        let published: Vec<String> = self.around.published.lock().iter().map(text_of).collect();
        prop_assert!(
            published.iter().all(|text| self.model.is_stored(text)),
            "published, not acknowledged"
        );
        Ok(())
    }

    fn release(&mut self, part: u8) {
        let Some(log) = &self.log else { return };
        let idx = self.model.stored.len() * usize::from(part) / 256;
        if let Some(through) = self.model.stored.keys().nth(idx) {
            log.release(*through);
            self.model.released_through = self.model.released_through.max(*through);
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Append(texts) => self.append(&texts),
            Step::Release(part) => {
                self.release(part);
                Ok(())
            }
            Step::Break(fault) => {
                self.around.disk.set(fault.faults());
                Ok(())
            }
            Step::Mend => {
                self.around.disk.set(Faults::default());
                Ok(())
            }
            Step::Crash { loses_power, at_operation, during, kept_of_256, names } => {
                let faults = Faults { operations_left: Some(at_operation), ..Faults::default() };
                self.around.disk.set(faults);
                self.append(&during)?;
                self.log = None;
                self.around.disk.set(Faults::default());
                if loses_power {
                    self.around.disk.lose_power(kept_of_256, names);
                }
                self.open()
            }
            Step::Restart => {
                self.log = None;
                self.around.disk.set(Faults::default());
                self.open()
            }
        }
    }
}

impl Fault {
    fn faults(self) -> Faults {
        let none = Faults::default();
        match self {
            Self::Full(space_left) => Faults { space_left: Some(usize::from(space_left)), ..none },
            Self::Syncs => Faults { syncs_fail: true, ..none },
            Self::SyncsAndTruncations => {
                Faults { syncs_fail: true, truncations_fail: true, ..none }
            }
            Self::DirSyncs => Faults { dir_syncs_fail: true, ..none },
            Self::Removals => Faults { removals_fail: true, ..none },
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn acknowledged_is_durable(steps in proptest::collection::vec(step(), 1..40)) {
        let mut simulation = Simulation::new()?;
        for step in steps {
            simulation.take(step)?;
        }
        simulation.take(Step::Crash { loses_power: true, at_operation: 3, during: vec![41, 42], kept_of_256: 77, names: Names::Removals })?;
        simulation.take(Step::Restart)?;
    }
}
