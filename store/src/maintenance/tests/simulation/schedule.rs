//! One schedule: a world, its model, and the steps between them.

use std::sync::Arc;
use std::time::Duration;

use super::super::HOUR;
use super::faults::{Armed, DONE, Fault, Target};
use super::model::Model;
use super::other::Other;
use super::random::Random;
use super::reading::{Answers, Reader};
use super::spans::Seen;
use super::world::{AGE, World};
use crate::maintenance::survey;
use crate::{Snapshot, StoreError};

/// Errors that can cross threads.
pub(super) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const STEPS: usize = 20;

pub(super) struct Schedule {
    random: Random,
    world: World,
    model: Model,
    reader: Reader,
    other: Option<Other>,
    held: Vec<(Snapshot, Answers)>,
    /// Whether retention may have dropped spans since the last check.
    may_expire: bool,
    /// Whether some were dropped that may still be seen, by the other process or by a commit whose answer
    /// was lost: they are gone at the latest after a restart.
    expire_unseen: bool,
    /// What happened, for a person.
    pub(super) steps: Vec<String>,
}

impl Schedule {
    pub(super) fn new(seed: u64) -> Outcome<Self> {
        Ok(Self {
            random: Random::new(seed),
            world: World::new()?,
            model: Model::default(),
            reader: Reader::default(),
            other: None,
            held: Vec::new(),
            may_expire: false,
            expire_unseen: false,
            steps: Vec::new(),
        })
    }

    pub(super) async fn run(&mut self) -> Outcome {
        self.restart().await?;
        for _ in 0..STEPS {
            match self.random.below(24) {
                0..8 => self.append().await?,
                8..11 => self.flush().await?,
                11..13 => self.maintain().await?,
                13..15 => self.die_somewhere().await?,
                15 => self.restart().await?,
                16..18 => self.fail_for_a_while().await?,
                18..21 => self.overtake().await?,
                21 => self.step_of_other().await?,
                22 => self.hold().await?,
                _ => self.wait(),
            }
            self.check().await?;
        }
        self.end().await
    }

    fn note(&mut self, step: impl Into<String>) {
        self.steps.push(step.into());
    }

