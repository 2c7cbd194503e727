//! The Delta side of the table: open or create, commit once, list files, keep the log short.
//!
//! delta-rs does not compare transaction versions on a fresh snapshot and never fsyncs on local
//! disk; both are done here. One committer per process: the methods that commit take `&mut self`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode, checkpoints};
use deltalake::{DeltaTable, DeltaTableBuilder};
use url::Url;

use super::file::{DAY, DataFile};
use super::layout::{delta_schema, properties};
use super::write::sync_folder;
use crate::StoreError;

/// How often a commit is tried again on top of what others committed meanwhile.
const COMMIT_ATTEMPTS_MAX: usize = 16;

/// Commits between two checkpoints: opening costs about 1 ms a commit since the last one.
const COMMITS_PER_CHECKPOINT: u64 = 50;

/// The open table.
#[derive(Debug)]
pub(crate) struct SpansTable {
    table: DeltaTable,
    dir: PathBuf,
    /// Every live file by its path, so that a file keeps its `Arc` from snapshot to snapshot.
    live: HashMap<String, Arc<DataFile>>,
}

impl SpansTable {
    /// Opens the table in `dir`, which must exist.
    pub(crate) async fn open(dir: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::failing("open the table", error);
        let builder = DeltaTableBuilder::from_url(location(dir)?).map_err(failed)?;
        let table = builder.load().await.map_err(failed)?;
        Ok(Self { table, dir: dir.to_owned(), live: HashMap::new() })
    }

    /// Opens the table in `dir`, after creating it if there is none.
    pub(crate) async fn open_or_create(dir: &Path) -> Result<Self, StoreError> {
        if dir.join("_delta_log").exists() {
            return Self::open(dir).await;
        }
        fs::create_dir_all(dir).map_err(|e| StoreError::failing("create the table's folder", e))?;
        let table = CreateBuilder::new()
            .with_location(location(dir)?)
            .with_table_name("spans")
            .with_columns(delta_schema()?.fields().cloned())
            .with_partition_columns([DAY])
            .with_configuration(properties())
            .await
            .map_err(|error| StoreError::failing("create the table", error))?;
        let created = Self { table, dir: dir.to_owned(), live: HashMap::new() };
        created.sync_log()?;
        sync_folder(dir).map_err(|error| StoreError::failing("sync the table's folder", error))?;
        Ok(created)
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
        let mut attempts_left = COMMIT_ATTEMPTS_MAX;
        while self.committed(writer).await? < version {
            match self.try_append(writer, version, adds).await {
                Ok(()) => break,
                Err(error) if attempts_left == 0 => {
                    return Err(StoreError::failing("commit to the table", error));
                }
                // Others committed meanwhile, or the answer was lost: look again.
                Err(error) => {
                    tracing::debug!(%error, "commit is tried again on the newest snapshot");
                    attempts_left -= 1;
                    self.refresh().await?;
                }
            }
        }
        self.sync_log()
    }

    async fn try_append(
        &mut self,
        writer: &str,
        version: u64,
        adds: &[Add],
    ) -> deltalake::DeltaResult<()> {
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
        Ok(())
    }

    /// Takes in what was committed since.
    pub(crate) async fn refresh(&mut self) -> Result<(), StoreError> {
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

    /// Writes a checkpoint and drops old log entries when it is time. Off the commit path.
    pub(crate) async fn maintain(&self) -> Result<(), StoreError> {
        let version = self.table.version().unwrap_or(0);
        if version == 0 || !version.is_multiple_of(COMMITS_PER_CHECKPOINT) {
            return Ok(());
        }
        let failed = |error| StoreError::failing("write a checkpoint of the table", error);
        checkpoints::create_checkpoint(&self.table, None).await.map_err(failed)?;
        checkpoints::cleanup_metadata(&self.table, None).await.map_err(failed)?;
        Ok(())
    }

    /// Makes the newest commit durable: delta-rs leaves it in the page cache.
    fn sync_log(&self) -> Result<(), StoreError> {
        let log = self.dir.join("_delta_log");
        let version = self.table.version().unwrap_or(0);
        let newest = log.join(format!("{version:020}.json"));
        let synced = fs::File::open(newest).and_then(|file| file.sync_all());
        synced
            .and_then(|()| sync_folder(&log))
            .map_err(|error| StoreError::failing("sync the table's transaction log", error))
    }
}

fn location(dir: &Path) -> Result<Url, StoreError> {
    let absolute = dir
        .canonicalize()
        .map_err(|error| StoreError::failing("find the table's folder", error))?;
    Url::from_directory_path(&absolute)
        .map_err(|()| StoreError::failing("name the table's folder", absolute.display()))
}
