//! The files of the Delta log as delta-rs writes them: each is durable before it can be seen.
//!
//! ```text
//! put -> N.json#<random> -> fsync -> link or rename to N.json -> fsync of the folder
//! ```
//!
//! The store for local files that comes with delta-rs never fsyncs. After a power cut a commit could
//! be there without its content, and the table could not be opened any more. Reading is left to that
//! store, which passes over names that end like those of unfinished files.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use deltalake::logstore::object_store::local::LocalFileSystem;
use deltalake::logstore::object_store::path::Path as Location;
use deltalake::logstore::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart,
};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::disk::{Disk, make_dir};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct DurableStore {
    local: Arc<LocalFileSystem>,
    disk: Arc<dyn Disk>,
}

impl DurableStore {
    pub(super) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { local: Arc::default(), disk }
    }

    /// Changes the file of `location` on a blocking thread.
    async fn change<T: Send + 'static>(
        &self,
        location: &Location,
        change: impl FnOnce(&dyn Disk, &Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = self.local.path_to_filesystem(location)?;
        let disk = Arc::clone(&self.disk);
        let changed = tokio::task::spawn_blocking(move || change(disk.as_ref(), &path)).await;
        changed?.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => {
                Error::AlreadyExists { path: location.to_string(), source: source.into() }
            }
            io::ErrorKind::NotFound => {
                Error::NotFound { path: location.to_string(), source: source.into() }
            }
            _ => Error::Generic { store: "DurableStore", source: source.into() },
        })
    }
}

impl fmt::Display for DurableStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DurableStore")
    }
}

/// Puts a whole file there.
fn put(disk: &dyn Disk, path: &Path, payload: &PutPayload, mode: &PutMode) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut staged = path.as_os_str().to_owned();
    staged.push(format!("#{}", uuid::Uuid::new_v4().as_u128()));
    let staged = Path::new(&staged);
    let mut file = match disk.create(staged) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_dir(disk, folder)?;
            disk.create(staged)?
        }
        created => created?,
    };
    let written = payload.iter().try_for_each(|bytes| file.write_all(bytes));
    let placed = written.and_then(|()| file.sync()).and_then(|()| match mode {
        PutMode::Create => disk.link(staged, path),
        PutMode::Overwrite => disk.rename(staged, path),
        PutMode::Update(_) => Err(io::ErrorKind::Unsupported.into()),
    });
    // After a rename there is none; any other that cannot be removed harms nobody.
    let _ = disk.remove(staged);
    placed?;
    disk.sync_dir(folder)
}

#[async_trait]
impl ObjectStore for DurableStore {
    async fn put_opts(
        &self,
        location: &Location,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.change(location, move |disk, path| put(disk, path, &payload, &options.mode)).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Location,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Upload { store: self.clone(), location: location.clone(), parts: Vec::new() }))
    }

    async fn get_opts(&self, location: &Location, options: GetOptions) -> Result<GetResult> {
        self.local.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Location>>,
    ) -> BoxStream<'static, Result<Location>> {
        let store = self.clone();
        let deleted = locations.then(move |location| {
            let store = store.clone();
            async move {
                let location = location?;
                store.change(&location, |disk, path| disk.remove(path)).await?;
                Ok(location)
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Location>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.local.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Location>,
        offset: &Location,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.local.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Location>) -> Result<ListResult> {
        self.local.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Location, _: &Location, _: CopyOptions) -> Result<()> {
        Err(Error::NotImplemented { operation: "copy".to_owned(), implementer: self.to_string() })
    }
}

/// A large file, such as a checkpoint of many files, that comes in parts.
#[derive(Debug)]
struct Upload {
    store: DurableStore,
    location: Location,
    parts: Vec<PutPayload>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        self.parts.push(part);
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let parts = std::mem::take(&mut self.parts);
        let whole: PutPayload = parts.iter().flatten().cloned().collect();
        self.store.put_opts(&self.location, whole, PutOptions::default()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}
