//! The Delta side of the table: open or create, commit once, list files, keep the log short.
//!
//! delta-rs does not compare transaction versions on a fresh snapshot and does not notice that a
//! file to be removed is gone already; both are done here. One committer per process: the methods
//! that commit take `&mut self`.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};
use causeway_model::batch::AttributeColumns;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, Remove, Transaction};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode, checkpoints};
use deltalake::{DeltaTable, DeltaTableBuilder};
use futures::StreamExt;
use url::Url;

use super::durable_store::DurableStore;
use super::file::{DAY, DataFile};
use super::folder::TableFolder;
use super::layout::{delta_fields, delta_schema, properties};
use crate::StoreError;
use crate::flush::blocking;

/// How often a commit is tried again on top of what others committed meanwhile.
const COMMIT_ATTEMPTS_MAX: usize = 16;

/// Names compaction and retention in the table's transactions: of two that ran at once, one fails.
const MAINTENANCE: &str = "maintenance";

/// A commit as it can be tried again.
enum Commit<'a> {
    Append { writer: &'a str, version: u64, adds: &'a [Add] },
    Columns(&'a [FieldRef]),
    Replace { removed: &'a [Arc<DataFile>], added: &'a [Add], change: Change, now_unix_ms: i64 },
}

/// Why an attempt failed.
type CommitError = Box<dyn std::error::Error + Send + Sync>;

/// The open table.
#[derive(Debug)]
pub(crate) struct SpansTable {
    table: DeltaTable,
    folder: TableFolder,
    /// Every live file by its path, so that a file keeps its `Arc` from snapshot to snapshot.
    live: HashMap<String, Arc<DataFile>>,
}

impl SpansTable {
    /// Opens the table in `folder`, which must exist.
    pub(crate) async fn open(folder: TableFolder) -> Result<Self, StoreError> {
        let mut table = Self::new(folder)?;
        table.sync_log().await?;
        let loaded = table.table.load().await;
        loaded.map_err(|error| StoreError::failing("open the table", error))?;
        Ok(table)
    }

    /// Opens the table in `folder`, after creating it if there is none.
    pub(crate) async fn open_or_create(folder: TableFolder) -> Result<Self, StoreError> {
        let mut table = Self::new(folder)?;
        let log_store = table.table.log_store();
        // The folder of the log alone says nothing: who made it may have died before the first commit.
        let is_there = log_store.is_delta_table_location().await;
        if is_there.map_err(|error| StoreError::failing("look for the table", error))? {
            return Self::open(table.folder).await;
        }
        table.table = CreateBuilder::new()
            .with_log_store(log_store)
            .with_table_name("spans")
            .with_columns(delta_schema()?.fields().cloned())
            .with_partition_columns([DAY])
            .with_configuration(properties())
            .await
            .map_err(|error| StoreError::failing("create the table", error))?;
        Ok(table)
    }

    fn new(folder: TableFolder) -> Result<Self, StoreError> {
        let location = location(folder.root())?;
        let store = Arc::new(DurableStore::new(folder.disk()));
        let builder = DeltaTableBuilder::from_url(location.clone())
            .map(|builder| builder.with_storage_backend(store, location));
        let table = builder.and_then(DeltaTableBuilder::build);
        let table = table.map_err(|error| StoreError::failing("open the table", error))?;
        Ok(Self { table, folder, live: HashMap::new() })
    }

    /// The last version that `writer` committed, 0 if none.
    pub(crate) async fn committed(&self, writer: &str) -> Result<u64, StoreError> {
        let failed = |error| StoreError::failing("read the table's transactions", error);
        let log_store = self.table.log_store();
        let snapshot = self.table.snapshot().map_err(failed)?.snapshot();
        let version = snapshot.transaction_version(log_store.as_ref(), writer).await;
        Ok(version.map_err(failed)?.and_then(|v| u64::try_from(v).ok()).unwrap_or(0))
    }

    /// Adds files under `version` of `writer`, once: does nothing if that version is there.
    pub(crate) async fn append(
        &mut self,
        writer: &str,
        version: u64,
        adds: &[Add],
    ) -> Result<(), StoreError> {
        self.commit(&Commit::Append { writer, version, adds }).await.map(drop)
    }

    /// Adds the columns that the table does not have yet; they are null in the files it has.
    pub(crate) async fn add_columns(&mut self, columns: &[FieldRef]) -> Result<(), StoreError> {
        self.commit(&Commit::Columns(columns)).await.map(drop)
    }

    /// Takes `removed` out of the table and `added` in, in one commit. `false`: one of `removed` is
    /// not live any more, so that nothing was changed and `added` must not be.
    pub(crate) async fn replace(
        &mut self,
        removed: &[Arc<DataFile>],
        added: &[Add],
        change: Change,
        now_unix_ms: i64,
    ) -> Result<bool, StoreError> {
        self.commit(&Commit::Replace { removed, added, change, now_unix_ms }).await
    }

