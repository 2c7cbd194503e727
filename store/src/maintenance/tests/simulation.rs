//! Random schedules from a seed against a simple model: the set of acknowledged spans.
//!
//! Steps: requests with new, repeated and conflicting spans, late and early ones; flushes; rounds
//! of maintenance that may die at any step; crashes; commits that fail for a while; another
//! process that merges too; snapshots that are held and read later; the clock.
//!
//! `CAUSEWAY_SIM_SCHEDULES` sets how many schedules run, `CAUSEWAY_SIM_SEED` the first seed.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use super::super::merge::merge;
use super::super::pace::Pace;
use super::super::plan::next_merge;
use super::super::round;
use super::super::run::Step;
use super::{HOUR, NOON, Seen, TestResult, World, read};
use crate::table::{Change, SpansTable};
use crate::{Snapshot, StoreSettings};

/// Schedules of a usual run: about half a minute on two cores. CI runs more.
const SCHEDULES: u64 = 100;
const STEPS_PER_SCHEDULE: usize = 24;

const AGE: Duration = Duration::from_secs(30 * 3600);

/// A small generator of numbers: a schedule is the same wherever it runs.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        (mixed >> 32) % bound
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }
}

/// What must be visible.
type Model = BTreeSet<Seen>;

struct Simulation {
    random: Random,
    world: World,
    model: Model,
    /// Spans that retention dropped.
    expired: Model,
    held: Vec<(Snapshot, Vec<Seen>)>,
    steps: Vec<&'static str>,
}

fn settings(settings: &mut StoreSettings) {
    settings.retention_age = Some(AGE);
    settings.vacuum_retention = Duration::from_secs(60);
    settings.compaction_files = 3;
    // A copy that comes after that may be visible twice until files are merged.
    settings.request_dedup_window = Duration::from_secs(1_000 * 3600);
}

/// Scenario: see the module. Guarantee: what was acknowledged and has not expired is visible once,
/// nothing else is; a snapshot never changes; every live file exists and verifies.
#[test]
fn any_schedule_keeps_every_span_once() {
    let number = |name, default| {
        std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let first = number("CAUSEWAY_SIM_SEED", 1_u64);
    let seeds = first..first + number("CAUSEWAY_SIM_SCHEDULES", SCHEDULES);
    let next = std::sync::atomic::AtomicU64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if !seeds.contains(&seed) {
                        return;
                    }
                    run(seed);
                }
            });
        }
    });
}

fn run(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let world = World::open(settings).await.expect("opens");
        let random = Random(seed);
        let (model, expired) = (Model::new(), Model::new());
        let (held, steps) = (Vec::new(), Vec::new());
        let mut simulation = Simulation { random, world, model, expired, held, steps };
        if let Err(error) = simulation.schedule().await {
            panic!("seed {seed}: {error}, after {:?}", simulation.steps);
        }
    });
}

impl Simulation {
    async fn schedule(&mut self) -> TestResult {
        for _ in 0..STEPS_PER_SCHEDULE {
            match self.random.below(20) {
                0..7 => self.append().await?,
                7..12 => self.flush().await?,
                12..14 => self.maintain().await?,
                14 => self.die_in_maintenance().await?,
                15 => self.crash().await?,
                16 => self.fail_commits().await?,
                17 => self.merge_elsewhere().await?,
                18 => self.hold().await?,
                _ => self.wait(),
            }
            self.check().await?;
        }
        self.crash().await?;
        self.held.clear();
        // What is merged or expires in one round is deleted in a later one.
        for _ in 0..4 {
            self.world.advance(HOUR);
            self.maintain().await?;
            self.check().await?;
        }
        let (on_disk, live) = (self.world.on_disk()?, self.world.live());
        let waiting = self.world.store.inner.maintenance.waiting();
        if !on_disk.is_superset(&live) || on_disk.len() != live.len() + waiting {
            return Err(format!("{waiting} wait of {on_disk:?}, live are {live:?}").into());
        }
        self.world.store.close(Duration::ZERO).await?;
        let report = crate::verify(self.world.dir.path()).await?;
        if report.is_sound() { Ok(()) } else { Err(format!("{:?}", report.findings).into()) }
    }

    async fn append(&mut self) -> TestResult {
        self.steps.push("append");
        let mut spans = Vec::new();
        for _ in 0..=self.random.below(6) {
            let known: Vec<&Seen> = self.model.iter().collect();
            let hours = self.random.pick(&[0, 0, 0, 1, 5, 11, 13, 20]);
            let mut span = match self.random.below(4) {
                0 if !known.is_empty() => {
                    known[self.random.below(known.len() as u64) as usize].clone()
                }
                _ => {
                    let (trace, span) = (1 + self.random.below(6), 1 + self.random.below(4));
                    let name = self.random.pick(&["a", "b", "c"]).to_owned();
                    (trace as u8, span as u8, name, self.world.now() - hours * HOUR)
                }
            };
            let is_same = |a: &Seen, b: &Seen| (a.0, a.1, &a.2) == (b.0, b.1, &b.2);
            // Ids and name have one content at a time.
            if let Some(known) = self.model.iter().find(|known| is_same(known, &span)) {
                span.3 = known.3;
            }
            if spans.iter().all(|other| !is_same(other, &span)) {
                spans.push(span);
            }
        }
        self.world.append(&spans).await?;
        for span in spans {
            self.expired.remove(&span);
            self.model.insert(span);
        }
        Ok(())
    }

