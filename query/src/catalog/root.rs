//! The one folder that queries can read.
//!
//! DataFusion reaches data through a registry of object stores. Ours knows one address, which no
//! statement can spell, and has no stores for `file://` or anything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::common::plan_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use parking_lot::RwLock;
use url::Url;

use crate::error::QueryError;

/// Address of the table root inside plans.
pub(crate) fn root_url() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse("causeway://table")
}

/// Object stores reduced to the table root.
#[derive(Debug, Default)]
pub(crate) struct TableRoot {
    current: RwLock<Option<(PathBuf, Arc<dyn ObjectStore>)>>,
}

impl TableRoot {
    /// The store for the table at `folder`, opened when it is new.
    pub(crate) fn open(&self, folder: &Path) -> Result<Arc<dyn ObjectStore>> {
        if let Some((known, store)) = self.current.read().as_ref()
            && known == folder
        {
            return Ok(Arc::clone(store));
        }
        let opened = LocalFileSystem::new_with_prefix(folder).map_err(|error| {
            QueryError::Internal(format!("cannot open the table at {}: {error}", folder.display()))
        });
        let store: Arc<dyn ObjectStore> = Arc::new(opened?);
        *self.current.write() = Some((folder.to_owned(), Arc::clone(&store)));
        Ok(store)
    }
}

impl ObjectStoreRegistry for TableRoot {
    fn register_store(
        &self,
        _url: &Url,
        _store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let current = self.current.read();
        match (url.scheme(), url.host_str(), current.as_ref()) {
            ("causeway", Some("table"), Some((_, store))) => Ok(Arc::clone(store)),
            _ => Err(plan_datafusion_err!("{url} cannot be read")),
        }
    }
}