    /// Tries a commit again and again on top of what others commit meanwhile; `false` if it does not
    /// apply any more. An error may be a lost answer, so each attempt looks what is there already.
    async fn commit(&mut self, commit: &Commit<'_>) -> Result<bool, StoreError> {
        let mut attempts_left = COMMIT_ATTEMPTS_MAX;
        loop {
            let attempt = match *commit {
                Commit::Append { writer, version, adds } => {
                    self.try_append(writer, version, adds).await
                }
                Commit::Columns(columns) => self.try_add_columns(columns).await,
                Commit::Replace { removed, added, change, now_unix_ms } => {
                    self.try_replace(removed, added, change, now_unix_ms).await
                }
            };
            match attempt {
                Ok(is_done) => return Ok(is_done),
                Err(error) if attempts_left == 0 => {
                    return Err(StoreError::failing("commit to the table", error));
                }
                Err(error) => {
                    tracing::debug!(%error, "commit is tried again on the newest snapshot");
                    attempts_left -= 1;
                    self.refresh().await?;
                }
            }
        }
    }

    async fn try_append(
        &mut self,
        writer: &str,
        version: u64,
        adds: &[Add],
    ) -> Result<bool, CommitError> {
        if self.committed(writer).await? >= version {
            return Ok(true);
        }
        let transaction = Transaction::new(writer, i64::try_from(version).unwrap_or(i64::MAX));
        let properties = CommitProperties::default()
            .with_create_checkpoint(false)
            .with_cleanup_expired_logs(Some(false))
            .with_application_transaction(transaction);
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![DAY.to_owned()]),
            predicate: None,
        };
        let commit = CommitBuilder::from(properties)
            .with_actions(adds.iter().cloned().map(Action::Add).collect())
            .build(Some(self.table.snapshot()?), self.table.log_store(), operation)
            .await?;
        self.table.state = Some(commit.snapshot());
        Ok(true)
    }

    /// The attribute columns that the table has.
    pub(crate) fn attribute_columns(&self) -> Result<AttributeColumns, StoreError> {
        Ok(AttributeColumns::of_schema(self.arrow_schema()?.as_ref()))
    }

    /// The columns that the table has, the partition column too.
    pub(super) fn arrow_schema(&self) -> Result<SchemaRef, StoreError> {
        let failed = |error| StoreError::failing("read the table's schema", error);
        Ok(self.table.snapshot().map_err(failed)?.snapshot().arrow_schema())
    }

    async fn try_add_columns(&mut self, columns: &[FieldRef]) -> Result<bool, CommitError> {
        let known = self.arrow_schema()?;
        // Required columns are in every table.
        let is_missing =
            |field: &&FieldRef| field.is_nullable() && known.field_with_name(field.name()).is_err();
        let fields = delta_fields(columns.iter().filter(is_missing))?;
        if !fields.is_empty() {
            self.table = self.table.clone().add_columns().with_fields(fields).await?;
        }
        Ok(true)
    }

    /// Takes in what was committed since.
    pub(crate) async fn refresh(&mut self) -> Result<(), StoreError> {
        self.sync_log().await?;
        let updated = self.table.update_state().await;
        updated.map_err(|error| StoreError::failing("read the table's newest version", error))
    }

    /// The live files.
    pub(crate) fn files(&mut self) -> Result<Vec<Arc<DataFile>>, StoreError> {
        let failed = |error| StoreError::failing("list the table's files", error);
        let state = self.table.snapshot().map_err(failed)?;
        let mut known = std::mem::take(&mut self.live);
        let mut files = Vec::with_capacity(known.len() + 1);
        for file in state.log_data() {
            let path = file.path().into_owned();
            let file = known.remove(&path).unwrap_or_else(|| {
                let (bytes, modified_ms) = (file.size(), file.modification_time());
                let stats = file.stats();
                Arc::new(DataFile::from_log(path, bytes, modified_ms, stats.as_deref()))
            });
            files.push(file);
        }
        self.live = files.iter().map(|file| (file.path.clone(), Arc::clone(file))).collect();
        Ok(files)
    }

    /// The actions that remove files, or `None` if one of them is not live in this very snapshot.
    fn removes(
        &self,
        removed: &[Arc<DataFile>],
        change: Change,
        now_unix_ms: i64,
    ) -> Result<Option<Vec<Remove>>, StoreError> {
        let failed = |error| StoreError::failing("list the table's files", error);
        let wanted: HashSet<&str> = removed.iter().map(|file| file.path.as_str()).collect();
        let state = self.table.snapshot().map_err(failed)?;
        let removes: Vec<Remove> = state
            .log_data()
            .into_iter()
            .filter(|file| wanted.contains(file.path().as_ref()))
            .map(|file| Remove {
                deletion_timestamp: Some(now_unix_ms),
                ..file.remove_action(change == Change::Expire)
            })
            .collect();
        Ok((removes.len() == wanted.len()).then_some(removes))
    }

    /// Whether all these files are live.
    pub(crate) fn are_live(&self, added: &[Add]) -> Result<bool, StoreError> {
        let failed = |error| StoreError::failing("list the table's files", error);
        let state = self.table.snapshot().map_err(failed)?;
        let live: HashSet<_> =
            state.log_data().into_iter().map(|file| file.path().into_owned()).collect();
        Ok(added.iter().all(|add| live.contains(&add.path)))
    }

    async fn try_replace(
        &mut self,
        removed: &[Arc<DataFile>],
        added: &[Add],
        change: Change,
        now_unix_ms: i64,
    ) -> Result<bool, CommitError> {
        let Some(removes) = self.removes(removed, change, now_unix_ms)? else {
            // A commit whose answer was lost is known by its files, whose names are unique.
            return Ok(!added.is_empty() && self.are_live(added)?);
        };
        let version = self.committed(MAINTENANCE).await? + 1;
        let transaction = Transaction::new(MAINTENANCE, i64::try_from(version).unwrap_or(i64::MAX));
        let properties = CommitProperties::default()
            .with_create_checkpoint(false)
            .with_cleanup_expired_logs(Some(false))
            // Never rebased by delta-rs, which would not look whether the files are still live.
            .with_max_retries(0)
            .with_application_transaction(transaction);
        let operation = match change {
            Change::Rewrite => DeltaOperation::Optimize { predicate: None, target_size: 0 },
            Change::Expire => DeltaOperation::Delete { predicate: None },
        };
        let adds = added
            .iter()
            .cloned()
            .map(|add| Action::Add(Add { data_change: change == Change::Expire, ..add }));
        let commit = CommitBuilder::from(properties)
            .with_actions(removes.into_iter().map(Action::Remove).chain(adds).collect())
            .build(Some(self.table.snapshot()?), self.table.log_store(), operation)
            .await?;
        self.table.state = Some(commit.snapshot());
        Ok(true)
    }

    /// Files that left the table lately, with the time (Unix milliseconds) when they did.
    pub(crate) async fn tombstones(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let failed = |error| StoreError::failing("list files that left the table", error);
        let log_store = self.table.log_store();
        let state = self.table.snapshot().map_err(failed)?;
        let mut views = state.all_tombstones(log_store.as_ref());
        let mut tombstones = Vec::new();
        while let Some(view) = views.next().await {
            let view = view.map_err(failed)?;
            tombstones.push((view.path().into_owned(), view.deletion_timestamp().unwrap_or(0)));
        }
        Ok(tombstones)
    }

    /// The version of the table.
    pub(crate) fn version(&self) -> u64 {
        self.table.version().unwrap_or(0)
    }

    /// What can write a checkpoint while others commit.
    pub(crate) fn checkpointer(&self) -> Checkpointer {
        Checkpointer(self.table.clone())
    }

    /// Makes the names of commits durable: before they are relied on, because who made them may have
    /// died before that, or have been told that it failed.
    async fn sync_log(&self) -> Result<(), StoreError> {
        let (disk, log) = (self.folder.disk(), self.folder.root().join("_delta_log"));
        let failed = |error| StoreError::failing("sync the table's transaction log", error);
        blocking(move || disk.sync_dir(&log).map_err(failed)).await
    }
}