    async fn flush(&mut self) -> TestResult {
        self.steps.push("flush");
        Ok(self.world.store.flush().await?)
    }

    async fn maintain(&mut self) -> TestResult {
        self.steps.push("maintain");
        self.world.store.maintain().await?;
        self.expire().await
    }

    async fn die_in_maintenance(&mut self) -> TestResult {
        self.steps.push("die in maintenance");
        let steps = [Step::Planned, Step::Written, Step::Committed, Step::Swapped];
        self.world.store.inner.maintenance.faults.die_at(self.random.pick(&steps));
        let _ = round(&self.world.store.inner).await;
        self.crash().await
    }

    async fn crash(&mut self) -> TestResult {
        self.steps.push("crash");
        // Snapshots die with their process.
        self.held.clear();
        self.world.crash().await?;
        // A span that was sent again before it expired may still be in the log. With its first copy
        // gone it comes back as new, until retention looks again.
        let seen = names(self.world.spans().await?);
        let back: Vec<Seen> = self.expired.intersection(&seen).cloned().collect();
        for span in back {
            self.expired.remove(&span);
            self.model.insert(span);
        }
        self.expire().await
    }

    /// The next commits fail, because their place in the log cannot be written.
    async fn fail_commits(&mut self) -> TestResult {
        self.steps.push("failing commits");
        let version = self.world.store.inner.table.lock().await.version();
        let log = self.world.table().join("_delta_log");
        let newest = (version..).take_while(|v| log.join(format!("{v:020}.json")).exists()).last();
        let blocked = log.join(format!("{:020}.json", newest.unwrap_or(version) + 1));
        fs::create_dir(&blocked)?;
        let failed = match self.random.below(2) {
            0 => self.world.store.flush().await,
            _ => self.world.store.maintain().await,
        };
        fs::remove_dir(&blocked)?;
        if failed.is_err() {
            self.steps.push("failed");
        }
        self.expire().await
    }

    /// Another process merges what it sees.
    async fn merge_elsewhere(&mut self) -> TestResult {
        self.steps.push("merge elsewhere");
        let mut table = SpansTable::open(self.world.folder()).await?;
        let now_ms = self.world.now() / 1_000_000;
        if let Some(plan) = next_merge(&table.files()?, now_ms, 2, &Default::default()) {
            let mut pace = Pace::new(1.0, &|| false, &|| false);
            let merged = merge(&self.world.folder(), &plan, &mut pace)?;
            let adds = [merged.file.add.clone()];
            if !table.replace(&plan.inputs, &adds, Change::Rewrite, now_ms).await? {
                return Err("a merge of the newest files was refused".into());
            }
        }
        Ok(())
    }

    async fn hold(&mut self) -> TestResult {
        self.steps.push("hold");
        let snapshot = self.world.store.snapshot().await?;
        let seen = read(&snapshot)?;
        self.held.truncate(2);
        self.held.insert(0, (snapshot, seen));
        Ok(())
    }

    fn wait(&mut self) {
        self.steps.push("wait");
        let ns = self.random.pick(&[1_000_000_000, 61_000_000_000, HOUR, 14 * HOUR]);
        self.world.advance(ns);
    }

    /// Takes from the model what retention may have dropped and has.
    async fn expire(&mut self) -> TestResult {
        let seen = names(self.world.spans().await?);
        let oldest = self.world.now() - i64::try_from(AGE.as_nanos())?;
        let (kept, gone): (Model, Model) = std::mem::take(&mut self.model)
            .into_iter()
            .partition(|span| span.3 >= oldest || seen.contains(span));
        self.model = kept;
        self.expired.extend(gone);
        Ok(())
    }

    async fn check(&mut self) -> TestResult {
        let seen = self.world.spans().await?;
        let count = seen.len();
        let visible = names(seen);
        if visible != self.model || count != self.model.len() {
            return Err(format!("{count} spans {visible:?} instead of {:?}", self.model).into());
        }
        for (snapshot, expected) in &self.held {
            if read(snapshot)? != *expected {
                return Err("a snapshot changed".into());
            }
        }
        debug_assert!(self.world.now() >= NOON);
        Ok(())
    }
}

/// Without the mark of flagged spans: who came first is not the model's business.
fn names(seen: Vec<Seen>) -> Model {
    seen.into_iter()
        .map(|(t, s, n, start)| (t, s, n.trim_end_matches('!').to_owned(), start))
        .collect()
}
