//! Another process that writes, merges and expires in the same table, often on an old view of it.
//!
//! It has no faults of its own, but dies when the store's process does: the clean-up at a start relies
//! on nobody else having files in the making.

use std::sync::Arc;

use causeway_model::batch::{AttributeColumns, seal};
use causeway_model::otlp;

use super::super::HOUR;
use super::disk::ProcessDisk;
use super::faults::Faults;
use super::model::{Model, OTHERS};
use super::random::Random;
use super::schedule::Outcome;
use super::spans::{Seen, request};
use super::world::{AGE, World};
use crate::maintenance::merge::{Merged, merge};
use crate::maintenance::pace::Pace;
use crate::maintenance::plan::{Merge, expired, next_merge};
use crate::table::{Change, SpansTable, TableFolder, write_sorted};

/// Its name in the table's transactions.
const WRITER: &str = "other";

pub(super) struct Other {
    folder: TableFolder,
    table: SpansTable,
    /// A merged file that is not committed yet.
    merged: Option<(Merge, Merged)>,
}

impl Other {
    pub(super) async fn start(world: &World) -> Result<Self, crate::StoreError> {
        let disk = Arc::new(ProcessDisk::new(&world.machine, &Arc::new(Faults::default())));
        let folder = TableFolder::new(world.store().inner.settings.table_dir(), disk);
        let table = SpansTable::open(folder.clone()).await?;
        Ok(Self { folder, table, merged: None })
    }

    /// Does something; tells what. Files may expire by it.
    pub(super) async fn step(
        &mut self,
        world: &World,
        model: &mut Model,
        random: &mut Random,
    ) -> Outcome<&'static str> {
        if random.one_in(3) {
            self.table.refresh().await?;
        }
        let now_ms = world.now_ms();
        match random.below(6) {
            0..2 => self.append(world, model, random).await.map(|()| "other appends"),
            2..5 => match self.merged.take() {
                Some((plan, merged)) => {
                    let adds = [merged.file.add.clone()];
                    if !self.table.replace(&plan.inputs, &adds, Change::Rewrite, now_ms).await? {
                        merged.file.discard(&self.folder);
                        return Ok("other's merge is refused");
                    }
                    Ok("other commits a merge")
                }
                None => {
                    let plan = next_merge(&self.table.files()?, now_ms, 2, &Default::default());
                    let mut pace = Pace::new(1.0, &|| false, &|| false);
                    // On an old view the inputs may be gone.
                    self.merged = plan
                        .and_then(|plan| Some((merge(&self.folder, &plan, &mut pace).ok()?, plan)))
                        .map(|(merged, plan)| (plan, merged));
                    Ok("other merges")
                }
            },
            _ => {
                let old = expired(&self.table.files()?, now_ms, Some(AGE), None);
                if !old.is_empty() {
                    self.table.replace(&old, &[], Change::Expire, now_ms).await?;
                }
                Ok("other expires")
            }
        }
    }

    async fn append(&mut self, world: &World, model: &mut Model, random: &mut Random) -> Outcome {
        let hours = random.pick(&[0, 0, 1, 13]);
        let spans = [Seen {
            trace: OTHERS + random.below(3) as u8,
            // One that was never there before; zero would be no id.
            span: 1 + model.others.len() as u8,
            name: 'o',
            start: world.now() - hours * HOUR,
        }];
        let (columns, _) = otlp::decode(&request(&spans), world.now())?;
        let batch = seal(&[Arc::new(columns)], &AttributeColumns::default())?;
        let version = self.table.committed(WRITER).await? + 1;
        let stem = format!("{WRITER}-{version:020}");
        let written = write_sorted(&self.folder, &stem, &[batch], world.now_ms())?;
        let adds: Vec<_> = written.iter().map(|file| file.add.clone()).collect();
        self.table.append(WRITER, version, &adds).await?;
        model.others.extend(spans);
        Ok(())
    }
}