    async fn append(&mut self) -> Outcome {
        let spans = self.some_spans();
        let appended = self.world.append(&spans).await;
        let texts: Vec<_> =
            spans.iter().map(|s| format!("{}.{}{}", s.trace, s.span, s.name)).collect();
        let outcome = if appended.is_ok() { "" } else { " refused" };
        self.note(format!("append {}{outcome}", texts.join(" ")));
        match appended {
            Ok(()) => self.model.acknowledged(&spans),
            Err(_) if self.world.faults.is_dead() => self.model.refused(&spans),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// New ones, repeated ones, and some with ids that others have.
    fn some_spans(&mut self) -> Vec<Seen> {
        let mut spans: Vec<Seen> = Vec::new();
        let known: Vec<Seen> = self.model.stored.union(&self.model.unsure).copied().collect();
        let hours = self.random.pick(&[0, 0, 0, 1, 5, 11, 13, 20]);
        for _ in 0..=self.random.below(6) {
            let mut span = match self.random.below(4) {
                0 if !known.is_empty() => self.random.pick(&known),
                _ => Seen {
                    trace: 1 + self.random.below(6) as u8,
                    span: 1 + self.random.below(4) as u8,
                    name: self.random.pick(&['a', 'b', 'c']),
                    start: self.world.now() - hours * HOUR,
                },
            };
            // Ids and name have one content at a time.
            if let Some(known) = known.iter().find(|known| known.is_named_like(&span)) {
                span = *known;
            }
            if spans.iter().all(|other| !other.is_named_like(&span)) {
                spans.push(span);
            }
        }
        spans
    }

    async fn flush(&mut self) -> Outcome {
        self.note("flush");
        Ok(self.world.store().flush().await?)
    }

    async fn maintain(&mut self) -> Outcome {
        self.note("maintain");
        self.may_expire = true;
        Ok(self.world.store().maintain().await?)
    }

    async fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.note("checkpoint");
        let checkpointer = self.world.store().inner.table.lock().await.checkpointer();
        checkpointer.write().await
    }

    /// Any work that changes the table.
    async fn work(&mut self) -> Result<(), StoreError> {
        self.may_expire = true;
        match self.random.below(7) {
            0..3 => {
                self.note("flush");
                self.world.store().flush().await
            }
            3..6 => {
                self.note("maintain");
                self.world.store().maintain().await
            }
            _ => self.checkpoint().await,
        }
    }

    fn arm(&mut self, targets: &[Target], fault: Fault, times: u64) {
        let target = self.random.pick(targets);
        let after = match target {
            Target::All | Target::Table => self.random.below(40),
            Target::Log => self.random.below(12),
            Target::DeltaLog | Target::DataFile | Target::Commit => self.random.below(6),
        };
        self.arm_after(target, after, fault, times);
    }

    fn arm_after(&mut self, target: Target, after: u64, fault: Fault, times: u64) {
        self.note(format!("[{fault:?} of {target:?} after {after}, {times} times]"));
        self.world.faults.arm(Armed { target, after, times, fault });
    }

    async fn die_somewhere(&mut self) -> Outcome {
        let fault = Fault::Die(self.random.pick(&DONE));
        let targets = [Target::All, Target::Log, Target::Table, Target::DeltaLog, Target::Commit];
        self.arm(&targets, fault, 1);
        for _ in 0..4 {
            if self.world.faults.is_dead() {
                break;
            }
            if self.random.one_in(2) {
                self.append().await?;
            } else {
                let worked = self.work().await;
                if !self.world.faults.is_dead() {
                    worked?;
                    self.check().await?;
                }
            }
        }
        self.restart().await
    }

    async fn fail_for_a_while(&mut self) -> Outcome {
        let (fault, times) =
            (Fault::Fail(self.random.pick(&DONE)), self.random.pick(&[1, 1, 2, 60]));
        let targets = [Target::Table, Target::DeltaLog, Target::Commit, Target::DataFile];
        self.arm(&targets, fault, times);
        for _ in 0..=self.random.below(3) {
            if self.random.one_in(3) {
                self.append().await?;
            }
            if self.work().await.is_err() {
                self.note("failed");
                self.expire_unseen = true;
            }
            self.check().await?;
        }
        self.world.faults.disarm();
        Ok(())
    }

    /// A flush or a merge stands still while others overtake it; then it goes on, fails or dies.
    async fn overtake(&mut self) -> Outcome {
        let is_flush = self.random.one_in(2);
        let targets = [Target::DataFile, Target::Commit];
        let target = self.random.pick(&targets);
        let after = self.random.below(3);
        self.arm_after(target, after, Fault::Hold, 1);
        self.note(if is_flush { "slow flush" } else { "slow maintain" });
        self.may_expire = true;
        let (store, faults) = (self.world.store().clone(), Arc::clone(&self.world.faults));
        let work =
            async move { if is_flush { store.flush().await } else { store.maintain().await } };
        let mut work = tokio::spawn(work);
        let ended = tokio::select! {
            () = faults.holding() => None,
            ended = &mut work => Some(ended),
        };
        faults.disarm();
        if let Some(ended) = ended {
            return Ok(ended??);
        }
        // A merge that has not come to its commit holds no lock.
        let has_lock = is_flush || target == Target::Commit;
        for _ in 0..=self.random.below(3) {
            match self.random.below(6) {
                0..2 => self.append().await?,
                2 if !has_lock => self.flush().await?,
                2..5 => self.step_of_other().await?,
                _ => self.hold().await?,
            }
            self.may_expire = true;
            self.check().await?;
        }
        let done = self.random.pick(&DONE);
        let fault = match self.random.below(6) {
            0..3 => None,
            3 => Some(Fault::Fail(done)),
            4 => Some(Fault::Die(done)),
            _ => {
                self.restart().await?;
                let _ = work.await;
                return Ok(());
            }
        };
        self.note(format!("goes on {fault:?}"));
        faults.let_go(fault);
        let ended = work.await?;
        match fault {
            None => ended?,
            Some(Fault::Die(_)) => return self.restart().await,
            _ => self.expire_unseen |= ended.is_err(),
        }
        self.may_expire = true;
        Ok(())
    }

    async fn step_of_other(&mut self) -> Outcome {
        let other = match &mut self.other {
            Some(other) => other,
            none => none.insert(Other::start(&self.world).await?),
        };
        let step = other.step(&self.world, &mut self.model, &mut self.random).await?;
        self.expire_unseen |= step == "other expires";
        self.note(step);
        Ok(())
    }

    async fn hold(&mut self) -> Outcome {
        self.note("hold");
        let snapshot = self.world.store().snapshot().await?;
        let answers = self.reader.ask(&snapshot)?;
        self.held.truncate(2);
        self.held.insert(0, (snapshot, answers));
        Ok(())
    }

    fn wait(&mut self) {
        self.note("wait");
        let ns = self.random.pick(&[1_000_000_000, 61_000_000_000, HOUR, 14 * HOUR]);
        self.world.advance(ns);
    }

    async fn restart(&mut self) -> Outcome {
        // Snapshots die with their process, and so does the other process.
        self.held.clear();
        (self.other, self.expire_unseen) = (None, false);
        self.note("restart");
        self.world.restart(&mut self.random).await?;
        let answers = self.ask().await?;
        self.model.restarted(&answers);
        self.may_expire = true;
        self.model.check_others(&answers, self.oldest())?;
        self.check().await
    }

    fn oldest(&self) -> i64 {
        self.world.now() - AGE.as_nanos() as i64
    }

    async fn ask(&mut self) -> Outcome<Answers> {
        Ok(self.reader.ask(&self.world.store().snapshot().await?)?)
    }

    async fn check(&mut self) -> Outcome {
        let answers = self.ask().await?;
        if std::mem::take(&mut self.may_expire) | self.expire_unseen {
            self.model.expire(&answers, self.oldest());
        }
        self.model.check(&answers)?;
        for (snapshot, expected) in &self.held {
            let now = self.reader.ask(snapshot)?;
            if now != *expected {
                return Err(format!("a snapshot changed from {expected:?} to {now:?}").into());
            }
        }
        Ok(())
    }

    async fn end(&mut self) -> Outcome {
        self.restart().await?;
        // What is merged or expires in one round is deleted in a later one.
        for _ in 0..4 {
            self.world.advance(HOUR);
            self.maintain().await?;
            self.check().await?;
        }
        let inner = &self.world.store().inner;
        let found = survey(inner.folder.root(), &[], Vec::new())?.unnamed;
        let (live, waiting) = (inner.recent.files(), inner.maintenance.waiting());
        let is_there = |path: &String| found.contains(path);
        if !live.iter().all(|file| is_there(&file.path)) || found.len() != live.len() + waiting {
            return Err(format!("{waiting} wait of {found:?}, live are {live:?}").into());
        }
        self.world.store().close(Duration::ZERO).await?;
        let report = crate::verify(&self.world.data_dir()).await?;
        if report.is_sound() { Ok(()) } else { Err(format!("{:?}", report.findings).into()) }
    }
}