/// What a commit of maintenance means to other readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The same spans in other files.
    Rewrite,
    /// Spans go for good.
    Expire,
}

/// One version of the table, to be written as a checkpoint. Takes no lock: a checkpoint takes a
/// quarter of a second.
#[derive(Debug)]
pub(crate) struct Checkpointer(DeltaTable);

impl Checkpointer {
    /// Writes the checkpoint and drops log entries that nobody needs any more.
    pub(crate) async fn write(&self) -> Result<(), StoreError> {
        let failed = |error| StoreError::failing("write a checkpoint of the table", error);
        checkpoints::create_checkpoint(&self.0, None).await.map_err(failed)?;
        checkpoints::cleanup_metadata(&self.0, None).await.map_err(failed)?;
        Ok(())
    }
}

/// The version of the newest checkpoint of the table in `dir`, 0 if there is none.
pub(crate) fn checkpoint_version(dir: &Path) -> u64 {
    let hint = fs::read(dir.join("_delta_log").join("_last_checkpoint")).unwrap_or_default();
    let hint: serde_json::Value = serde_json::from_slice(&hint).unwrap_or_default();
    hint.get("version").and_then(serde_json::Value::as_u64).unwrap_or(0)
}

fn location(dir: &Path) -> Result<Url, StoreError> {
    let absolute = dir
        .canonicalize()
        .map_err(|error| StoreError::failing("find the table's folder", error))?;
    Url::from_directory_path(&absolute)
        .map_err(|()| StoreError::failing("name the table's folder", absolute.display()))
}
